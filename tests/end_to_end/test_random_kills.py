"""Kill -9 anything at random moments of a retraining: the same command ends in the same result.

Planned kills hit the moments that somebody thought of. Here moment and victim are drawn: the flow,
DVC, a stage, one of its workers, or Prefect's server. The seed is in the test's name, so that a
failure can be repeated as nearly as processes allow.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.checkout import Checkout
from tests.end_to_end.conftest import Finished

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

KILLS = 3
LONGEST_S = 45.0  # until the next kill: longer than the start, shorter than the whole
ENDS_WITHIN_S = 600.0
GONE_WITHIN_S = 60.0  # a stage that is still importing ends when it has
SEEDS = [*(range(2)), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 14))]


def forget_results(checkout: Checkout) -> None:
    """Make every stage stale, with nothing left to take its result from."""
    for name in ("artifacts", ".dvc/cache/runs", ".thorax/state", ".thorax/pixels"):
        shutil.rmtree(checkout.path / name, ignore_errors=True)
    (checkout.path / "dvc.lock").unlink()


def processes(checkout: Checkout) -> list[psutil.Process]:
    return [each for each in checkout.processes("") if each.pid != os.getpid()]


def log(checkout: Checkout) -> str:
    return checkout.said.read_text()


def kind(command: list[str]) -> str:
    """So that each is killed as often, however many workers a stage has."""
    line = " ".join(command)
    names = {"uvicorn": "server", "-m dvc": "dvc", "thorax.cli.app": "flow"}
    return next((name for part, name in names.items() if part in line), "stage")


def kill_at_random(
    checkout: Checkout, run: "subprocess.Popen[bytes]", chance: random.Random
) -> str:
    """Wait for a random while, then kill a random process; empty when the run ended before."""
    moment = time.monotonic() + chance.uniform(0.5, LONGEST_S)
    while time.monotonic() < moment:
        if run.poll() is not None:
            return ""
        time.sleep(0.05)
    by_kind: dict[str, list[psutil.Process]] = {}
    for each in processes(checkout):
        with suppress(psutil.Error):
            by_kind.setdefault(kind(each.cmdline()), []).append(each)
    if not by_kind:
        return ""
    victim = chance.choice(by_kind[chance.choice(sorted(by_kind))])
    try:
        what = " ".join(victim.cmdline())[-120:]
        victim.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:  # it ended in this moment
        return ""
    return what


def finish(checkout: Checkout, run: "subprocess.Popen[bytes]") -> int:
    status = run.wait(ENDS_WITHIN_S)
    assert "Traceback" not in log(checkout), log(checkout)
    return status


@pytest.mark.parametrize("seed", SEEDS)
def test_random_kills_change_nothing(finished: Finished, tmp_path: Path, seed: int) -> None:
    shutil.copytree(finished.checkout.path, tmp_path / "thorax", symlinks=True)
    checkout = Checkout((tmp_path / "thorax").resolve())
    forget_results(checkout)
    chance, killed = random.Random(seed), []
    run = checkout.start("retrain")
    while len(killed) < KILLS:
        if victim := kill_at_random(checkout, run, chance):
            killed.append(victim)
        if run.poll() is not None and len(killed) < KILLS:
            # Killed, ended by a kill with one line, or done: the same command must always work.
            if finish(checkout, run) == 0:
                assert checkout.results() == finished.checkout.results(), killed
                forget_results(checkout)
            run = checkout.start("retrain")
    if finish(checkout, run) != 0:
        last = checkout.run("retrain")
        assert last.returncode == 0, (killed, last.stdout + last.stderr)
        assert "Traceback" not in last.stdout + last.stderr, killed
    assert checkout.results() == finished.checkout.results(), killed
    deadline = time.monotonic() + GONE_WITHIN_S
    while left := processes(checkout):
        assert time.monotonic() < deadline, [each.cmdline() for each in left]
        time.sleep(0.1)
