"""Records cut at every place, and DVC's list of readers and writers broken in every way."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import dvc, repair, running
from thorax.errors import BadInput
from thorax.locks import hold

LOCK = "".join(
    f"  {name}:\n    cmd: python {name}.py\n    deps:\n    - path: {name}.py\n      hash: md5\n"
    f"      md5: 0cc175b9c0f1b6a831c399e269772661\n      size: 1\n"
    for name in ("first", "second", "third")
)
WHOLE = f"schema: '2.0'\nstages:\n{LOCK}"
NEXT = WHOLE.replace("size: 1\n", "size: 22\n")


def test_a_lock_cut_at_any_byte_keeps_every_stage(tmp_path: Path) -> None:
    path = tmp_path / "dvc.lock"
    for length in range(0, len(NEXT), 7):
        path.write_text(WHOLE)
        repair.repair(tmp_path)
        repair.begin(tmp_path)
        path.write_text(NEXT[:length])
        repair.repair(tmp_path)
        parsed = repair._parse("dvc.lock", path.read_bytes())
        assert parsed is not None, length
        assert set(parsed["stages"]) == {"first", "second", "third"}, length


@pytest.mark.parametrize("broken", [b"", b"\0" * 90, b"schema: '2.0'\nstages:\n  a:\n", b"\xff\n"])
def test_a_broken_lock_is_repaired_by_whoever_looks(
    stage: Callable[[str], None], repository: Path, broken: bytes
) -> None:
    stage("pass")
    dvc.write("repro", "--single-item", "work")
    whole = (repository / "dvc.lock").read_bytes()
    (repository / "dvc.lock").write_bytes(broken)
    assert dvc.status() == {}
    assert (repository / "dvc.lock").read_bytes() == whole
    assert "dvc.lock was cut short" in repair.history(repository)[-1]["what"]


def test_without_a_copy_git_has_the_last_whole_record(repository: Path) -> None:
    (repository / "dvc.lock").write_text(WHOLE)
    for command in (["git", "add", "dvc.lock"], ["git", "commit", "-qm", "A lock"]):
        subprocess.run(command, check=True, capture_output=True)
    (repository / "dvc.lock").write_text(WHOLE[:40])
    assert "git's last commit" in repair.repair(repository)[0]
    assert (repository / "dvc.lock").read_text() == WHOLE


def test_a_merge_that_is_not_finished_is_the_users(tmp_path: Path) -> None:
    text = f"<<<<<<< HEAD\n{WHOLE}=======\n{NEXT}>>>>>>> other\n"
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(BadInput, match=r"--ours dvc\.lock"):
        repair.repair(tmp_path)
    assert (tmp_path / "dvc.lock").read_text() == text


@pytest.mark.parametrize(
    "content",
    ["", '{"write": {"x"', "[]", "null", '{"read": {"x": 5}}', "\0\0",
     json.dumps({"write": {"/x": {"pid": 1, "cmd": "dvc repro"}}})],
)  # fmt: skip
def test_a_broken_or_outdated_list_of_readers_is_repaired_by_whoever_looks(
    stage: Callable[[str], None], repository: Path, content: str
) -> None:
    stage("pass")
    dvc.write("repro", "--single-item", "work")
    (repository / ".dvc/tmp/rwlock").write_text(content)
    assert dvc.status() == {}


def test_a_look_says_what_runs_and_waits_for_nobody(repository: Path) -> None:
    home = repository / ".thorax"
    step = hold(home / "dvc.lock", "dvc repro --single-item training")
    with hold(home / "retraining.lock", "retraining"), step:
        assert [line.partition(" (")[0] for line in running.describe(repository)] == [
            "retraining", "dvc repro --single-item training",
        ]  # fmt: skip
        with pytest.raises(dvc.Busy, match=r"training .*since .* is running"):
            dvc.status()
    assert running.describe(repository) == []
