"""Ends a flow at once when it is asked to end, by Ctrl-C or SIGTERM.

Prefect would first report the end to its temporary server, which the same Ctrl-C has ended already:
it asks again for minutes and then prints a traceback; and that server outlives a SIGTERM to the
flow alone. Nothing is lost by ending at once: the same command goes on where this one was.
"""

import os
import signal
from contextlib import nullcontext
from types import FrameType

import psutil
from prefect import flow_engine


def at_once() -> None:
    """From now on those signals end this process and all that it started, with one line.

    The exit status is 128 and the signal's number, as shells say it.
    """
    # Prefect would put a handler of its own in the place of ours while a flow runs.
    flow_engine.capture_sigterm = nullcontext  # type: ignore[assignment, attr-defined]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.Error:
            continue
    name = signal.Signals(number).name
    os.write(2, f"thorax: ended by {name}; the same command goes on from here\n".encode())
    os._exit(128 + number)
