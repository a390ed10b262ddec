"""One version of `data/`: its archives, tables and `source.json`, and whether it is still whole."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from thorax import artifacts
from thorax.errors import BadInput
from thorax.sources.layout import COLUMNS, Archive, Content
from thorax.sources.packing import OURS, ArchiveFacts, Packing
from thorax.sources.tables import write_csv

Identity = dict[str, Any]


def read_identity(data: Path) -> Identity:
    """The version's `source.json`; empty when there is none or it is broken (all is made anew)."""
    try:
        identity = json.loads((data / "source.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return identity if isinstance(identity, dict) else {}


def as_written(identity: Identity) -> Identity:
    """An identity as it reads back from `source.json` (tuples become lists)."""
    written: Identity = json.loads(json.dumps(identity))
    return written


def write_tables(content: Content, folder: Path) -> None:
    """Write every table, header only where the source has no rows."""
    for name in COLUMNS:
        write_csv(folder / f"{name}.csv", content.tables[name])


def describe(content: Content, archives: list[ArchiveFacts], folder: Path) -> Identity:
    """What `source.json` says: the source's identity, and the checksum of every file."""
    return {
        **as_written(content.identity),
        "archives": {
            f"images/{facts.path.name}": {
                "sha256": facts.sha256,
                "bytes": facts.size_bytes,
                "images": facts.images,
            }
            for facts in archives
        },
        "tables": {
            f"{name}.csv": artifacts.sha256_file(folder / f"{name}.csv") for name in COLUMNS
        },
    }


def archives_of_size(identity: Identity, data: Path) -> set[str]:
    """The names of the archives that are there with the size that `identity` says."""
    archives = identity.get("archives", {}).items()
    return {Path(name).name for name, facts in archives if _has_size(data / name, facts["bytes"])}


def is_whole(identity: Identity, data: Path, *, deep: bool = False) -> bool:
    """Whether `data` still holds what `identity` says: tables by checksum, archives by size.

    Args:
        identity: what `source.json` says.
        data: the folder.
        deep: compare the archives' checksums as well.
    """
    archives, tables = identity.get("archives", {}), identity.get("tables", {})
    digests = {name: facts["sha256"] for name, facts in archives.items()} if deep else {}
    files = {path.name for path in (data / "images").glob("*")}
    return (
        bool(tables)
        and files == {Path(name).name for name in archives}
        and files == archives_of_size(identity, data)
        and all(_has_sha256(data / name, sha256) for name, sha256 in {**tables, **digests}.items())
    )


def place_packed(
    packing: Packing, before: Identity, *, data: Path, folder: Path
) -> list[ArchiveFacts]:
    """Link the archives that stay, and those of the new ones that came out as they were."""
    facts = []
    for name in packing.kept:
        link_or_copy(data / "images" / name, folder / "images" / name)
        facts.append(_facts(folder / "images" / name, before))
    for new in packing.new:
        old = data / "images" / new.path.name
        if _known(new.path.name, before) == new.sha256 and _has_size(old, new.size_bytes):
            new.path.unlink()
            link_or_copy(old, new.path)
        facts.append(new)
    return facts


def place_published(
    archive: Archive, images: int, before: Identity, *, data: Path, folder: Path, home: Path
) -> ArchiveFacts:
    """Bring a published archive into `folder` as it is.

    It is linked when it lies in the last version or among our downloads, and copied from anywhere
    else: whoever owns that file may write to it again.
    """
    name = archive.path.name
    if OURS.fullmatch(name):
        raise BadInput(f"{archive.path}: archives of packed images have such names; rename it")
    target = folder / "images" / name
    sha256 = archive.sha256 or artifacts.sha256_file(archive.path)
    old = data / "images" / name
    if _known(name, before) == sha256 and _has_size(old, archive.path.stat().st_size):
        link_or_copy(old, target)
    elif archive.path.is_relative_to(home):
        link_or_copy(archive.path, target)
    else:
        shutil.copyfile(archive.path, target)
    return ArchiveFacts(target, sha256, target.stat().st_size, images)


def copied_bytes(content: Content, before: Identity, *, data: Path, home: Path) -> int:
    """How many bytes of published archives `place_published` will copy."""
    return sum(
        archive.path.stat().st_size
        for archive in content.archives
        if not archive.path.is_relative_to(home)
        and (archive.sha256 is None or _known(archive.path.name, before) != archive.sha256)
    )


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _facts(path: Path, before: Identity) -> ArchiveFacts:
    known = before.get("archives", {})[f"images/{path.name}"]
    return ArchiveFacts(path, known["sha256"], known["bytes"], known["images"])


def _known(name: str, before: Identity) -> str | None:
    facts = before.get("archives", {}).get(f"images/{name}")
    return facts["sha256"] if facts else None


def _has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == size_bytes


def _has_sha256(path: Path, sha256: str) -> bool:
    return path.is_file() and artifacts.sha256_file(path) == sha256
