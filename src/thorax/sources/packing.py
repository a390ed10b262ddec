"""Loose images in append-only tar archives, about a thousand to an archive.

An archive, once written, never changes: what a later pull brings goes into new archives. Nothing in
an archive tells when or by whom it was packed, so the same images give the same bytes.
Does not decode: an empty or broken file is packed as it is.
"""

import re
import tarfile
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from thorax import artifacts
from thorax.errors import BadInput
from thorax.sources.door import check_name

OURS = re.compile(r"(\d{4,})\.tar")


@dataclass(frozen=True)
class ArchiveFacts:
    """What `source.json` says of one archive: its file, contents and checksum."""

    path: Path
    sha256: str
    size_bytes: int
    images: int


@dataclass(frozen=True)
class Place:
    """Where a packed image lies: bytes [offset, offset + size) of an archive."""

    archive: str
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class Packed:
    """The images that earlier pulls packed into `folder`, by name."""

    folder: Path
    places: dict[str, Place] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, archives: set[str]) -> "Packed":
        """Index those of the named `archives` that are ours; a broken one counts as not there."""
        packed = cls(folder)
        for name in sorted(archives):
            if OURS.fullmatch(name):
                packed.places.update(_index(folder / name))
        return packed

    def read(self, name: str) -> bytes | None:
        """The bytes of a packed image; None when it is not packed."""
        place = self.places.get(name)
        if place is None:
            return None
        with (self.folder / place.archive).open("rb") as file:
            file.seek(place.offset)
            return file.read(place.size_bytes)

    def has(self, name: str, size_bytes: int) -> bool:
        """Whether an image of this name and size is packed."""
        place = self.places.get(name)
        return place is not None and place.size_bytes == size_bytes


def _index(path: Path) -> dict[str, Place]:
    try:
        with tarfile.open(path) as archive:
            return {
                member.name: Place(path.name, member.offset_data, member.size) for member in archive
            }
    except (tarfile.TarError, OSError):
        return {}


class Packer:
    """Writes images into archives of `per_archive` in `folder`, numbered in the end."""

    def __init__(self, folder: Path, per_archive: int) -> None:
        self._folder = folder
        self._per_archive = per_archive
        self._archive: tarfile.TarFile | None = None
        self._in_archive = 0
        self._written: list[tuple[Path, int]] = []

    def add(self, name: str, content: bytes) -> None:
        """Append one image."""
        if self._archive is None:
            path = self._folder / f"{len(self._written):04d}.packing"
            self._archive = tarfile.open(path, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
        member = tarfile.TarInfo(name)  # its defaults: no time, owner 0, mode 0644
        member.size = len(content)
        self._archive.addfile(member, BytesIO(content))
        self._in_archive += 1
        if self._in_archive >= self._per_archive:
            self._close_archive()

    def finish(self, first_number: int) -> list[ArchiveFacts]:
        """Close, and name the archives from `first_number` on."""
        self._close_archive()
        done = []
        for number, (path, images) in enumerate(self._written, first_number):
            final = path.rename(self._folder / f"{number:04d}.tar")
            done.append(
                ArchiveFacts(final, artifacts.sha256_file(final), final.stat().st_size, images)
            )
        return done

    def _close_archive(self) -> None:
        if self._archive is None:
            return
        self._written.append((Path(str(self._archive.name)), self._in_archive))
        self._archive.close()
        self._archive, self._in_archive = None, 0


@dataclass(frozen=True)
class Packing:
    """The outcome of packing: archives that stay, new ones, and the names of all images."""

    kept: list[str]
    new: list[ArchiveFacts]
    names: set[str]
    new_images: int


def pack(
    images: Iterator[tuple[str, bytes]],
    packed: Packed,
    *,
    folder: Path,
    per_archive: int,
    rows: Set[str],
    gone: Set[str] = frozenset(),
) -> Packing:
    """Pack what `packed` does not hold already into new archives in `folder`.

    An earlier archive stays while it holds an image that is still wanted, none that changed, none
    that must go (`gone`), and none that the source took away while its row in the table of entries
    (`rows`) stayed.
    The unchanged images of one that cannot stay are packed again.
    """
    packer = Packer(folder, per_archive)
    names: set[str] = set()
    changed: set[str] = set()
    unchanged: dict[str, list[str]] = {}
    new_images = 0
    for name, content in images:
        check_name(name, "packing")
        if name in names:
            raise BadInput(f"image {name!r} is there twice: give the two files different names")
        names.add(name)
        place = packed.places.get(name)
        if place is not None and packed.read(name) == content:
            unchanged.setdefault(place.archive, []).append(name)
            continue
        if place is not None:
            changed.add(place.archive)
        packer.add(name, content)
        new_images += 1
    taken = (rows - names) | gone
    changed.update(packed.places[name].archive for name in packed.places.keys() & taken)
    for archive in sorted(changed):
        for name in unchanged.pop(archive, []):
            packer.add(name, packed.read(name) or b"")
    kept = sorted(unchanged)
    first = 1 + max((int(Path(archive).stem) for archive in kept), default=0)
    return Packing(kept, packer.finish(first), names, new_images)
