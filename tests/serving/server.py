"""Starts a bento as a hospital would: its own environment, away from the checkout, free port."""

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.release.bench import ROOT
from thorax.locks import hold

LOCK = ROOT / "serving/requirements.lock"
READY_WITHIN_S = 90


def environment_python() -> Path:
    """The Python of an environment made from serving/requirements.lock alone, kept per lock."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".thorax/test-env" / f"serving-{digest}"
    python, done = folder / "bin/python", folder / "complete"
    with hold(folder.with_suffix(".lock"), "the serving environment for tests"):
        if not done.exists():
            uv = str(Path(sys.executable).with_name("uv"))
            make = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
            subprocess.run(make, check=True)
            sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python)]
            subprocess.run([*sync, str(LOCK)], check=True)
            done.touch()
    return python


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of ours: no PYTHONPATH, no virtual environment, no settings."""
    return {
        "PATH": "/usr/bin:/bin", "HOME": str(home), "BENTOML_HOME": str(home),
        "BENTOML_DO_NOT_TRACK": "True", "DO_NOT_TRACK": "1", **more,
    }  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(python: Path, bento: str, home: Path, **environment: str) -> Iterator[httpx.Client]:
    """Serve `bento` (a tag in `home`, or a folder) and yield a client; ready is not waited for."""
    port = free_port()
    command = [str(python), "-m", "bentoml", "serve", bento, "--host", "127.0.0.1"]
    with (home / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=home, env=clean_environment(home, **environment), stdout=log, stderr=log,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_alive(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def wait_until_alive(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            if client.get("/livez").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(f"no answer within {READY_WITHIN_S} s")


def is_running(process: psutil.Process) -> bool:
    """Whether it lives; one that has ended and waits for its parent to notice does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ends_within(processes: list[psutil.Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_running(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
