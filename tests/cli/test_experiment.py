"""`thorax experiment` as one types it, where it starts nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows import experiment_result
from flows.experiment_result import KEPT, Record

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def checkout(tiny_checkout: Path) -> Path:
    """A checkout in which one run of `paper` was finished on a GPU and one failed."""
    shutil.copytree(REPOSITORY / "experiments", tiny_checkout / "experiments")
    params = tiny_checkout / "params.yaml"
    params.write_text(params.read_text().replace("device: auto", "device: cpu"))
    tree = experiment_result.tree("paper", "resnet50-cel")
    for name in KEPT.values():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("{}")
    metrics = '{"mean": {"auc_score": 0.7123, "auc_low": 0.69, "auc_high": 0.73, "findings": 14}}'
    (tree / "artifacts/evaluation/metrics.json").write_text(metrics)
    done = Record("paper", "resnet50-cel", "", "done", "", "full", "a" * 40, 7200.4, {})
    lost = Record("paper", "vgg16-w-cel", "", "failed", "training: why", "full", "b" * 40, 3.0, {})
    experiment_result.write(done)
    experiment_result.write(lost)
    return tiny_checkout


def thorax(checkout: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "thorax.cli.app", "experiment", *arguments],
        cwd=checkout, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "120"},
    )  # fmt: skip


def test_the_list_says_how_each_run_stands(checkout: Path) -> None:
    listed = thorax(checkout, "paper", "--list")
    assert listed.returncode == 0, listed.stderr
    lines = [" ".join(line.split()) for line in listed.stdout.splitlines()]
    assert "resnet50-cel done 0.712 0.690 to 0.730 14 7,200 s full" in lines
    assert any(line.startswith("vgg16-w-cel failed") for line in lines)
    assert any(line.startswith("alexnet-w-cel not begun") for line in lines)


def test_without_a_name_the_experiments_are_listed(checkout: Path) -> None:
    listed = thorax(checkout)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["paper", "pooling"]


def test_a_budget_is_not_changed_behind_finished_runs(checkout: Path) -> None:
    refused = thorax(checkout, "paper")
    assert refused.returncode == 1
    assert "would take the reduced budget" in refused.stderr
    assert "had full: name one with --budget" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["papper"], "no experiment 'papper'; there are: paper, pooling"),
        (["paper", "--runs", "resnet51"], "no run 'resnet51'; there are: alexnet-w-cel"),
        (["paper", "--budget", "half"], "no budget 'half'; there are: full, reduced"),
    ],
)
def test_a_mistyped_name_is_answered_with_those_that_there_are(
    checkout: Path, arguments: list[str], said: str
) -> None:
    refused = thorax(checkout, *arguments)
    assert refused.returncode == 1
    assert said in refused.stderr
