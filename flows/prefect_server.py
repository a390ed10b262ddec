"""A Prefect server of our own on loopback, which ends with the process that started it."""

import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from thorax import artifacts, environment
from thorax.errors import ThoraxError
from thorax.locks import die_with_parent

READY_WITHIN_S: Final = 180.0
_ANSWERS_WITHIN_S: Final = 5.0
_ENDED_WITHIN_S: Final = 20.0

Process = subprocess.Popen[bytes]


def log_path() -> Path:
    """Where the server, and what serves the flow, write what goes wrong."""
    return artifacts.home() / "schedule.log"


def require_free(port: int, setting: str) -> None:
    """Raise `ThoraxError` when `port` of loopback is taken; `setting` names it in params.yaml."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ThoraxError(
                f"port {port} cannot be used ({error.strerror}): set params.yaml: {setting} to a "
                "free one, or end what uses it"
            ) from None


def name_url(port: int) -> bool:
    """Let `PREFECT_API_URL` name the server; True when that will be one of our own on `port`.

    Call it before Prefect is imported, which reads the variable then.
    """
    is_own = not os.environ.get("PREFECT_API_URL")
    if is_own:
        os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    return is_own


@contextmanager
def running(port: int) -> Iterator[Process]:
    """A server of our own on `port` that answers, within the `with` block."""
    server = _start(port)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(_ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def require_answer() -> None:
    """Raise `ThoraxError` when the server that the user named, if any, does not answer."""
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return
    if problem := find_problem(url):
        raise ThoraxError(
            f"PREFECT_API_URL={url} {problem}: start that server, or unset PREFECT_API_URL and "
            "Thorax starts one of its own"
        )


def find_problem(url: str) -> str:
    """Why no Prefect API is at `url`; empty when one answers."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=_ANSWERS_WITHIN_S, headers=_login())
    except httpx.TimeoutException:
        return f"does not answer within {_ANSWERS_WITHIN_S:.0f} s"
    except httpx.UnsupportedProtocol:
        return "is no http:// or https:// address"
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        return f"does not answer ({error})"
    if answer.status_code in (401, 403):
        return "refuses us (PREFECT_API_KEY or PREFECT_API_AUTH_STRING)"
    if answer.status_code != 200:
        return f"answers with status {answer.status_code} where Prefect says that it is well"
    is_json = "json" in answer.headers.get("content-type", "")
    is_cloud = "prefect.cloud" in url
    if not is_json or not (is_cloud or answer.text.strip() == "true"):
        return "is no Prefect API (its address ends in /api)"
    return ""


def _login() -> dict[str, str]:
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if login := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {}


def _start(port: int) -> Process:
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    quiet = environment.variables(artifacts.root())
    quiet.pop("PREFECT_API_URL", None)  # it is the server
    loud = {
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING",
        # The page asks the server that it came from; by default it asks port 4200, whoever that is.
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }
    with log_path().open("ab") as log:
        return subprocess.Popen(
            [*command, "--port", str(port)],
            env={**quiet, **loud},
            preexec_fn=die_with_parent,
            start_new_session=True,  # Ctrl-C is ours alone; the server ends after the last run has
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _wait_until_ready(server: Process) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ThoraxError(f"the Prefect server did not start: {log_path()} says why")
        if not find_problem(os.environ["PREFECT_API_URL"]):
            return
        time.sleep(0.5)
    raise ThoraxError(
        f"the Prefect server was not ready within {READY_WITHIN_S:.0f} s; see {log_path()}"
    )
