"""A `.bento` file: the folder that BentoML builds, as a tar compressed with xz.

Packed so that the same folder gives the same bytes (sorted members, no owners, no times), which
BentoML's own export does not. `bentoml import` reads what is written here. Nothing is checked
before unpacking: compare the sha256 first.
"""

import lzma
import tarfile
from pathlib import Path

from thorax import artifacts


def pack(folder: Path, path: Path, *, compression: int) -> None:
    """Write `folder` to the archive `path`, atomically.

    Args:
        folder: what BentoML built.
        path: the `.bento` to write.
        compression: xz preset, 0 to 9.
    """
    with (
        artifacts.atomic_file(path) as temporary,
        lzma.open(temporary, "wb", preset=compression) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in sorted(folder.rglob("*")):
            archive.add(
                member, str(member.relative_to(folder)), recursive=False, filter=_without_origin
            )


def unpack(path: Path, folder: Path) -> None:
    """Unpack the archive `path` into `folder`, which appears whole or not at all."""
    with artifacts.atomic_folder(folder) as temporary, tarfile.open(path, "r:xz") as archive:
        archive.extractall(temporary, filter="data")


def _without_origin(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o755 if member.isdir() else 0o644
    return member
