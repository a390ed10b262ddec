"""End what a killed run left behind: Prefect's temporary server does not die with its flow."""

import os

import psutil

from thorax import artifacts

_MARK = "PREFECT__SERVER_EPHEMERAL"


def end() -> int:
    """End temporary Prefect servers of this checkout whose flow is gone; returns how many."""
    home = str(artifacts.home() / "prefect")
    ended = 0
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            if not any("uvicorn" in part for part in process.info["cmdline"] or []):
                continue
            theirs = process.environ()
            if _MARK in theirs and theirs.get("PREFECT_HOME") == home and _is_orphan(process):
                process.kill()
                process.wait(5)
                ended += 1
        except psutil.Error:
            continue
    return ended


def _is_orphan(process: psutil.Process) -> bool:
    """Whether the process was adopted: its parent is not a Python process of our user any more."""
    parent = process.parent()
    if parent is None or parent.pid == 1:
        return True
    return parent.pid != os.getpid() and "python" not in parent.name().lower()
