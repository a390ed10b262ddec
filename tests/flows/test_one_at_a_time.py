"""Whatever changes data waits for a running retraining; whatever looks says what runs."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from thorax import environment, locks

ROOT = Path(__file__).resolve().parents[2]


def start(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "thorax.cli.app", *arguments],
        cwd=root,
        env=environment.variables(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "arguments", [("data", "push"), ("data", "commit", "-m", "x"), ("validate",), ("pull",)]
)
def test_a_command_that_writes_waits_and_names_the_retraining(
    repository: Path, arguments: tuple[str, ...]
) -> None:
    (repository / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (repository / "data").mkdir()
    (repository / "data/source.json").write_text("{}")
    with locks.hold(repository / ".thorax/retraining.lock", "retraining"):
        process = start(repository, *arguments)
        try:
            assert process.stderr
            line = process.stderr.readline()
            assert "waiting for retraining (process" in line
            assert "since" in line
            assert process.poll() is None
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_a_command_that_looks_says_what_runs(repository: Path, command: str) -> None:
    (repository / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    with locks.hold(repository / ".thorax/retraining.lock", "retraining"):
        process = start(repository, command)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "retraining (process" in " ".join(out.split())


@contextmanager
def not_prefect() -> Iterator[str]:
    """A server that answers every request, and is no Prefect."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["dead", "malformed", "not Prefect"])
def test_an_api_url_without_a_prefect_server_is_one_line(
    repository: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with not_prefect() as other:
        url = {"dead": "http://127.0.0.1:9/api", "malformed": "nonsense", "not Prefect": other}
        monkeypatch.setenv("PREFECT_API_URL", url[kind])
        code = (
            "from thorax import artifacts, environment; environment.apply(artifacts.root());"
            "from thorax.cli import app; from flows import prefect_server;"
            "app.app = lambda *a, **k: prefect_server.require_answer(); app.main()"
        )
        answer = subprocess.run(
            [sys.executable, "-c", code],
            cwd=repository,
            env=environment.variables(repository),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "unset PREFECT_API_URL" in answer.stderr
