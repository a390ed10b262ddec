"""Reads images out of the archives in `data/images/`: tar or tar.gz, in one forward pass.

Members are named by their base name, whatever folder they lie in. Writes and decodes nothing.
"""

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thorax import artifacts, images, tar_archives
from thorax.errors import BadInput
from thorax.files import is_plain_name

_BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError)


@dataclass(frozen=True)
class Archive:
    """An archive as `source.json` identifies it.

    Attributes:
        name: relative to `data/`, such as `images/0001.tar`.
        path: where it lies.
        sha256: of its bytes.
        images: how many files it is said to hold; only for progress and to plan the work.
    """

    name: str
    path: Path
    sha256: str
    images: int = 0


def listed(data: Path) -> list[Archive]:
    """The archives that `data/source.json` lists, by name.

    Raises:
        BadInput: the list is missing, or an archive that it names is.
    """
    source: dict[str, Any] = artifacts.read_json(data / "source.json")
    try:
        archives = [
            Archive(name, data / name, about["sha256"], int(about["images"]))
            for name, about in sorted(source["archives"].items())
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{data / 'source.json'}: archives without {error}: pull the data again"
        ) from None
    for archive in archives:
        if not archive.path.is_file():
            raise BadInput(
                f"{archive.path} is missing, but source.json lists it: pull the data again"
            )
    return archives


def check(archive: Archive) -> None:
    """Raise `BadInput` unless the archive holds the very bytes that `source.json` identifies."""
    if not archive.path.is_file():
        raise BadInput(f"{archive.path} is missing: pull the data again (dvc pull data.dvc)")
    if artifacts.sha256_file(archive.path) != archive.sha256:
        raise BadInput(f"{archive.path} has other bytes than source.json says: pull the data again")


@dataclass(frozen=True)
class TooLarge:
    """A file of an archive that was not read, by the size that it declares."""

    size_bytes: int


def members(archive: Archive) -> Iterator[tuple[str, bytes | TooLarge]]:
    """Yield (base name, bytes) of each file in the archive's order.

    A file larger than any image that could be decoded is passed over, and only its size is given.
    Names that no table can hold (not UTF-8, control characters) are passed over, as a pull does.

    Raises:
        BadInput: the archive is cut short or is no tar.
    """
    try:
        with tar_archives.open_archive(archive.path) as tar:
            for member in tar:
                name = Path(member.name).name
                if member.isfile() and is_plain_name(name):
                    content = tar_archives.read_member(tar, member, images.MAX_FILE_BYTES)
                    yield name, TooLarge(member.size) if content is None else content
    except _BROKEN as error:
        raise BadInput(
            f"{archive.path} is no whole tar archive ({error}): pull the data again"
        ) from error
