"""The flow over a little pipeline of its own: real git, DVC and Prefect, and a kill -9."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import dvc, experiment_result
from flows.experiment_plan import STAGES, plan
from thorax.locks import die_with_parent

WITHIN_S = 500.0

# Every stage writes what it read; training counts epochs in a state that outlives a kill.
WORK = """
import ctypes, json, pathlib, signal, sys, time, yaml
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
stage, code = sys.argv[1], "committed"
a = yaml.safe_load(open("params.yaml"))["a"]
print("ran", __file__, flush=True)
if stage == "reports" and a["size"] < 0:
    sys.exit("reports: size must not be negative")
found = {"code": code, "a": a, "resumed_after": 0}
state = pathlib.Path(".thorax/state/epochs")
if stage == "training":
    state.parent.mkdir(parents=True, exist_ok=True)
    found["resumed_after"] = done = int(state.read_text()) if state.exists() else 0
    for epoch in range(done + 1, a["epochs"] + 1):
        print(f"training: epoch {epoch} of {a['epochs']}", flush=True)
        time.sleep(0.2)
        state.write_text(str(epoch))
name = {"training": "model"}.get(stage, "metrics")
folder = pathlib.Path("artifacts", stage)
folder.mkdir(parents=True)
(folder / f"{name}.json").write_text(json.dumps(found))
"""

EXPERIMENT = {
    "about": "Which is better",
    "budgets": {"full": {}, "reduced": {"a": {"size": 1}}},
    "runs": {
        "bad": {"label": "Bad", "params": {"a": {"size": -1}}},
        "one": {"label": "One"},
        "two": {"label": "Two", "params": {"a": {"epochs": 60}}},
    },
}

FLOW = (
    "import sys; from thorax import artifacts, environment; environment.apply(artifacts.root());"
    "from flows import orphans; orphans.end();"
    "from flows.experiment import experiment; experiment('mine', sys.argv[1:], 'reduced')"
)


def start(root: Path, *runs: str) -> "subprocess.Popen[str]":
    with (root / ".thorax/said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-c", FLOW, *runs], cwd=root, stdout=said, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True,
        )  # fmt: skip


def result(root: Path, run: str, name: str = "run") -> Any:
    return json.loads((root / f".thorax/experiments/mine/{run}/result/{name}.json").read_text())


@pytest.fixture
def checkout(repository: Path) -> Path:
    """The pipeline, with a change that nobody has committed."""
    (repository / "work.py").write_text(WORK)
    stages, before = {}, "work.py"
    for name in STAGES:
        stages[name] = {
            "cmd": f"exec {sys.executable} work.py {name}",
            "deps": ["work.py", before],
            "params": ["a"],
            "outs": [f"artifacts/{name}"],
        }
        before = f"artifacts/{name}"
    stages["reports"]["deps"] = ["work.py", "data/source.json"]
    (repository / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (repository / "params.yaml").write_text("a: {size: 9, epochs: 1}\n")
    (repository / "experiments").mkdir()
    (repository / "experiments/mine.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    (repository / "data").mkdir()
    (repository / "data/source.json").write_text("{}")
    dvc.write("add", "--quiet", "data")
    for command in (["add", "-A"], ["commit", "-qm", "Add a pipeline"]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    (repository / "work.py").write_text(WORK.replace('"committed"', '"uncommitted"'))
    return repository


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_experiment_goes_on_where_it_was(checkout: Path) -> None:
    first = start(checkout, "bad", "one", "two")
    state = checkout / ".thorax/experiments/mine/two/tree/.thorax/state/epochs"
    deadline = time.monotonic() + WITHIN_S
    while not (state.exists() and int(state.read_text() or 0) >= 3):
        assert first.poll() is None, (checkout / ".thorax/said").read_text()
        assert time.monotonic() < deadline, (checkout / ".thorax/said").read_text()
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()

    bad = result(checkout, "bad")
    assert bad["status"] == "failed"
    assert bad["reason"] == "reports: size must not be negative"
    assert result(checkout, "one")["status"] == "done"
    assert result(checkout, "two")["status"] == "running"
    log = checkout / ".thorax/experiments/mine/one/log.txt"
    before = log.read_text()

    again = start(checkout, "one", "two")
    assert again.wait(WITHIN_S) == 0, (checkout / ".thorax/said").read_text()
    said = (checkout / ".thorax/said").read_text()
    assert "mine/one: finished before" in said
    assert log.read_text() == before
    two = result(checkout, "two")
    assert two["status"] == "done"
    assert set(two["stages"]) == set(STAGES)
    trained = result(checkout, "two", "training")
    assert trained["resumed_after"] >= 3
    assert f"mine/two: training: epoch {trained['resumed_after'] + 1} of 60" in said

    tree = experiment_result.tree("mine", "two")
    assert trained["code"] == "uncommitted", "the worktree's own code did not run"
    assert f"ran {tree / 'work.py'}" in (tree.parent / "log.txt").read_text()
    assert trained["a"] == {"size": 1, "epochs": 60}
    assert (checkout / "params.yaml").read_text() == "a: {size: 9, epochs: 1}\n"
    assert not (checkout / "artifacts").exists()
    assert all(each.is_finished() for each in plan("mine", ["one", "two"], "reduced"))
    (checkout / "work.py").write_text(WORK)
    assert not any(each.is_finished() for each in plan("mine", ["one", "two"], "reduced"))
    shutil.rmtree(checkout / ".thorax/experiments")
