"""The names in a published archive, read once: a listing of 4 GB of gzip takes half a minute.

Kept in `.thorax/listings/` under the archive's sha256. Reading to the end proves the archive whole.
"""

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from thorax import artifacts
from thorax.errors import BadInput
from thorax.progress import track

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")


def is_image(name: str) -> bool:
    """Whether a file name is that of an image this system reads."""
    return PurePosixPath(name).suffix.lower() in _IMAGE_SUFFIXES and not PurePosixPath(
        name
    ).name.startswith(".")


def read_image(path: Path) -> bytes:
    """A loose image's bytes; `BadInput` with its name when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}): mend or remove it, and pull again; "
            "nothing was changed"
        ) from None


def member_names(path: Path, sha256: str, home: Path) -> list[str]:
    """The file names (without folders) of the images in a tar archive, in their order."""
    kept = home / "listings" / f"{sha256}.txt"
    if not kept.exists():
        artifacts.write_text(kept, "\n".join(_read(path)))
    return kept.read_text(encoding="utf-8").split("\n") if kept.stat().st_size else []


def list_all(archives: Iterable[tuple[Path, str]], home: Path) -> dict[Path, list[str]]:
    """`member_names` of several archives, with progress."""
    archives = list(archives)
    return {
        path: member_names(path, sha256, home)
        for path, sha256 in track(archives, "listing archives", len(archives))
    }


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The images in a tar archive as (file name without folders, bytes), in their order."""
    with _whole(path), tarfile.open(path, "r|*") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            file = archive.extractfile(member) if member.isfile() and is_image(name) else None
            if file is not None:
                yield name, file.read()


def _read(path: Path) -> list[str]:
    with _whole(path), tarfile.open(path, "r|*") as archive:
        names = [PurePosixPath(member.name).name for member in archive if member.isfile()]
    return [name for name in names if is_image(name)]


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BadInput(f"{path} is not a whole tar archive ({error}): fetch it again") from None
