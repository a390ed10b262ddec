"""Locks between processes (flock) that say whom they wait for, and dying with one's parent.

A flock is released by the kernel when its holder dies, also by -9, so no lock is ever stale.
"""

import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from thorax.errors import ThoraxError

_PR_SET_PDEATHSIG = 1


class Locked(ThoraxError):
    """Somebody else holds the lock, and the caller did not want to wait."""


@contextmanager
def hold(path: Path, purpose: str, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path` for the `with` block.

    Args:
        path: the lock file, made when missing; it names its holder while it is held.
        purpose: what the holder does, shown to whoever waits.
        wait: False raises `Locked` at once when someone else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        if not _take(file):
            file.seek(0)
            holder = file.read().strip() or "another process"
            if not wait:
                raise Locked(f"{purpose}: locked by {holder}; wait for it to end")
            print(f"{purpose}: waiting for {holder}", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        file.write(f"{purpose} (process {os.getpid()}, since {since})\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def find_holder(path: Path) -> str:
    """Who holds the lock at `path`, for what and since when; empty when nobody does. Never waits.

    It takes the lock for an instant to find out, which is why `hold` tries more than once.
    """
    try:
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "another process"
    except FileNotFoundError:
        return ""
    return ""


def _take(file: IO[str]) -> bool:
    """Take the lock unless somebody holds it for longer than a look takes."""
    for pause_s in (0.02, 0.05, 0.1, 0.0):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(pause_s)
    return False


def die_with_parent(expected: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere nothing happens).

    Safe to pass as `preexec_fn`. A parent that died before the call counts as well.

    Args:
        expected: the parent's process id, where the caller knows it: another one means that the
            parent died while this process was starting.
    """
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid() if expected is None else expected
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    orphaned_at_birth = parent == 1 and "DVC_STAGE" in os.environ and not _first_process_is_dvc()
    if os.getppid() != parent or orphaned_at_birth:
        os.kill(os.getpid(), signal.SIGKILL)


def _first_process_is_dvc() -> bool:
    """Whether DVC is process 1, as in a container that runs nothing else."""
    return b"dvc" in Path("/proc/1/cmdline").read_bytes()
