"""The undisturbed run that the end-to-end tests compare with, made once by all test workers."""

import json
import os
import subprocess
from dataclasses import dataclass

import pytest

from tests.end_to_end.checkout import Checkout, can_close_network, clone
from thorax import locks


@dataclass(frozen=True)
class Finished:
    """A clone in which the loop has run once, and what it printed."""

    checkout: Checkout
    run: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers of this run
    path, said = folder / "loop/thorax", folder / "loop.json"
    with locks.hold(folder / "loop.lock", "the loop"):
        if not said.exists():
            closed = can_close_network()
            run = clone(path, closed=closed).run("retrain")
            answer = {"status": run.returncode, "out": run.stdout, "err": run.stderr}
            said.write_text(json.dumps({"closed": closed, **answer}))
    told = json.loads(said.read_text())
    checkout = Checkout(path.resolve(), told["closed"])
    run = subprocess.CompletedProcess("retrain", told["status"], told["out"], told["err"])
    return Finished(checkout, run)
