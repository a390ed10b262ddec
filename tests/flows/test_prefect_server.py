"""A `PREFECT_API_URL` where no Prefect answers ends a retraining with one line."""

import http.server
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import prefect_server
from thorax import environment


class Page(http.server.BaseHTTPRequestHandler):
    """Some other web server: it answers every path with the same page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>It works</h1>")

    def log_message(self, *_arguments: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def web_server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()


@pytest.fixture
def dead_server() -> Iterator[str]:
    with socket.socket() as taken:  # nobody listens, and nobody else gets the port
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/api"


def retrain(repository: Path, url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "thorax.cli.app", "retrain"],
        env={**environment.variables(repository), "PREFECT_API_URL": url},
        cwd=repository, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def assert_one_line(answer: "subprocess.CompletedProcess[str]", url: str, reason: str) -> None:
    assert answer.returncode == 1, answer.stdout + answer.stderr
    (line,) = answer.stderr.splitlines()
    assert f"PREFECT_API_URL={url} {reason}" in line
    assert "unset PREFECT_API_URL" in line
    assert "Traceback" not in answer.stdout


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("127.0.0.1:4200/api", "is no http"),
        ("ftp://127.0.0.1/api", "is no http"),
        ("http://[::1/api", "does not answer"),
        ("http://127.0.0.1:99999/api", "does not answer"),
        ("http://no such host/api", "does not answer"),
        ("true", "is no http"),
    ],
)
def test_an_address_that_is_none(url: str, reason: str) -> None:
    assert prefect_server.find_problem(url).startswith(reason)


def test_an_address_that_prefect_cannot_even_import_with(repository: Path) -> None:
    url = "http://[::1/api"
    assert_one_line(retrain(repository, url), url, "does not answer")


def test_a_server_that_is_down(repository: Path, dead_server: str) -> None:
    assert_one_line(retrain(repository, dead_server), dead_server, "does not answer")


def test_a_server_that_is_not_prefects(repository: Path, web_server: str) -> None:
    assert_one_line(retrain(repository, web_server), web_server, "is no Prefect API")
