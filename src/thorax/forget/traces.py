"""Tells whether a file still has something of a patient: by names, ids, and digests of images.

Archives are judged by their members, tables by their columns, everything else by the bytes of names
that can hardly mean anything else. A picture drawn from an image and named otherwise is not
recognised here; whoever knows which stage drew it must say so.
"""

import csv
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from thorax.sources.listing import is_image

_PIECE_BYTES = 1 << 20
_OVERLAP_BYTES = 512  # longer than a name
_DISTINCTIVE = 6  # characters from which on an id with a digit is looked for in any text
_LOOKED_INTO_BYTES = 4 << 20  # members of an archive that are no images
_COLUMNS = ("patient", "image", "report", "images")


@dataclass(frozen=True)
class Traces:
    """What a patient is known by.

    Attributes:
        patients: their id.
        images: names of their images.
        reports: names of their reports.
        digests: sha256 of their images' bytes.
        sizes: those images' sizes in bytes, which spare hashing of everything else.
    """

    patients: frozenset[str]
    images: frozenset[str]
    reports: frozenset[str]
    digests: frozenset[str] = frozenset()
    sizes: frozenset[int] = frozenset()

    def __or__(self, other: "Traces") -> "Traces":
        return Traces(*(getattr(self, name) | getattr(other, name) for name in _FIELDS))

    def in_file(self, file: BinaryIO) -> bool:
        """Whether a file, opened for reading bytes, has something of the patient."""
        start = file.read(512)
        file.seek(0)
        if start[:4] == b"PAR1":
            return self._in_parquet(file)
        if start[257:262] == b"ustar" or start[:6] in _PACKED or start[:2] == b"\x1f\x8b":
            with _untarred(file) as archive:
                if archive is not None:
                    return any(self._in_member(archive, member) for member in archive)
            file.seek(0)
        return self._is_image(file) or self._in_csv(file) or self.in_text(file)

    def members_of(self, file: BinaryIO) -> "Traces":
        """Digests and sizes of the patient's images in an archive; empty when it has none."""
        digests, sizes = set(), set()
        with _untarred(file) as archive:
            for member in archive or ():
                theirs = member.isfile() and PurePosixPath(member.name).name in self.images
                content = archive.extractfile(member) if archive and theirs else None
                if content is not None:
                    digests.add(_sha256(content.read()))
                    sizes.add(member.size)
        nothing: frozenset[str] = frozenset()
        return Traces(nothing, nothing, nothing, frozenset(digests), frozenset(sizes))

    def in_path(self, path: Path) -> bool:
        """Whether a file has something of the patient, or is named after it."""
        if self.names(path.name):
            return True
        with path.open("rb") as file:
            return self.in_file(file)

    def names(self, name: str) -> bool:
        """Whether a file's name is made of the name of an image or report of theirs."""
        return self._pattern.search(name.encode()) is not None

    def in_text(self, file: BinaryIO) -> bool:
        """Whether the bytes name an image, or a report or id that is long enough to be sure."""
        before = b""
        while piece := file.read(_PIECE_BYTES):
            if self._pattern.search(before + piece):
                return True
            before = piece[-_OVERLAP_BYTES:]
        return False

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        stems = {PurePosixPath(image).stem for image in self.images}
        loose = {name for name in stems | self.reports | self.patients if _is_distinctive(name)}
        names = sorted(self.images | loose, key=len, reverse=True)
        choice = b"|".join(re.escape(name.encode()) for name in names) or rb"(?!)"
        return re.compile(rb"(?<![A-Za-z0-9_])(?:" + choice + rb")(?![A-Za-z0-9])")

    def _in_member(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
        name = PurePosixPath(member.name).name
        if not member.isfile():
            return False
        if name in self.images:
            return True
        small = not is_image(name) and member.size <= _LOOKED_INTO_BYTES
        if member.size not in self.sizes and not small:
            return False
        content = archive.extractfile(member)
        read = content.read() if content else b""
        return _sha256(read) in self.digests or (small and self.in_text(io.BytesIO(read)))

    def _is_image(self, file: BinaryIO) -> bool:
        file.seek(0, io.SEEK_END)
        size = file.tell()
        file.seek(0)
        if size not in self.sizes:
            return False
        found = _sha256(file.read()) in self.digests
        file.seek(0)
        return found

    def _in_parquet(self, file: BinaryIO) -> bool:
        try:
            table = pq.ParquetFile(file)
            columns = [name for name in _COLUMNS if name in table.schema_arrow.names]
            return any(
                self._has(name, cell)
                for name in columns
                for cell in table.read([name]).column(0).unique().to_pylist()
            )
        except (pa.ArrowException, OSError):
            file.seek(0)
            return self.in_text(file)

    def _in_csv(self, file: BinaryIO) -> bool:
        """By columns, where the first line names some of ours; ids too short for a search count."""
        head = file.readline(10_000)
        file.seek(0)
        header = head.decode("utf-8", "replace").strip().split(",")
        columns = [(place, name) for place, name in enumerate(header) if name in _COLUMNS]
        if not columns:
            return False
        text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        try:
            return any(
                len(row) > place and self._has(name, row[place])
                for row in csv.reader(text)
                for place, name in columns
            )
        except csv.Error:
            return False
        finally:
            text.detach()
            file.seek(0)

    def _has(self, column: str, cell: object) -> bool:
        if column == "images":
            return not self.images.isdisjoint(str(cell).split("|"))
        return cell in self._cells[column]

    @cached_property
    def _cells(self) -> dict[str, frozenset[str]]:
        # `image` may name a report in tables of labels, as `adjudicated.csv` does.
        images = self.images | self.reports
        return {"patient": self.patients, "image": images, "report": self.reports}


_FIELDS = ("patients", "images", "reports", "digests", "sizes")
_PACKED = (b"\xfd7zXZ\x00",)


@contextmanager
def _untarred(file: BinaryIO) -> Iterator[tarfile.TarFile | None]:
    """The archive in a file, or None when it is none."""
    try:
        archive = tarfile.open(fileobj=file, mode="r:*")  # noqa: SIM115 (closed below)
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        yield None
        return
    with archive:
        yield archive


def _is_distinctive(name: str) -> bool:
    """Whether a name is long enough to mean nothing else in a text; a bare number is not."""
    return len(name) >= _DISTINCTIVE and not name.isdigit() and any(map(str.isdigit, name))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
