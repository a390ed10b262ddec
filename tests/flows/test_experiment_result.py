import json
from dataclasses import replace
from pathlib import Path

import pytest

from flows import experiment_result
from flows.experiment_result import KEPT, Record

DONE = Record("mine", "one", "One", "done", "", "reduced", "a" * 40, 3.5, {"training": 3.5})


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A worktree in which everything has run."""
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    folder = experiment_result.tree("mine", "one")
    for name in KEPT.values():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps({"from": name}))
    return folder


def test_a_finished_run_leaves_its_params_metrics_model_and_source(tree: Path) -> None:
    experiment_result.write(DONE)
    result = tree.parent / "result"
    assert {path.name for path in result.iterdir()} == {*KEPT, "run.json"}
    for name, source in KEPT.items():
        assert (result / name).read_text() == (tree / source).read_text()
    assert experiment_result.read("mine", "one") == DONE
    metrics = experiment_result.finished("mine", "one")
    assert metrics == {"from": "artifacts/evaluation/metrics.json"}


@pytest.mark.parametrize("status", ["running", "failed"])
def test_an_unfinished_run_leaves_no_metrics_that_could_be_taken_for_its_own(
    tree: Path, status: str
) -> None:
    experiment_result.write(DONE)
    experiment_result.write(replace(DONE, status=status, commit="b" * 40))
    assert [path.name for path in (tree.parent / "result").iterdir()] == ["run.json"]
    assert experiment_result.finished("mine", "one") is None


def test_a_finished_result_that_another_commit_replaces_is_kept_beside_it(tree: Path) -> None:
    experiment_result.write(DONE)
    experiment_result.write(replace(DONE, status="running", commit="b" * 40))
    earlier = tree.parent / "earlier" / ("a" * 12)
    assert json.loads((earlier / "run.json").read_text())["commit"] == DONE.commit
    assert (earlier / "evaluation.json").exists()


def test_the_same_commit_run_again_keeps_no_copy(tree: Path) -> None:
    experiment_result.write(DONE)
    experiment_result.write(replace(DONE, status="running"))
    assert not (tree.parent / "earlier").exists()


def test_a_run_that_was_never_begun_has_no_record(tree: Path) -> None:
    assert experiment_result.read("mine", "two") is None
    assert experiment_result.finished("mine", "two") is None
