"""Makes the next version of `data/` without a patient: whole or not at all, as a pull does.

Only archives that hold one of their images are packed again, under new numbers; every other one is
linked as it is. Does not call DVC, and leaves the last version where DVC keeps it.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput, Refused
from thorax.locks import hold
from thorax.sources import tombstones, version, without
from thorax.sources.layout import COLUMNS, Content
from thorax.sources.listing import member_names, members
from thorax.sources.packing import OURS, ArchiveFacts, Packed, Packer
from thorax.sources.pull import clear_leftovers
from thorax.sources.request import free_bytes, need_space
from thorax.sources.tombstones import Tombstone
from thorax.sources.without import Gone


@dataclass(frozen=True)
class Removal:
    """What a removal did: who and what left, and which archives took the place of which."""

    gone: Gone
    packed_again: tuple[str, ...]
    new: tuple[str, ...]
    untouched: tuple[str, ...]


def read_tables(data: Path) -> dict[str, pd.DataFrame]:
    """Every table of `data/`, cells as text."""
    return {name: artifacts.read_csv(data / f"{name}.csv", COLUMNS[name]) for name in COLUMNS}


def check(data: Path, patient: str) -> None:
    """Raise what `remove` would raise, before anything is written.

    Raises:
        BadInput: `data/` is not what its `source.json` says.
        Refused: they are the last patient.
    """
    _refuse_broken(data)
    tables = read_tables(data)
    _refuse_last(without.drop(tables, without.find(tables, [patient])))


def remove(
    data: Path, patient: str, *, stones: list[Tombstone], per_archive: int, home: Path
) -> Removal:
    """Replace `data/` by a version without `patient`; as it was when they are not in it.

    Args:
        data: the folder to replace.
        patient: the id as in `entries.csv`.
        stones: every tombstone, theirs included; `source.json` names those of its source.
        per_archive: images to a new archive.
        home: the machine's own folder: the lock of pulls, listings.

    Raises:
        BadInput: `data/` is not what its `source.json` says.
        Refused: they are the last patient.
    """
    with hold(home / "pull.lock", "removal of a patient"):
        clear_leftovers(data)
        _refuse_broken(data)
        before = version.read_identity(data)
        tables = read_tables(data)
        gone = without.find(tables, [patient])
        if not gone.patients:
            return Removal(gone, (), (), tuple(before["archives"]))
        left = without.drop(tables, gone)
        _refuse_last(left)
        hit = [
            name for name in before["archives"] if _names(data, name, before, home) & gone.images
        ]
        need = sum(before["archives"][name]["bytes"] for name in hit)
        need_space(need, data.parent, free_bytes, purpose="removal")
        return _write(data, left, gone, hit, stones=stones, per_archive=per_archive)


def _write(
    data: Path,
    left: dict[str, pd.DataFrame],
    gone: Gone,
    hit: list[str],
    *,
    stones: list[Tombstone],
    per_archive: int,
) -> Removal:
    before = version.read_identity(data)
    untouched = [name for name in before["archives"] if name not in hit]
    with artifacts.atomic_folder(data) as folder:
        (folder / "images").mkdir()
        kept = [_keep(data, folder, name, before) for name in untouched]
        new = _pack_again(data, folder, hit, gone, first=_next(before), per_archive=per_archive)
        own = {key: value for key, value in before.items() if key not in ("archives", "tables")}
        applied = tombstones.hashes(stones, str(before["source"]))
        content = Content({**own, "forgotten": applied}, left, iter(()), 0)
        version.write_tables(content, folder)
        identity = version.describe(content, [*kept, *new], folder)
        artifacts.write_json(folder / "source.json", identity)
    names = tuple(f"images/{facts.path.name}" for facts in new)
    return Removal(gone, tuple(hit), names, tuple(untouched))


def _keep(data: Path, folder: Path, name: str, before: version.Identity) -> ArchiveFacts:
    version.link_or_copy(data / name, folder / name)
    facts = before["archives"][name]
    return ArchiveFacts(folder / name, facts["sha256"], facts["bytes"], facts["images"])


def _pack_again(
    data: Path, folder: Path, hit: list[str], gone: Gone, *, first: int, per_archive: int
) -> list[ArchiveFacts]:
    packer = Packer(folder / "images", per_archive)
    for archive in hit:
        for name, image in members(data / archive):
            if name not in gone.images:
                packer.add(name, image)
    return packer.finish(first)


def _next(before: version.Identity) -> int:
    """The first number that no archive of ours has had: a name never comes to mean other bytes."""
    ours = (OURS.fullmatch(Path(name).name) for name in before["archives"])
    return 1 + max((int(match[1]) for match in ours if match), default=0)


def _names(data: Path, name: str, before: version.Identity, home: Path) -> set[str]:
    path = data / name
    if OURS.fullmatch(path.name):
        return set(Packed.open(path.parent, {path.name}).places)
    return set(member_names(path, before["archives"][name]["sha256"], home))


def _refuse_broken(data: Path) -> None:
    if not version.is_whole(version.read_identity(data), data):
        raise BadInput(
            f"{data} is not what its source.json says: pull again, or `dvc checkout data.dvc`"
        )


def _refuse_last(left: dict[str, pd.DataFrame]) -> None:
    if left["entries"].empty and left["reports"].empty:
        raise Refused(
            "this is the last patient of the data: nothing would be left. Remove data/ and "
            "data.dvc instead, or pull other data"
        )
