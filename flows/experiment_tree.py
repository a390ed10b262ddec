"""The git worktrees in which runs happen: a commit of what is run, checked out by itself.

A run's commit is the checkout as it lies there, uncommitted changes and new files with it, and the
run's params.yaml. It is made beside the branch, which moves nowhere, and kept by a ref
`refs/thorax/experiments/EXPERIMENT/RUN`; the same content gives the same commit. The tree shares
DVC's cache, so `data/` is there by hard links (`cache.type`), and the pixels of all worktrees.
"""

import configparser
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from flows import dvc
from flows.experiment_definition import to_yaml
from thorax import artifacts
from thorax.errors import BadInput

REFS = "refs/thorax/experiments"


def snapshot(root: Path) -> str:
    """The git tree of the checkout as it lies there, ignored files left out."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        own = Path(_git(root, "rev-parse", "--path-format=absolute", "--git-path", "index"))
        if own.exists():  # its file times spare git from reading every file
            shutil.copy2(own, index)
        _git(root, "add", "--all", ".", index=index)
        return _git(root, "write-tree", index=index)


def commit(root: Path, tree: str, params: dict[str, object], *, run: str) -> str:
    """The commit of `tree` with the run's params.yaml in it.

    Args:
        root: the checkout.
        tree: what `snapshot` gave.
        params: the whole content of the run's params.yaml.
        run: `EXPERIMENT/RUN`, under which the commit is kept.
    """
    text = to_yaml(params)
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "index")
        _git(root, "read-tree", tree, index=index)
        blob = _git(root, "hash-object", "-w", "--stdin", stdin=text)
        _git(root, "update-index", "--cacheinfo", f"100644,{blob},params.yaml", index=index)
        whole = _git(root, "write-tree", index=index)
    made = _git(root, "commit-tree", whole, "-p", "HEAD", "-m", f"Run {run}", stamp=_date(root))
    _git(root, "update-ref", f"{REFS}/{run}", made)
    return made


def place(root: Path, tree: Path, revision: str) -> None:
    """Bring the worktree `tree` to the commit `revision` with its data; its artifacts stay."""
    if not _is_worktree(root, tree):
        shutil.rmtree(tree, ignore_errors=True)
        _git(root, "worktree", "prune")
        tree.parent.mkdir(parents=True, exist_ok=True)
        _git(root, "worktree", "add", "--quiet", "--detach", str(tree), revision)
    elif _git(tree, "rev-parse", "HEAD") != revision or _is_dirty(tree):
        _bring_to(tree, revision)
    _share_cache(root, tree)
    if not dvc.try_write("checkout", "--quiet", "data.dvc", root=tree):
        raise BadInput(
            "the data version of data.dvc is not in DVC's cache: run `dvc add data` where data/ "
            "is, or `dvc fetch data.dvc`"
        )


def remove(root: Path, tree: Path) -> bool:
    """Remove a worktree with all that lies in it; False when there is none."""
    if not tree.exists():
        return False
    if _is_worktree(root, tree):
        _git(root, "worktree", "remove", "--force", str(tree))
    shutil.rmtree(tree, ignore_errors=True)
    _git(root, "worktree", "prune")
    return True


def _bring_to(tree: Path, revision: str) -> None:
    """Check out `revision`; DVC's record of what the tree has run so far stays."""
    Path(_git(tree, "rev-parse", "--path-format=absolute", "--git-path", "index.lock")).unlink(
        missing_ok=True  # of a git that was killed: the experiment's lock is ours
    )
    record = tree / "dvc.lock"
    before = record.read_text() if record.exists() else None
    _git(tree, "checkout", "--quiet", "--force", "--detach", revision)
    if before is not None:
        artifacts.write_text(record, before)


def _is_dirty(tree: Path) -> bool:
    changed = _git(tree, "status", "--porcelain", "--untracked-files=no").splitlines()
    return any(not line.endswith("dvc.lock") for line in changed)


def _is_worktree(root: Path, tree: Path) -> bool:
    """Whether `tree` is whole and one of ours: a killed `git worktree add` leaves half of one."""
    if not (tree / ".git").is_file() or not (tree / "dvc.yaml").is_file():
        return False
    _git(root, "worktree", "repair", str(tree))  # the checkout may have been moved
    answer = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", "HEAD"],
        cwd=tree, capture_output=True, check=False,
    )  # fmt: skip
    return answer.returncode == 0


def _share_cache(root: Path, tree: Path) -> None:
    """Let the tree's DVC use the checkout's cache, and its private settings where it has some."""
    own = tree / ".dvc" / "config.local"
    if own.exists():
        return
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(root / ".dvc" / "config.local")
    if not settings.has_section("cache"):
        settings.add_section("cache")
    settings["cache"]["dir"] = _cache_of(root)
    with artifacts.atomic_file(own) as temporary, temporary.open("w") as file:
        settings.write(file)


@cache
def _cache_of(root: Path) -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "dvc", "cache", "dir"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return answer.stdout.strip()


def _date(root: Path) -> str:
    return _git(root, "log", "-1", "--format=%cI", "HEAD")


def _git(
    where: Path, *arguments: str, index: Path | None = None, stdin: str | None = None,
    stamp: str | None = None,
) -> str:  # fmt: skip
    """What git says, stripped; a failure is a `BadInput` with git's own reason."""
    environment = {**os.environ, **({"GIT_INDEX_FILE": str(index)} if index else {})}
    for role in ("AUTHOR", "COMMITTER") if stamp else ():
        environment |= {
            f"GIT_{role}_NAME": "Thorax",
            f"GIT_{role}_EMAIL": "thorax@localhost",
            f"GIT_{role}_DATE": str(stamp),
        }
    answer = subprocess.run(
        ["git", *arguments], cwd=where, env=environment, input=stdin, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        raise BadInput(f"git {arguments[0]}: {(answer.stderr or answer.stdout).strip()}")
    return answer.stdout.strip()
