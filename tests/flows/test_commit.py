"""What a retraining commits, what it leaves alone, and what it says where it cannot commit."""

import subprocess
from pathlib import Path

import pytest
import yaml

from flows import commit as commits
from thorax import artifacts
from thorax.release import provenance


def git(root: Path, *arguments: str) -> str:
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def write_lock(root: Path, **stages: str) -> None:
    entries = {name: {"outs": [{"md5": md5}]} for name, md5 in stages.items()}
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": entries}))


@pytest.fixture
def released(repository: Path) -> Path:
    """A checkout whose HEAD has an earlier lock, and that has released meanwhile."""
    write_lock(repository, training="a")
    (repository / "notes.txt").write_text("one\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Earlier")
    write_lock(repository, training="b")
    lock = provenance.lock_digest(repository / "dvc.lock")
    folder = repository / "artifacts"
    manifest = {"tag": "thorax:abc", "labels": {"lock": lock}}
    artifacts.write_json(folder / "release/manifest.json", manifest)
    artifacts.write_json(folder / "gate/decision.json", {"verdict": "pass"})
    artifacts.write_json(folder / "validation/verdict.json", {"verdict": "accept"})
    write_lock(repository, training="b", release="r")
    return repository


def test_the_commit_names_release_and_verdicts_and_is_tagged(released: Path) -> None:
    (released / "data.dvc").write_text("outs: [{md5: 0f.dir, path: data}]\n")
    made = commits.commit("released thorax:abc")
    assert made.problem == ""
    assert git(released, "show", "--format=", "--name-only").split() == ["data.dvc", "dvc.lock"]
    message = git(released, "log", "-1", "--format=%B")
    assert message.splitlines()[0] == "Retrain: released thorax:abc"
    for line in ("data: 0f", "label quality: accept", "gate: pass"):
        assert line in message
    assert git(released, "rev-parse", "release/thorax-abc^{commit}") == git(
        released, "rev-parse", "HEAD"
    )
    assert git(released, "status", "--porcelain") == ""


def test_a_second_commit_changes_nothing(released: Path) -> None:
    commits.commit("released thorax:abc")
    before = git(released, "for-each-ref")
    assert commits.commit("nothing changed") == commits.Committed()
    assert git(released, "for-each-ref") == before


def test_what_else_is_staged_or_modified_stays(released: Path) -> None:
    (released / "staged.txt").write_text("mine\n")
    git(released, "add", "staged.txt")
    (released / "notes.txt").write_text("two\n")
    (released / "new.txt").write_text("untracked\n")
    commits.commit("released thorax:abc")
    assert git(released, "show", "--format=", "--name-only") == "dvc.lock"
    left = sorted(line.split() for line in git(released, "status", "--porcelain").splitlines())
    assert left == [["??", "new.txt"], ["A", "staged.txt"], ["M", "notes.txt"]]


def test_metrics_that_git_tracks_are_committed_too(released: Path) -> None:
    artifacts.write_json(released / "artifacts/evaluation/metrics.json", {"auc": 0.8})
    git(released, "add", "-f", "artifacts/evaluation/metrics.json")
    git(released, "commit", "-qm", "Track metrics")
    artifacts.write_json(released / "artifacts/evaluation/metrics.json", {"auc": 0.9})
    commits.commit("released thorax:abc")
    assert "artifacts/evaluation/metrics.json" in git(released, "show", "--format=", "--name-only")


def test_a_release_of_another_lock_gets_no_tag(released: Path) -> None:
    write_lock(released, training="c", release="r")
    made = commits.commit("released thorax:abc")
    assert made.commit
    assert made.tag == ""
    assert git(released, "tag") == ""


def test_a_tag_that_is_there_stays_where_it_is(released: Path) -> None:
    git(released, "tag", "release/thorax-abc")
    first = git(released, "rev-parse", "release/thorax-abc")
    assert commits.commit("released thorax:abc").tag == ""
    assert git(released, "rev-parse", "release/thorax-abc") == first


def unknown_committer(root: Path, patch: pytest.MonkeyPatch) -> None:
    for key in ("AUTHOR", "COMMITTER"):
        patch.delenv(f"GIT_{key}_NAME", raising=False)
        patch.delenv(f"GIT_{key}_EMAIL", raising=False)
    patch.delenv("EMAIL", raising=False)
    patch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git(root, "config", "user.useConfigOnly", "true")


def detached(root: Path, _patch: pytest.MonkeyPatch) -> None:
    git(root, "checkout", "-q", "--detach")


def merging(root: Path, _patch: pytest.MonkeyPatch) -> None:
    git(root, "stash", "-q")
    git(root, "checkout", "-qb", "other")
    (root / "notes.txt").write_text("other\n")
    git(root, "commit", "-qam", "Other")
    git(root, "checkout", "-q", "-")
    git(root, "merge", "-q", "--no-ff", "--no-commit", "other")
    git(root, "checkout", "stash@{0}", "--", "dvc.lock")
    git(root, "reset", "-q", "dvc.lock")


def hooked(root: Path, _patch: pytest.MonkeyPatch) -> None:
    hook = root / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho 'no commits on Friday' >&2\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (unknown_committer, "git config user.name NAME"),
        (detached, "HEAD is detached"),
        (merging, "a merge is in progress"),
        (hooked, "no commits on Friday"),
    ],
)
def test_trouble_is_a_plain_reason_and_loses_nothing(
    trouble: object, words: str, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble(released, monkeypatch)  # type: ignore[operator]
    before, head = (released / "dvc.lock").read_bytes(), git(released, "rev-parse", "HEAD")
    made = commits.commit("released thorax:abc")
    assert words in made.problem
    assert "\n" not in made.problem
    assert str(made).startswith("not committed: ")
    assert (released / "dvc.lock").read_bytes() == before
    assert git(released, "rev-parse", "HEAD") == head


def test_a_folder_without_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write_lock(tmp_path, training="a")
    assert "not a git repository" in commits.commit("released").problem
