from pathlib import Path

import pytest

from tests.release import bench
from thorax import artifacts, origin
from thorax.errors import BadInput
from thorax.release import provenance

METRICS = {"mean": {"auc_score": 0.71239}}


def test_labels_name_data_code_settings_score_and_verdict(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    revision = checkout.commit()
    labels = provenance.labels(checkout.path, decision=checkout.decision(), metrics=METRICS)
    assert labels == {
        "data": "0f" * 16,
        "revision": revision,
        "code_changed": "no",
        "params": artifacts.sha256_json(bench.SETTINGS),
        "lock": "",
        "not_committed": "",
        "mean_auc_score": "0.7124",
        "gate": "pass",
    }


def test_changed_code_is_said_and_changed_data_is_not_changed_code(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    checkout.commit()

    def changed() -> str:
        labels = provenance.labels(checkout.path, decision=checkout.decision(), metrics=METRICS)
        return labels["code_changed"]

    (checkout.path / "data.dvc").write_text("outs: [{md5: abc.dir}]\n")
    assert changed() == "no"
    (checkout.path / "serving/new.py").write_text("")
    assert changed() == "yes"


def test_the_locks_digest_is_of_the_stages_before_the_release(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    assert provenance.lock_digest(path) == ""
    path.write_text("stages: {gate: {outs: [{md5: a}]}}\n")
    first = provenance.lock_digest(path)
    path.write_text("stages: {release: {outs: [{md5: b}]}, gate: {outs: [{md5: a}]}}\n")
    assert provenance.lock_digest(path) == first != ""
    path.write_text("stages: {gate: {outs: [{md5: c}]}}\n")
    assert provenance.lock_digest(path) != first
    path.write_text("stages: {gate: {ou")  # cut short
    assert provenance.lock_digest(path) == ""


def test_what_the_commit_has_otherwise_is_named(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    lock = checkout.path / "dvc.lock"
    lock.write_text("stages: {gate: {outs: [{md5: a}]}}\n")
    assert provenance.not_committed(checkout.path) == ["everything"]
    checkout.commit()
    assert provenance.not_committed(checkout.path) == []
    lock.write_text("stages: {gate: {outs: [{md5: a}]}, release: {}}\n")
    assert provenance.not_committed(checkout.path) == []
    lock.write_text("stages: {gate: {outs: [{md5: b}]}}\n")
    with (checkout.path / "params.yaml").open("a") as params:
        params.write("# mine\n")
    (checkout.path / "serving/new.py").write_text("")
    assert provenance.not_committed(checkout.path) == ["code", "params.yaml", "dvc.lock"]


def test_outside_git_the_revision_is_unknown_and_the_time_a_constant(tmp_path: Path) -> None:
    checkout = bench.make(tmp_path / "thorax")
    labels = provenance.labels(
        checkout.path, decision=checkout.decision(), metrics={"mean": {"auc_score": None}}
    )
    assert (labels["revision"], labels["mean_auc_score"]) == ("unknown", "undefined")
    assert provenance.commit_time(checkout.path).timestamp() == 0


@pytest.mark.parametrize("text", ["", "outs: []\n", "outs: [{path: data}]\n", "[", "outs: 3\n"])
def test_a_data_dvc_that_names_no_version_is_said_with_its_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.dvc").write_text(text)
    with pytest.raises(BadInput, match=r"data\.dvc names no data version"):
        origin.read_data_version(tmp_path / "data.dvc")


def test_a_missing_data_dvc_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pull data first \(thorax pull\)"):
        origin.read_data_version(tmp_path / "data.dvc")
