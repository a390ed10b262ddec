"""`thorax experiment` over the real stages: killed in training, called again, with changed code."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.checkout import SMALL, Checkout, clone

pytestmark = [pytest.mark.end_to_end, pytest.mark.full]

WITHIN_S = 600.0
TINY = {**SMALL, "sources": {"phantom": {"patients": 60}}}
ENTRY = 'if __name__ == "__main__":\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone with an experiment of two short runs and one that cannot be."""
    made = clone(tmp_path_factory.mktemp("experiment") / "thorax", settings=TINY)
    small = {"training": {"epochs": 6, "patience_epochs": 6, "model": {"backbone": "resnet10"}}}
    coarse = {"training": {"model": {"backbone": "vgg16", "stride_px": 32}}}
    runs = {
        "too-small": {"label": "VGG-16", "params": {**coarse, "dataset": {"size_px": 16}}},
        "average": {"label": "average", "params": {"training": {"model": {"pooling": "average"}}}},
        "max": {"label": "max", "params": {"training": {"model": {"pooling": "max"}}}},
    }  # fmt: skip
    definition = {"about": "A trial", "budgets": {"full": small, "reduced": small}, "runs": runs}
    (made.path / "experiments/trial.yaml").write_text(yaml.safe_dump(definition))
    return made


def result(checkout: Checkout, run: str, name: str = "run") -> Any:
    path = checkout.path / f".thorax/experiments/trial/{run}/result/{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def log(checkout: Checkout, run: str) -> str:
    path = checkout.path / f".thorax/experiments/trial/{run}/log.txt"
    return path.read_text() if path.exists() else ""


def test_an_experiment_survives_a_kill_and_runs_the_code_of_its_worktrees(
    checkout: Checkout,
) -> None:
    first = checkout.start("experiment", "trial", "--runs", "average", "max")
    deadline = time.monotonic() + WITHIN_S
    while "training: epoch 2" not in log(checkout, "max"):
        assert first.poll() is None, checkout.said.read_text()
        assert time.monotonic() < deadline, checkout.said.read_text()
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert result(checkout, "average")["status"] == "done"
    assert result(checkout, "max")["status"] == "running"
    trained = log(checkout, "average")

    again = checkout.run("experiment", "trial", "--runs", "average,max", timeout_s=WITHIN_S)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "trial/average: finished before" in again.stdout
    assert log(checkout, "average") == trained
    assert "training: going on after epoch" in log(checkout, "max")
    auc = result(checkout, "max", "evaluation")["mean"]["auc_score"]
    assert f"{auc:.3f}" in again.stdout
    pixels = list((checkout.path / ".thorax/pixels").glob("*-64-*/pixels.npy"))
    assert len(pixels) == 1, "the runs do not share their pixels"

    idle = checkout.run("experiment", "trial", "average", "max")
    assert idle.returncode == 0, idle.stderr
    assert "Starting Prefect" not in idle.stdout

    entry = checkout.path / "src/thorax/evaluation/__main__.py"
    text = entry.read_text()
    assert ENTRY in text
    entry.write_text(text.replace(ENTRY, f'{ENTRY}    print("changed code in", __file__)\n'))
    changed = checkout.run("experiment", "trial", "average", "too-small", timeout_s=WITHIN_S)
    tree = checkout.path / ".thorax/experiments/trial/average/tree"
    assert f"changed code in {tree}/src/thorax/evaluation/__main__.py" in log(checkout, "average")
    assert "trial/average: training: as it was" in changed.stdout

    assert changed.returncode == 1
    failed = result(checkout, "too-small")
    assert failed["status"] == "failed"
    assert "16" in failed["reason"]
    assert failed["reason"] in changed.stderr

    cleaned = checkout.run("experiment", "trial", "--clean")
    assert cleaned.returncode == 0, cleaned.stderr
    assert not tree.exists()
    assert result(checkout, "average")["status"] == "done"
    assert Path(checkout.path, "data/entries.csv").exists()
