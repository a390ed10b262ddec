"""Ctrl-C and SIGTERM end a flow soon, with one line, and with everything that it started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from thorax import environment

FLOW = """
import subprocess, sys, time
from pathlib import Path
from thorax import artifacts, environment
environment.apply(artifacts.root())
from prefect import flow
from flows import ending

@flow
def long():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
    time.sleep(600)

ending.at_once()
with ending.with_server():
    long()
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_of_a_flow_ends_it_at_once(repository: Path, number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FLOW], cwd=repository, env=environment.variables(repository),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout and process.stderr
            child = psutil.Process(int(process.stdout.readline()))
            mine = psutil.Process(process.pid).children(recursive=True)
            assert any("uvicorn" in part for each in mine for part in each.cmdline())
            os.killpg(process.pid, number)
            assert process.wait(30) == 128 + number
            said = process.stderr.read()
        finally:
            process.kill()
    assert said.splitlines() == [
        f"thorax: ended by {signal.Signals(number).name}; the same command goes on from here"
    ]
    assert psutil.wait_procs([child, *mine], timeout=20)[1] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_flow_whose_server_was_killed_ends_with_one_line(repository: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FLOW], cwd=repository, env=environment.variables(repository),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout and process.stderr
            child = psutil.Process(int(process.stdout.readline()))
            children = psutil.Process(process.pid).children()
            (server,) = (each for each in children if "uvicorn" in each.cmdline())
            server.kill()
            assert process.wait(60) == 1
            line = process.stderr.read()
        finally:
            process.kill()
    assert line == (
        "thorax: Prefect's server of this run ended; the same command goes on from here\n"
    )
    assert psutil.wait_procs([child], timeout=20)[1] == []
