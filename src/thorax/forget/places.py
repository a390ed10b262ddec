"""What lies on this machine outside DVC's cache: working trees, `.thorax/`, the decoded pixels.

Whatever a stage writes again is removed whole; of logs and answers of people the patient's rows.
What cannot be mended by removing a file (a database of run history, a package) is told.
"""

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from thorax import artifacts
from thorax.forget.survey import Survey, is_picture
from thorax.forget.traces import Traces

How = Literal["remove", "rows", "tell"]

FOLDER = "forget"  # of `.thorax/`: journals of erasures that are under way
_TOLD = ("prefect", "bentoml", "releases", "keys")
_PASSED_OVER = ("pixels", "state", FOLDER)  # judged by their names, or ours
_LIBRARIES = ("matplotlib", "test-env")  # what libraries keep, never data
_HASHES = "dvc"  # of `.thorax/`: DVC's memory of what it hashed, by file name; it is made again
_TABLES = (".jsonl", ".csv")


@dataclass(frozen=True)
class Place:
    """A file or folder with something of the patient, and what an erasure does with it."""

    path: Path
    kind: str
    how: How


def find(
    root: Path, trees: list[Path], found: Survey, *, stores: list[Path], whole: bool
) -> list[Place]:
    """Every place on this machine.

    Args:
        root: the checkout.
        trees: every working tree.
        found: the survey.
        stores: folders of DVC's cache and remotes, which are looked into elsewhere.
        whole: also what stages may go on from, which cannot be looked into.
    """
    places = list(_pixels(found)) if found.archives else []
    for tree in trees:
        places += _states(tree) if whole and found.traces.images else []
        if tree != root:
            places += _sweep(tree / "data", "data", found, stores, trees)
        places += _sweep(tree / "artifacts", "artifacts", found, stores, trees)
        places += _hashes(tree / ".thorax" / _HASHES, found)
        for part in sorted((tree / ".thorax").glob("*")):
            if part.name not in (*_PASSED_OVER, *_LIBRARIES, _HASHES):
                places += _sweep(part, part.name, found, stores, trees)
    return places


def clear(place: Place, traces: Traces) -> None:
    """Remove a place, or its rows; one that is only told stays."""
    if place.how == "tell":
        return
    if place.how == "rows":
        _rewrite(place.path, traces)
    elif place.path.is_dir():
        shutil.rmtree(place.path)
    else:
        place.path.unlink(missing_ok=True)


def _pixels(found: Survey) -> Iterator[Place]:
    home = artifacts.shared_home() / "pixels"
    for _, sha256 in sorted(found.archives):
        for path in sorted(home.glob(f"*{sha256[:16]}-*")) if sha256 else ():
            yield Place(path, "pixels", "remove")


def _hashes(top: Path, found: Survey) -> Iterator[Place]:
    """Folders of databases with a name in them; whole, since a database has files beside it."""
    for folder in sorted({path.parent for path in _files(top, [])}):
        if any(found.traces.in_path(path) for path in folder.iterdir() if path.is_file()):
            yield Place(folder, _HASHES, "remove")


def _states(tree: Path) -> Iterator[Place]:
    for path in sorted((tree / ".thorax/state").glob("*/*")):
        if path.is_dir():
            yield Place(path, "state", "remove")


def _sweep(
    top: Path, kind: str, found: Survey, stores: list[Path], trees: list[Path]
) -> Iterator[Place]:
    for path in _files(top, [*stores, *trees]):
        theirs = _drawn(path, kind, found) or found.traces.in_path(path)
        if theirs and not (kind == "artifacts" and _md5(path) in found.foreign):
            yield Place(path, kind, _how(path, kind))


def _files(top: Path, others: list[Path]) -> Iterator[Path]:
    if top.is_file():
        yield top
    for folder, inner, names in os.walk(top):
        inner[:] = sorted(name for name in inner if Path(folder, name) not in others)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _drawn(path: Path, kind: str, found: Survey) -> bool:
    return kind == "artifacts" and is_picture(path.name) and _md5(path) in found.pictures


def _how(path: Path, kind: str) -> How:
    if kind in _TOLD:
        return "tell"
    return "rows" if kind not in ("data", "artifacts") and path.suffix in _TABLES else "remove"


def _rewrite(path: Path, traces: Traces) -> None:
    """Write a log or table again without the patient's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            kept = [line for line in file if not traces.in_file(io.BytesIO(line.encode()))]
        else:
            kept = _other_rows(file.read(), traces)
    artifacts.write_text(path, "".join(kept))


def _other_rows(text: str, traces: Traces) -> list[str]:
    header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    head = _row(header)
    kept = [_row(row) for row in rows if row]
    return [head, *(row for row in kept if not traces.in_file(io.BytesIO((head + row).encode())))]


def _row(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
