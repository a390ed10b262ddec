"""The page over real HTTP, and its keys in a real browser where one is installed."""

import asyncio
import http.client
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import websockets

from thorax.errors import BadInput
from thorax.review import queue
from thorax.review.answers import Answers, opened
from thorax.review.queue import Item
from thorax.review.server import Server
from thorax.review.session import Session

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def mine(checkout: Path) -> Iterator[Answers]:
    with opened(checkout / ".thorax/review", "ann") as answers:
        yield answers


@pytest.fixture
def server(items: list[Item], mine: Answers) -> Iterator[Server]:
    with Server(Session(queue.ordered(items, "ann", block=20), mine)) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ask(server: Server, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    """Status and content of a request whose path stands as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", path, content, headers)
    with closing(connection), connection.getresponse() as answer:
        return answer.status, answer.read()


def state(server: Server) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(ask(server, f"/{server.token}/state")[1])
    return said


def test_answers_come_in_and_progress_goes_on(server: Server, mine: Answers) -> None:
    first = state(server)["item"]
    said = {"image": first["image"], "finding": first["finding"], "answer": "flip"}
    status, content = ask(server, f"/{server.token}/answer", said)
    assert status == 200
    assert json.loads(content)["done"] == 1
    assert mine.said[(first["image"], "Mass")].answer == "flip"
    assert json.loads(ask(server, f"/{server.token}/undo", {})[1])["item"] == first
    assert not mine.said


def test_pictures_of_the_queue_are_served_and_nothing_else(server: Server) -> None:
    item = state(server)["item"]
    with urllib.request.urlopen(server.url + item["picture"]) as answer:
        assert answer.read(8) == b"\x89PNG\r\n\x1a\n"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for path in ("picture/99", "picture/-1", "picture/../page.js", "server.py", "../../etc/passwd"):
        assert ask(server, f"/{server.token}/{path}")[0] == 404


def test_who_does_not_know_the_token_or_uses_another_name_is_refused(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server, "/")[0] == 403
    assert ask(server, "/state")[0] == 403
    assert ask(server, f"/{server.token}x/state")[0] == 403
    assert ask(server, f"/{server.token}/state", Host="evil.example")[0] == 403
    assert ask(server, f"/{server.token}/state", Host=f"localhost:{server.server_port}")[0] == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"x" * 5000])
def test_bodies_that_are_no_answer_are_refused_and_the_server_goes_on(
    server: Server, mine: Answers, body: bytes
) -> None:
    assert ask(server, f"/{server.token}/answer", body)[0] in (400, 413)
    status, content = ask(server, f"/{server.token}/answer", {"image": "x", "answer": "flip"})
    assert (status, b"not in the queue" in content) == (400, True)
    assert state(server)["done"] == 0
    assert not mine.said


def test_a_port_that_is_taken_is_said(server: Server, mine: Answers, items: list[Item]) -> None:
    with pytest.raises(BadInput, match=f"port {server.server_port}"):
        Server(Session(items, mine), port=server.server_port)


def test_a_port_that_cannot_be_is_said(mine: Answers, items: list[Item]) -> None:
    for port in (65536, -1):
        with pytest.raises(BadInput, match=f"port {port} cannot be used"):
            Server(Session(items, mine), port=port)


class Browser:
    """A headless Chromium, spoken to by its own protocol."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.number = 0

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.number += 1
        await self.socket.send(
            json.dumps({"id": self.number, "method": method, "params": parameters})
        )
        while True:
            said = json.loads(await asyncio.wait_for(self.socket.recv(), 30))
            if said.get("id") == self.number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result

    async def value(self, script: str) -> Any:
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    async def until(self, script: str) -> None:
        end = time.monotonic() + 30
        while not await self.value(script):
            assert time.monotonic() < end, f"never true: {script}"
            await asyncio.sleep(0.05)

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key)


async def sit(address: str, socket: str) -> dict[str, Any]:
    """Answer the whole queue by keys, with an undo and a look at the heatmap; what was seen."""
    seen: dict[str, Any] = {}
    async with websockets.connect(socket, max_size=None) as opened_socket:
        page = Browser(opened_socket)
        await page.call(
            "Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1,
            mobile=True,
        )  # fmt: skip
        await page.call("Page.navigate", url=address)
        await page.until("document.querySelector('#count')?.textContent === '0 of 6'")
        seen["wide"] = await page.value("document.documentElement.scrollWidth")
        seen["score"] = await page.value("document.querySelector('#score').hidden")
        await page.press("h")
        seen["heat"] = await page.value("!document.querySelector('#heatmap').hidden")
        for done, key in enumerate("fkufk", 1):
            await page.press(key)
            await page.until(f"document.querySelector('#count').textContent === '{done} of 6'")
        await page.press("z")
        await page.until("document.querySelector('#count').textContent === '4 of 6'")
        for done, key in enumerate("uu", 5):
            await page.press(key)
            await page.until(f"document.querySelector('#count').textContent === '{done} of 6'")
        seen["end"] = await page.value("!document.querySelector('#end').hidden")
    return seen


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_one_key_each_in_a_browser_of_a_phone_s_width(
    server: Server, mine: Answers, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
               "--disable-background-networking", "--remote-debugging-port=0",
               f"--user-data-dir={profile}", "about:blank"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            seen = asyncio.run(sit(server.url, _socket(profile)))
        finally:
            browser.terminate()
    assert seen == {"wide": 390, "score": True, "heat": True, "end": True}
    assert [said.answer for said in mine.said.values()] == [
        "flip", "keep", "unsure", "flip", "unsure", "unsure",
    ]  # fmt: skip


def _socket(profile: Path) -> str:
    """The address of the browser's first page, once it is up."""
    end = time.monotonic() + 60
    file = profile / "DevToolsActivePort"
    while not file.exists() or len(file.read_text().splitlines()) < 2:
        assert time.monotonic() < end, "the browser did not start"
        time.sleep(0.1)
    port = file.read_text().splitlines()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        pages = [each for each in json.load(answer) if each["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])
