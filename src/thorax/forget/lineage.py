"""What was made from what: every run of a stage that git's history and DVC's run cache remember.

A run names its inputs and outputs by md5, so what follows from a version of the data can be told
without reading it. Calls git; reads the files that DVC keeps, and does not call it.
"""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from thorax.errors import BadInput
from thorax.forget import stores
from thorax.forget.stores import Store

LOCK, DATA = "dvc.lock", "data.dvc"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Run:
    """One run of a stage.

    Attributes:
        stage: its name.
        deps: path -> md5.
        outs: path -> md5.
        where: the commits and working trees that have it.
    """

    stage: str
    deps: Mapping[str, str]
    outs: Mapping[str, str]
    where: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A file's text as a commit or a working tree has it."""

    text: str
    where: str


def texts(root: Path, name: str, trees: Iterable[Path]) -> Iterator[Text]:
    """Every text that `name` has had, on all branches and tags, and in the working trees."""
    for tree in trees:
        if (tree / name).exists():
            where = "working tree" if tree == root else f"worktree {tree}"
            yield Text((tree / name).read_text(encoding="utf-8"), where)
    for row in git(root, "log", "--all", "--format=%H%x1f%h %as %s", "--", name).splitlines():
        commit, where = row.split("\x1f")
        shown = git(root, "show", f"{commit}:./{name}", check=False)
        if shown:
            yield Text(shown, where)


def worktrees(root: Path) -> list[Path]:
    """Every working tree of the repository, the one at `root` first."""
    listed = git(root, "worktree", "list", "--porcelain").splitlines()
    found = [Path(line.removeprefix("worktree ")) for line in listed if line[:9] == "worktree "]
    others = (tree.resolve() for tree in found if tree.is_dir())
    return [root, *sorted(tree for tree in others if tree != root)]


def runs(root: Path, trees: Iterable[Path], cache: Path) -> list[Run]:
    """Every run that is remembered, each once."""
    found: dict[tuple[str, str], Run] = {}
    for text in texts(root, LOCK, trees):
        stages = _load(text.text).get("stages") or {}
        for stage, entry in stages.items():
            _add(found, stage, entry, text.where)
    for path in sorted((cache / "runs").rglob("*")):
        if path.is_file():
            entry = _load(path.read_text(encoding="utf-8"))
            _add(found, _stage_of(str(entry.get("cmd", ""))), entry, "DVC's run cache")
    return list(found.values())


def derived(
    seeds: Iterable[str], found: Iterable[Run], kept: list[Store]
) -> tuple[frozenset[str], list[Run]]:
    """The md5 of all that was made from `seeds` (md5s), seeds included, and the runs that did."""
    objects, done, left = set(seeds), [], list(found)
    while now := [run for run in left if not objects.isdisjoint(run.deps.values())]:
        left = [run for run in left if run not in now]
        done += now
        for digest in (digest for run in now for digest in run.outs.values()):
            objects.add(digest)
            objects.update(members(kept, digest).values())
    return frozenset(objects), done


def members(kept: list[Store], digest: str) -> dict[str, str]:
    """The files of a folder by its listing; none for a file, or a listing that is nowhere."""
    return (stores.listing(kept, digest) or {}) if digest.endswith(".dir") else {}


def data_digest(text: str) -> str:
    """The md5 (with `.dir`) that a text of `data.dvc` names; empty when it names none."""
    outs = _load(text).get("outs") or [{}]
    return str(outs[0].get("md5", ""))


def git(root: Path, *arguments: str, check: bool = True) -> str:
    """What git says; empty on a failure that is not to be raised."""
    answer = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, check=False, encoding="utf-8",
        errors="replace",
    )  # fmt: skip
    if answer.returncode == 0:
        return answer.stdout
    if check:
        raise BadInput(f"git {arguments[0]}: {(answer.stderr or answer.stdout).strip()}")
    return ""


def _add(found: dict[tuple[str, str], Run], stage: str, entry: dict[str, Any], where: str) -> None:
    deps, outs = _digests(entry.get("deps")), _digests(entry.get("outs"))
    key = (stage, repr(sorted({**deps, **outs}.items())))
    run = found.get(key, Run(stage, deps, outs, ()))
    if where not in run.where:
        found[key] = replace(run, where=(*run.where, where))


def _digests(entries: list[dict[str, Any]] | None) -> dict[str, str]:
    return {str(entry["path"]): str(entry["md5"]) for entry in entries or [] if "md5" in entry}


def _stage_of(command: str) -> str:
    return command.rpartition(" ")[2].removeprefix("thorax.")


def _load(text: str) -> dict[str, Any]:
    try:
        loaded = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        return {}  # merge markers, or cut short by a kill
    return loaded if isinstance(loaded, dict) else {}
