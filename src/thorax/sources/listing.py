"""The names in a published archive, read once: a listing of 4 GB of gzip takes half a minute.

Kept in `.thorax/listings/` under the archive's sha256. Reading to the end proves the archive whole.
"""

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from thorax import artifacts, images, tar_archives
from thorax.errors import BadInput
from thorax.files import is_plain_name, refuse_special, special_kind
from thorax.progress import say, track

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")


def is_image(name: str) -> bool:
    """Whether a file name is that of an image this system reads."""
    return PurePosixPath(name).suffix.lower() in _IMAGE_SUFFIXES and not PurePosixPath(
        name
    ).name.startswith(".")


def usable_images(paths: Iterable[Path]) -> list[Path]:
    """The images among `paths`, without what must not be read or cannot stand in a table.

    Named pipes, devices and names that are not UTF-8 are left out and the first is named.
    """
    found: list[Path] = []
    left_out: list[Path] = []
    for path in paths:
        if is_image(path.name):
            fits = is_plain_name(path.name) and not special_kind(path)
            (found if fits else left_out).append(path)
    if left_out:
        kind = special_kind(left_out[0])
        reason = f"a {kind}" if kind else "a name that no table can hold"
        say(f"{len(left_out):,} images stay out (the first: {left_out[0]}, {reason})")
    return found


def read_image(path: Path) -> bytes:
    """A loose image's bytes; `BadInput` with its name when it cannot be read."""
    refuse_special(path)
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
    refuse_special(path)
    with _whole(path), tar_archives.open_archive(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if not member.isfile() or not _is_wanted(name):
                continue
            content = tar_archives.read_member(archive, member, images.MAX_FILE_BYTES)
            if content is None:
                say(f"{path.name}: {name} is left out: {images.too_large(member.size)}")
            else:
                yield name, content


def _read(path: Path) -> list[str]:
    refuse_special(path)
    with _whole(path), tar_archives.open_archive(path) as archive:
        names = [PurePosixPath(member.name).name for member in archive if member.isfile()]
    wanted = [name for name in names if _is_wanted(name)]
    if strange := [name for name in names if is_image(name) and not is_plain_name(name)]:
        say(
            f"{path.name}: {len(strange):,} images have names that no table can hold and stay out "
            f"(the first: {strange[0]!r})"
        )
    return wanted


def _is_wanted(name: str) -> bool:
    return is_image(name) and is_plain_name(name)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BadInput(f"{path} is not a whole tar archive ({error}): fetch it again") from None
