"""What a source is handed when it is asked for its content."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.progress import say
from thorax.sources.packing import Packed

FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """How many bytes are free where `folder` (or its nearest existing parent) lies."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def need_space(need_bytes: int, folder: Path, free: FreeBytes, *, purpose: str) -> None:
    """Print how much a step writes and how much is free; `BadInput` when it does not fit."""
    left = free(folder)
    say(f"{purpose}: needs {size(need_bytes)} in {folder}, {size(left)} free")
    if need_bytes > left:
        raise BadInput(
            f"{purpose} needs {size(need_bytes)} in {folder} and {size(left)} are free: "
            f"free {size(need_bytes - left)} and pull again; nothing was changed"
        )


def size(count_bytes: int) -> str:
    """Bytes as a person reads them."""
    value = float(count_bytes)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


@dataclass(frozen=True)
class Request:
    """What a pull tells a source.

    Attributes:
        from_path: the folder that the user named, if any.
        home: the machine's own folder `.thorax/`; downloads and listings may be kept under it.
        data: the last good version; a source reads what it already has there, and writes nothing.
        packed: the loose images that the last good version holds.
        workers: how many processes may work at once.
        free: tells free disk space.
    """

    from_path: Path | None
    home: Path
    data: Path
    packed: Packed
    workers: int = 1
    free: FreeBytes = field(default=free_bytes)

    def folder(self) -> Path | None:
        """The named folder, made absolute; `BadInput` when it is not there."""
        if self.from_path is None:
            return None
        path = self.from_path.expanduser().absolute()
        refuse_special(path)
        if not path.is_dir():
            raise BadInput(f"{path}: no such folder; name the one that holds the images and tables")
        return path
