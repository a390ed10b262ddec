"""Ends a flow at once when it is asked to end, by Ctrl-C or SIGTERM, or when its server is gone.

Prefect would first report the end to its temporary server, which the same Ctrl-C has ended already:
it asks again for minutes and then prints a traceback; and that server outlives a SIGTERM to the
flow alone. Nothing is lost by ending at once: the same command goes on where this one was.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import Final

import psutil
from prefect import flow_engine

_LOOK_EVERY_S: Final = 0.5
_SERVER: Final = "prefect.server.api.server"


def at_once() -> None:
    """From now on those signals end this process and all that it started, with one line.

    The exit status is 128 and the signal's number, as shells say it.
    """
    # Prefect would put a handler of its own in the place of ours while a flow runs.
    flow_engine.capture_sigterm = nullcontext  # type: ignore[assignment, attr-defined]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


@contextmanager
def with_server() -> Iterator[None]:
    """Within the block, end this process with one line when its temporary Prefect server is gone.

    Prefect would ask the dead server again for six minutes, and then print a traceback.
    """
    done = threading.Event()
    threading.Thread(target=_watch_server, args=(done,), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _watch_server(done: threading.Event) -> None:
    server: psutil.Process | None = None
    while not done.wait(_LOOK_EVERY_S):
        server = server or _find_server()
        if server is not None and not _is_alive(server) and not done.is_set():
            _end_at_once("Prefect's server of this run ended", 1)


def _find_server() -> psutil.Process | None:
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if any(_SERVER in part for part in child.cmdline()):
                return child
    return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(number: int, _frame: FrameType | None) -> None:
    _end_at_once(f"ended by {signal.Signals(number).name}", 128 + number)


def _end_at_once(reason: str, status: int) -> None:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
    os.write(2, f"thorax: {reason}; the same command goes on from here\n".encode())
    os._exit(status)
