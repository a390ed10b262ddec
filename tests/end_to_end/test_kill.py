"""Kill -9 the flow, DVC or a stage, run again, and get what an undisturbed run gets."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.checkout import Checkout, clone
from tests.end_to_end.conftest import Finished

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

STARTED_WITHIN_S = 240.0
GONE_WITHIN_S = 60.0  # a stage that is still importing ends when it has


def wait_for_stage(
    checkout: Checkout, stage: str, run: "subprocess.Popen[bytes]"
) -> psutil.Process:
    """The stage's process, once it works for a moment."""
    deadline = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < deadline:
        for process in checkout.processes(f"-m {stage}"):
            if "multiprocessing" not in " ".join(process.cmdline()):
                time.sleep(0.7)
                return process
        if run.poll() is not None:
            said = checkout.said.read_text()
            raise AssertionError(f"the run ended before {stage} began:\n{said}")
        time.sleep(0.05)
    raise AssertionError(f"{stage} did not begin within {STARTED_WITHIN_S:.0f} s")


def assert_gone(checkout: Checkout, marker: str) -> None:
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := list(checkout.processes(marker)):
        assert time.monotonic() < deadline, (
            f"left behind: {[process.cmdline() for process in left]}"
        )
        time.sleep(0.1)


def kill(checkout: Checkout, who: str, stage: str, run: "subprocess.Popen[bytes]") -> None:
    process = wait_for_stage(checkout, stage, run)
    victim = {"stage": process.pid, "dvc": process.ppid(), "flow": run.pid}[who]
    os.kill(victim, signal.SIGKILL)


def test_three_kills_in_one_retraining_change_nothing(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    checkout = clone(tmp_path / "thorax")
    run = checkout.start("retrain")
    kill(checkout, "stage", "thorax.dataset", run)
    kill(checkout, "dvc", "thorax.training", run)
    kill(checkout, "flow", "thorax.inference", run)
    assert run.wait(timeout=60) == -signal.SIGKILL
    assert_gone(checkout, "-m thorax.")
    assert_gone(checkout, "-m dvc")
    again = checkout.run("retrain")
    assert again.returncode == 0, again.stdout + again.stderr
    finished: Finished = request.getfixturevalue("finished")  # another worker makes it meanwhile
    assert checkout.results() == finished.checkout.results()
    assert not list(checkout.processes("uvicorn")), "a Prefect server was left behind"
