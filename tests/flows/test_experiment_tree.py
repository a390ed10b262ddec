"""Worktrees of runs, in a real git and DVC repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows import experiment_tree
from thorax.errors import BadInput


def git(where: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=where, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one committed data version in DVC's cache, linked as ours links."""
    root = tmp_path_factory.mktemp("prepared") / "checkout"
    (root / "data").mkdir(parents=True)
    (root / "data/entries.csv").write_text("image\n")
    (root / "code.py").write_text("print('committed')\n")
    (root / "params.yaml").write_text("{}\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".gitignore").write_text("/data\n/.thorax\n/artifacts\n")
    git(root, "init", "-q")
    git(root, "config", "user.name", "A Tester")
    git(root, "config", "user.email", "tester@example.org")
    for arguments in (["init", "-q"], ["config", "cache.type", "hardlink,copy"], ["add", "data"]):
        command = [sys.executable, "-m", "dvc", *arguments]
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Begin")
    return root


@pytest.fixture
def checkout(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    root = tmp_path / "checkout"
    shutil.copytree(prepared, root)
    monkeypatch.setenv("THORAX_ROOT", str(root))
    return root


def run_commit(checkout: Path, **params: object) -> str:
    code = experiment_tree.snapshot(checkout)
    return experiment_tree.commit(checkout, code, params, run="mine/one")


def test_a_runs_commit_has_uncommitted_and_new_files_and_moves_nothing(checkout: Path) -> None:
    (checkout / "code.py").write_text("print('dirty')\n")
    (checkout / "new.py").write_text("print('new')\n")
    before = (git(checkout, "rev-parse", "HEAD"), git(checkout, "status", "--porcelain"))
    made = run_commit(checkout, a=1)
    assert git(checkout, "show", f"{made}:code.py") == "print('dirty')"
    assert git(checkout, "show", f"{made}:new.py") == "print('new')"
    assert git(checkout, "show", f"{made}:params.yaml") == "a: 1"
    assert not git(checkout, "ls-tree", made, "data")
    assert (git(checkout, "rev-parse", "HEAD"), git(checkout, "status", "--porcelain")) == before
    assert (checkout / "params.yaml").read_text() == "{}\n"
    assert git(checkout, "rev-parse", "refs/thorax/experiments/mine/one") == made


def test_the_same_content_is_the_same_commit_and_other_params_are_another(checkout: Path) -> None:
    first = run_commit(checkout, a=1)
    assert run_commit(checkout, a=1) == first
    assert run_commit(checkout, a=2) != first


def test_a_worktree_has_the_data_by_links_and_its_own_params(checkout: Path) -> None:
    tree = checkout / ".thorax/experiments/mine/one/tree"
    experiment_tree.place(checkout, tree, run_commit(checkout, a=1))
    assert (tree / "params.yaml").read_text() == "a: 1\n"
    cached = [path for path in (checkout / ".dvc/cache/files").rglob("*") if path.is_file()]
    assert any((tree / "data/entries.csv").samefile(path) for path in cached)


def test_a_worktree_that_is_brought_to_another_commit_keeps_artifacts_state_and_dvcs_record(
    checkout: Path,
) -> None:
    tree = checkout / ".thorax/experiments/mine/one/tree"
    experiment_tree.place(checkout, tree, run_commit(checkout, a=1))
    kept = {"artifacts/training/model.json": "{}", ".thorax/state/progress": "3",
            "dvc.lock": "schema: '2.0'\nstages: {}\n"}  # fmt: skip
    for name, text in kept.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (checkout / "code.py").write_text("print('changed')\n")
    (tree / "dvc.yaml").write_text("edited: in the tree, and so not what is run\n")
    experiment_tree.place(checkout, tree, run_commit(checkout, a=2))
    assert (tree / "code.py").read_text() == "print('changed')\n"
    assert (tree / "dvc.yaml").read_text() == "stages: {}\n"
    assert (tree / "params.yaml").read_text() == "a: 2\n"
    assert {name: (tree / name).read_text() for name in kept} == kept


@pytest.mark.parametrize("left", ["nothing but a folder", "no .git", "a lock of git's"])
def test_what_a_kill_left_of_a_worktree_is_mended(checkout: Path, left: str) -> None:
    tree = checkout / ".thorax/experiments/mine/one/tree"
    if left == "nothing but a folder":
        tree.mkdir(parents=True)
        (tree / "half").write_text("")
    else:
        experiment_tree.place(checkout, tree, run_commit(checkout, a=1))
    if left == "no .git":
        (tree / ".git").unlink()
    if left == "a lock of git's":
        Path(git(tree, "rev-parse", "--git-path", "index.lock")).write_text("")
    experiment_tree.place(checkout, tree, run_commit(checkout, a=2))
    assert (tree / "params.yaml").read_text() == "a: 2\n"
    assert (tree / "data/entries.csv").exists()


def test_data_that_no_cache_holds_are_named_with_what_to_do(checkout: Path) -> None:
    for path in (checkout / ".dvc/cache").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(BadInput, match=r"not in DVC's cache.*dvc fetch"):
        tree = checkout / ".thorax/experiments/mine/one/tree"
        experiment_tree.place(checkout, tree, run_commit(checkout, a=1))


def test_removing_leaves_the_commit_and_no_trace_in_git(checkout: Path) -> None:
    tree = checkout / ".thorax/experiments/mine/one/tree"
    made = run_commit(checkout, a=1)
    experiment_tree.place(checkout, tree, made)
    (tree / "artifacts").mkdir()
    assert experiment_tree.remove(checkout, tree)
    assert not tree.exists()
    assert str(tree) not in git(checkout, "worktree", "list")
    assert git(checkout, "show", f"{made}:params.yaml") == "a: 1"
    assert (checkout / "data/entries.csv").exists()
    assert not experiment_tree.remove(checkout, tree)
