"""What a source offers, without the patients who were forgotten: their rows and their images.

An archive that holds one of their images is packed again without it; every other one stays as it
is. Images that no row of `entries` names belong to nobody, and stay.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput
from thorax.progress import say
from thorax.sources import tombstones
from thorax.sources.layout import Archive, Content
from thorax.sources.listing import list_all, members
from thorax.sources.tombstones import Tombstone

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Gone:
    """Who leaves, with the names of their images and reports."""

    patients: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    reports: frozenset[str] = frozenset()


def find(tables: Tables, patients: Iterable[str]) -> Gone:
    """What `tables` (columns as in `layout.COLUMNS`) have of `patients`.

    A report of somebody else's that speaks of their images alone goes with them.
    """
    patients = frozenset(patients)
    entries, reports = tables["entries"], tables["reports"]
    images = frozenset(entries.loc[entries["patient"].isin(patients), "image"])
    cells = zip(reports["report"], reports["patient"], reports["images"], strict=True)
    theirs = frozenset(
        report
        for report, patient, cell in cells
        if patient in patients or (cell and set(str(cell).split("|")) <= images)
    )
    there = patients & ({*entries["patient"]} | {*reports["patient"]})
    return Gone(there, images, theirs)


def drop(tables: Tables, gone: Gone) -> dict[str, pd.DataFrame]:
    """`tables` without the rows of those who leave."""
    left = dict(tables)
    entries, reports = tables["entries"], tables["reports"]
    left["entries"] = entries[~entries["image"].isin(gone.images)].reset_index(drop=True)
    kept = reports[~reports["report"].isin(gone.reports)].reset_index(drop=True)
    left["reports"] = kept.assign(images=[_without(cell, gone.images) for cell in kept["images"]])
    for name in ("boxes", "adjudicated", "truth"):
        about = tables[name]["image"].isin(gone.images | gone.reports)
        left[name] = tables[name][~about].reset_index(drop=True)
    return left


def honour(
    content: Content, stones: Sequence[Tombstone], *, data: Path, home: Path
) -> tuple[Content, frozenset[str]]:
    """`content` without the forgotten, and the names of images that may not be in `data/` either.

    Args:
        content: what the source offers.
        stones: every tombstone.
        data: the last good version, which may still hold them.
        home: the machine's own folder, for listings of archives.
    """
    source = str(content.identity["source"])
    if not (applied := tombstones.hashes(stones, source)):
        return content, frozenset()
    gone = find(content.tables, _forgotten(content.tables, stones, source))
    names = gone.images | _still_there(data, stones, source)
    listed = list_all([(each.path, _sha256(each)) for each in content.archives], home)
    hit = [each for each in content.archives if not names.isdisjoint(listed[each.path])]
    if gone.patients:
        say(f"forgotten patients stay out: {len(gone.patients):,}, {len(gone.images):,} images")
    left = replace(
        content,
        identity={**content.identity, "forgotten": applied},
        tables=drop(content.tables, gone),
        images=_images(content, hit, names),
        archives=[each for each in content.archives if each not in hit],
        total=content.total + sum(len(listed[each.path]) for each in hit),
        size_bytes=content.size_bytes + sum(each.path.stat().st_size for each in hit),
    )
    return left, names


def _forgotten(tables: Tables, stones: Sequence[Tombstone], source: str) -> frozenset[str]:
    patients = {*tables["entries"]["patient"], *tables["reports"]["patient"]}
    return tombstones.matching(stones, map(str, patients), source=source)


def _still_there(data: Path, stones: Sequence[Tombstone], source: str) -> frozenset[str]:
    """Their images by the last version's own table: the source may name them no more."""
    with suppress(BadInput):
        entries = artifacts.read_csv(data / "entries.csv", ("image", "patient"))
        patients = tombstones.matching(stones, entries["patient"], source=source)
        return frozenset(entries.loc[entries["patient"].isin(patients), "image"])
    return frozenset()


def _images(
    content: Content, hit: list[Archive], names: frozenset[str]
) -> Iterator[tuple[str, bytes]]:
    yield from ((name, image) for name, image in content.images if name not in names)
    seen: set[str] = set()
    for archive in hit:
        for name, image in members(archive.path):
            if name not in names and name not in seen:  # of two files of one name the first counts
                seen.add(name)
                yield name, image


def _without(cell: object, images: frozenset[str]) -> str:
    return "|".join(image for image in str(cell).split("|") if image not in images)


def _sha256(archive: Archive) -> str:
    return archive.sha256 or artifacts.sha256_file(archive.path)
