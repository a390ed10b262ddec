"""The files of a tar archive, from front to back, and whether it is whole.

Python's tarfile takes an archive that was cut off between two files for a whole one; here the
blocks of zeros that end every tar archive must have come. Reads gzip, bzip2, xz and plain archives.
"""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from thorax import artifacts

_LARGEST = 4 * artifacts.LONGEST_CELL  # bytes of UTF-8; what is longer is refused anyway
_BUFFER_BYTES = 1 << 16  # a third faster than 10 KiB or 1 MiB
_ZEROS = bytes(tarfile.BLOCKSIZE)
_OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


class BrokenArchive(ValueError):
    """Not an archive, or not a whole one."""


class Member(NamedTuple):
    """A file of an archive; `trouble` says why it has no content, and is empty when it has."""

    name: str
    content: bytes
    trouble: str = ""


def members(path: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    """Every file whose name ends in one of `suffixes` (small letters).

    Raises:
        BrokenArchive: it is no archive, is damaged, or ends before its end.
    """
    try:
        with _opened(path) as file:
            watched = _Watched(file)
            with tarfile.open(  # type: ignore[call-overload]
                fileobj=watched, mode="r|", bufsize=_BUFFER_BYTES
            ) as archive:
                for member in archive:
                    if member.name.lower().endswith(suffixes) and not member.isdir():
                        yield _member(archive, member)
                    archive.members = []  # or it keeps every header
            if not watched.last.endswith(_ZEROS):
                raise BrokenArchive("cut off")
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise BrokenArchive(str(error)) from None


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Member:
    if not member.isreg():
        return Member(member.name, b"", "a link or a device, not a file")
    if member.size > _LARGEST:
        return Member(member.name, b"", f"{member.size:,} bytes are no report")
    content = archive.extractfile(member)
    return Member(member.name, content.read() if content else b"")


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            return opener(path)  # type: ignore[no-any-return]
    return path.open("rb")


class _Watched:
    """A stream that gives what comes before a damage, and remembers the last bytes that came."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.last = b""

    def read(self, size: int) -> bytes:
        """The next bytes; fewer than `size` only at the end, or where the file is damaged."""
        content = b""
        while len(content) < size and (more := self._more(size - len(content))):
            content += more
        self.last = content or self.last
        return content

    def _more(self, size: int) -> bytes:
        try:
            return self._file.read1(size)  # type: ignore[attr-defined, no-any-return]
        except (EOFError, zlib.error, lzma.LZMAError, OSError):
            return b""
