"""What clients may do to the service by many paths and by sending slowly, on a served bento."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from tests.release.bench import SETTINGS
from tests.serving import films
from thorax import images

PNG = images.encode_png(films.phantom())
CONCURRENCY = SETTINGS["release"]["serving"]["max_concurrency"]  # type: ignore[index]
WITHIN_S = 60


def post(client: httpx.Client) -> httpx.Response:
    return client.post("/predict", files={"image": ("x.png", PNG)})


def test_unknown_paths_make_no_new_series(client: httpx.Client) -> None:
    client.get("/nothing/0")
    before = client.get("/metrics").text
    for number in range(3_000):
        assert client.get(f"/nothing/{number}").status_code == 404
    after = client.get("/metrics").text
    assert "/nothing" not in after
    assert after.count("\n") <= before.count("\n") + 20
    assert 'endpoint="/other"' in after
    assert 'endpoint="/other",http_response_code="404"' in after


@pytest.mark.parametrize("path", ["/predict/", "/static_content/index.css", "/%2e%2e/x"])
def test_near_paths_are_not_found(path: str, client: httpx.Client) -> None:
    assert client.get(path).status_code == 404


@contextmanager
def slow(client: httpx.Client, head: bytes) -> Iterator[socket.socket]:
    """A connection that has sent `head` and goes on with one byte a second."""
    ended = threading.Event()
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.settimeout(WITHIN_S)
        connection.sendall(head)

        def drip() -> None:
            with suppress(OSError):
                while not ended.wait(1):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield connection
        finally:
            ended.set()
            thread.join()


def everything(connection: socket.socket) -> bytes:
    """What the server answers until it closes the connection."""
    answer = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(4096):
            answer += chunk
    return answer


HEAD = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=q\r\n"
    b"Content-Length: 100000\r\n\r\n"
)


def test_slow_senders_time_out_and_keep_nobody_out_meanwhile(client: httpx.Client) -> None:
    with ExitStack() as stack:
        bodies = [stack.enter_context(slow(client, HEAD)) for _ in range(3 * CONCURRENCY)]
        heads = [stack.enter_context(slow(client, b"POST /predict HTTP/1.1\r\nX: "))]
        assert [post(client).status_code for _ in range(3)] == [200, 200, 200]
        for connection in bodies:
            assert everything(connection).startswith(b"HTTP/1.1 408 ")
        for connection in heads:
            assert b" 200 " not in everything(connection)  # closed; this test waits for it
    assert post(client).status_code == 200


def test_a_sender_that_is_quick_enough_is_served(client: httpx.Client) -> None:
    request = client.build_request("POST", "/predict", files={"image": ("x.png", PNG)})
    body = request.read()

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(body), 2048):
            yield body[at : at + 2048]
            time.sleep(0.01)

    headers = {"content-type": request.headers["content-type"]}
    answer = client.post("/predict", content=pieces(), headers=headers)
    assert answer.status_code == 200


def test_a_body_without_an_end_is_cut_at_the_limit(client: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        while True:
            yield bytes(50_000)

    headers = {"content-type": "multipart/form-data; boundary=q"}
    with suppress(httpx.TransportError):  # closed while the client was sending
        assert client.post("/predict", content=pieces(), headers=headers).status_code == 413
    assert post(client).status_code == 200


def test_the_docs_load_nothing_from_outside_and_name_every_status(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.status_code == 200 and "//" not in page.text.replace("</", "")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert client.get(f"/static_content/{asset}").status_code == 200
    spec = client.get("/docs.json").json()
    answers = spec["paths"]["/predict"]["post"]["responses"]
    assert set(answers) == {
        "200", "400", "408", "413", "415", "422", "429", "500", "503", "504"
    }  # fmt: skip
    assert "503" in spec["paths"]["/readyz"]["get"]["responses"]
    schemas = spec["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(spec)))
    assert "ErrorAnswer" in named and named <= set(schemas)
