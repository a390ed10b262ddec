"""Tar archives that may hold anything: read forward, each member bounded by its declared size.

A gzip archive of 2 MB can declare a member of 2 GB. It is passed over without being held in memory;
Python's own streaming mode ("r|*") would take minutes for that.
"""

import tarfile
from pathlib import Path

_HEADER_BYTES_MAX = 2**20  # of a long name or of further attributes
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip


class _Member(tarfile.TarInfo):
    """A member whose header is read into memory only when it is of a sensible size."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > _HEADER_BYTES_MAX:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]


def open_archive(path: Path) -> tarfile.TarFile:
    """Open a tar archive, packed in any way, to be read from its start to its end."""
    return tarfile.open(path, "r:*", tarinfo=_Member)


def read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, at_most: int) -> bytes | None:
    """A file's bytes; None, unread, where it declares more than `at_most`."""
    if member.size > at_most:
        return None
    file = archive.extractfile(member)
    return file.read() if file else b""
