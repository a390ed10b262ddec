"""What a retraining leaves in git: one commit of `dvc.lock` and what belongs to it, and a tag.

Commits those files alone, as they are in the working tree; what else is staged or modified stays
as it is. A checkout that cannot be committed to is a reason in one line, never an error: the run
counts.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows import data_history, versions
from thorax import artifacts
from thorax.release import provenance

LOCK: Final = "dvc.lock"
TAG_PREFIX: Final = "release/"
_IN_PROGRESS: Final = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
}


@dataclass(frozen=True)
class Committed:
    """What came of it: a commit (empty when there was nothing new), a tag, or why there is none."""

    commit: str = ""
    tag: str = ""
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"not committed: {self.problem}"
        made = f"committed as {self.commit}" if self.commit else "nothing new to commit"
        return made + (f", tagged {self.tag}" if self.tag else "")


def commit(ending: str) -> Committed:
    """Commit what a retraining changed, and tag the release that came of it.

    The tag is `release/thorax-VERSION`, on the first commit whose `dvc.lock` is the one that the
    release was built from. Twice changes nothing.

    Args:
        ending: how the run ended, such as `released thorax:...`: the commit's subject.
    """
    root = artifacts.root()
    if _git(root, "rev-parse", "--git-dir").returncode != 0:
        return Committed(problem="this folder is not a git repository: `git init`, then commit")
    changed, tag = _changed(root), _missing_tag(root)
    if not changed and not tag:
        return Committed()
    if problem := _problem(root):
        return Committed(problem=problem)
    made = ""
    if changed:
        _git(root, "add", "--intent-to-add", "--", *changed)
        message = f"Retrain: {ending}\n\n{_verdicts(root)}"
        answer = _git(root, "commit", "--quiet", "-m", message, "--only", "--", *changed)
        if answer.returncode != 0:
            return Committed(problem=_reason(answer))
        made = _git(root, "rev-parse", "--short", "HEAD").stdout.strip()
    if tag:
        answer = _git(root, "tag", "-a", "-m", f"Release {tag.removeprefix(TAG_PREFIX)}", tag)
        if answer.returncode != 0:
            return Committed(made, problem=_reason(answer))
    return Committed(made, tag)


def current_release(root: Path) -> str:
    """The bento's tag in `artifacts/release/`; empty without one that the gate passes."""
    manifest, decision = (
        root / "artifacts/release/manifest.json",
        root / "artifacts/gate/decision.json",
    )
    if not manifest.is_file() or not decision.is_file():
        return ""
    passed = artifacts.read_json(decision).get("verdict") == "pass"
    return str(artifacts.read_json(manifest)["tag"]) if passed else ""


def _missing_tag(root: Path) -> str:
    """The git tag that the current release lacks; empty when `dvc.lock` is not its own."""
    release = current_release(root)
    if not release:
        return ""
    labels = artifacts.read_json(root / "artifacts/release/manifest.json")["labels"]
    name = f"{TAG_PREFIX}{release.replace(':', '-')}"
    exists = _git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/{name}").returncode == 0
    is_own = labels.get("lock") == provenance.lock_digest(root / LOCK)
    return name if is_own and not exists else ""


def _verdicts(root: Path) -> str:
    """The body of a commit: the data, and what the verdicts on data and candidate are."""
    lines = [f"data: {versions.current()}"]
    for name, file in (("label quality", "validation/verdict"), ("gate", "gate/decision")):
        path = root / f"artifacts/{file}.json"
        if path.is_file():
            lines.append(f"{name}: {artifacts.read_json(path).get('verdict')}")
    return "\n".join(lines)


def _changed(root: Path) -> list[str]:
    """Of the files that a retraining writes and git may hold, those that HEAD has otherwise."""
    known = _git(root, "ls-files", "--", "artifacts").stdout.splitlines()
    names = [LOCK, versions.FILE, data_history.FILE, *known]
    listed = _git(root, "status", "--porcelain", "-z", "--", *names).stdout
    return [entry[3:] for entry in listed.split("\0") if entry and (root / entry[3:]).exists()]


def _problem(root: Path) -> str:
    for name, what in _IN_PROGRESS.items():
        if (root / _git(root, "rev-parse", "--git-path", name).stdout.strip()).exists():
            return f"{what} is in progress: finish it, then `thorax retrain --commit`"
    if _git(root, "symbolic-ref", "--quiet", "HEAD").returncode != 0:
        return "HEAD is detached, on no branch: `git switch BRANCH`, then `thorax retrain --commit`"
    if _git(root, "var", "GIT_COMMITTER_IDENT").returncode != 0:
        return (
            "git does not know who commits: `git config user.name NAME` and "
            "`git config user.email ADDRESS`, then `thorax retrain --commit`"
        )
    return ""


def _reason(answer: "subprocess.CompletedProcess[str]") -> str:
    lines = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
    return f"git: {' '.join(lines[-2:]) or f'exit status {answer.returncode}'}"


def _git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run git without a terminal: a schedule has nobody who answers a question."""
    return subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
