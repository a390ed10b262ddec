"""A pull that replaces data leaves what the accepted version held for the next comparison."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flows import data_history, versions
from thorax import artifacts
from validation import history

REPOSITORY = Path(__file__).parents[2]


def stand(root: Path, data: dict[str, object]) -> str:
    """Put `source.json` there; returns its digest."""
    artifacts.write_json(root / "data" / "source.json", data)
    return artifacts.sha256_json(data)


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., None]:
    """Leave behind what the validation stage writes about the data that is there."""

    def write(verdict: str = "accept") -> None:
        digest = artifacts.sha256_json(artifacts.read_json(tmp_path / "data" / "source.json"))
        content = {"source": "nih", "digest": digest, "findings": {}, "pairs": {}}
        artifacts.write_json(tmp_path / "artifacts/validation/statistics.json", content)
        artifacts.write_json(tmp_path / "artifacts/validation/verdict.json", {"verdict": verdict})

    return write


def kept(root: Path) -> list[str]:
    return [str(version["name"]) for version in history.read(root / history.FILE)]


def test_both_sides_mean_the_same_file() -> None:
    assert data_history.FILE == history.FILE
    assert history.read(REPOSITORY / history.FILE) is not None


def test_replaced_data_are_kept_once_and_in_order(
    tmp_path: Path, judge: Callable[..., None]
) -> None:
    first = stand(tmp_path, {"version": 1})
    judge()
    stand(tmp_path, {"version": 2})
    assert data_history.keep(tmp_path, name="one")
    assert not data_history.keep(tmp_path, name="one")
    judge()
    stand(tmp_path, {"version": 3})
    assert data_history.keep(tmp_path, name="two")
    assert kept(tmp_path) == ["one", "two"]
    assert history.read(tmp_path / history.FILE)[0]["digest"] == first


def test_data_that_did_not_change_leave_the_file_alone(
    tmp_path: Path, judge: Callable[..., None]
) -> None:
    stand(tmp_path, {"version": 1})
    judge()
    assert not data_history.keep(tmp_path, name="one")
    assert not (tmp_path / data_history.FILE).exists()


def test_refused_data_are_not_what_the_next_is_compared_with(
    tmp_path: Path, judge: Callable[..., None]
) -> None:
    stand(tmp_path, {"version": 1})
    judge("refuse")
    stand(tmp_path, {"version": 2})
    assert not data_history.keep(tmp_path, name="one")


def test_data_without_statistics_leave_nothing(tmp_path: Path) -> None:
    stand(tmp_path, {"version": 1})
    assert not data_history.keep(tmp_path, name="one")


def test_a_pull_keeps_what_it_replaces(repository: Path) -> None:
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    params["sources"]["phantom"].update(patients=3, size_px=64)
    (repository / "params.yaml").write_text(yaml.safe_dump(params))
    versions.pull_version(None)
    first = versions.current()
    digest = artifacts.sha256_json(artifacts.read_json(repository / "data" / "source.json"))
    made = repository / "artifacts" / "validation"
    statistics = {"source": "phantom", "digest": digest, "findings": {}, "pairs": {}}
    artifacts.write_json(made / "statistics.json", statistics)
    artifacts.write_json(made / "verdict.json", {"verdict": "accept"})
    versions.pull_version(None)
    assert not (repository / data_history.FILE).exists()
    params["sources"]["phantom"]["patients"] = 4
    (repository / "params.yaml").write_text(yaml.safe_dump(params))
    versions.pull_version(None)
    content = json.loads((repository / data_history.FILE).read_text())
    assert [version["name"] for version in content["versions"]] == [first[:12]]
