"""Every stage killed in three ways: itself, DVC, the caller. Only `make test-full` runs this."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.checkout import Checkout
from tests.end_to_end.conftest import Finished

pytestmark = [pytest.mark.end_to_end, pytest.mark.full]

STAGES = {
    "reports": "thorax.reports",
    "dataset": "thorax.dataset",
    "validation": "validation",
    "training": "thorax.training",
    "inference": "thorax.inference",
    "validation_predictions": "validation.predictions",
    "localization": "thorax.localization",
    "evaluation": "thorax.evaluation",
    "gate": "thorax.gate",
    "release": "thorax.release",
}
BEGINS_WITHIN_S = 60.0
GONE_WITHIN_S = 60.0  # a stage that is still importing ends when it has


@pytest.fixture(scope="module")
def copied(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy of the finished clone to kill stages in."""
    target = tmp_path_factory.mktemp("kills") / "thorax"
    shutil.copytree(finished.checkout.path, target, symlinks=True)
    return Checkout(target.resolve())


def reproduce(checkout: Checkout, *arguments: str) -> "subprocess.Popen[str]":
    code = f"from flows import dvc; dvc.write('repro', '--single-item', *{arguments!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout.path,
        env=checkout.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def running(checkout: Checkout, module: str) -> list[psutil.Process]:
    return [
        process for process in checkout.processes(f"-m {module}") if "dvc" not in process.cmdline()
    ]


def wait_until(condition: object, within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.mark.parametrize("who", ["stage", "dvc", "caller"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_leaves_no_orphan_and_gives_the_same_result(
    copied: Checkout, finished: Finished, stage: str, who: str
) -> None:
    module = STAGES[stage]
    caller = reproduce(copied, "--force", stage)
    wait_until(lambda: running(copied, module), BEGINS_WITHIN_S, f"{stage} did not begin")
    process = running(copied, module)[0]
    victim = {"stage": process.pid, "dvc": process.ppid(), "caller": caller.pid}[who]
    os.kill(victim, signal.SIGKILL)
    caller.communicate(timeout=60)
    wait_until(lambda: not running(copied, module), GONE_WITHIN_S, f"{stage} outlived the kill")
    again = reproduce(copied, stage)
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert copied.results() == finished.checkout.results()
    assert not list(Path(copied.path, "artifacts").glob(f".{stage}.*"))
