"""The pixel cache: one shard per archive, built once, shared by all worktrees.

A shard `<archive sha256>-<size>-v<decoder>` holds `pixels.npy` (uint8 [N, H, W], memory-mapped),
`index.parquet` (one file of the archive: row, measures) and `shard.json` (digests). It appears
whole or not at all; a lock per shard lets one process build and the others wait. Memory stays flat:
frames go to disk as they come. Shards that nobody needs any more are left for others to remove.
"""

import hashlib
import multiprocessing
import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts, locks
from thorax.dataset import archive as archives
from thorax.dataset import frames
from thorax.dataset.archive import Archive, TooLarge
from thorax.progress import track

_BATCH = 16  # files that travel to a process at once
_BATCH_BYTES = 64 * 2**20  # or fewer, when these are large
_IN_FLIGHT = 2  # batches that wait per core
_WORTH_A_PROCESS = 256  # fewer files are decoded sooner than a process starts

_INDEX_DTYPES = {
    "image": "str",
    "row": "int64",
    "reason": "str",
    "width_px": "Int32",
    "height_px": "Int32",
    "channels": "Int8",
    "bit_depth": "Int8",
    "mean_level": "float32",
    "std_level": "float32",
    "low_share": "float32",
    "high_share": "float32",
    "mode_share": "float32",
    "level_range": "float32",
    "text_share": "float32",
    "frame_sha256": "str",
    "phash": "str",
    "seen_as": "str",
    "seen_margin": "float32",
    "chest_score": "float32",
    "strangeness": "float32",
    "sha256": "str",
}


@dataclass(frozen=True)
class Shard:
    """One archive's pixels.

    Attributes:
        name: folder name under `shards_home()`.
        archive: name relative to `data/`.
        archive_sha256: of the archive's bytes.
        images: frames in `pixels.npy`.
        pixels_sha256: of the frames' bytes in order.
    """

    name: str
    archive: str
    archive_sha256: str
    images: int
    pixels_sha256: str

    @property
    def folder(self) -> Path:
        """Where the shard lies."""
        return shards_home() / self.name

    def index(self) -> pd.DataFrame:
        """One row per file of the archive, in its order; `row` is -1 for an unreadable file."""
        return artifacts.read_table(self.folder / "index.parquet")

    def pixels(self) -> NDArray[np.uint8]:
        """The frames uint8 [N, H, W], memory-mapped, read-only."""
        return np.load(self.folder / "pixels.npy", mmap_mode="r")  # type: ignore[no-any-return]


def shards_home() -> Path:
    """The folder that holds the shards of all worktrees."""
    return artifacts.shared_home() / "pixels"


def shard_name(archive: Archive, size_px: int) -> str:
    """The shard's folder name: archive, size and decoder, so that no other is read for it."""
    return f"{archive.sha256[:16]}-{size_px}-v{frames.DECODER_VERSION}"


def ensure(found: list[Archive], size_px: int, *, processes: int | None = None) -> list[Shard]:
    """The shards of the archives, in their order, built first when missing or incomplete.

    Args:
        found: archives of `data/`.
        size_px: side of the frames.
        processes: worker processes; None takes one per core that this process may use, and none
            for a few images. The result is the same for any number.

    Raises:
        BadInput: an archive is damaged, or not the one that `source.json` identifies.
    """
    missing = [item for item in found if not _read(item, size_px)]
    total = sum(item.images for item in missing)
    with _pool(_processes(total) if processes is None else processes) as pool:
        return [_ensure(item, size_px, pool) for item in found]


def _ensure(archive: Archive, size_px: int, pool: ProcessPoolExecutor | None) -> Shard:
    if there := _read(archive, size_px):
        return there
    name = shard_name(archive, size_px)
    with locks.hold(shards_home() / f"{name}.lock", f"pixels of {archive.name}"):
        if there := _read(archive, size_px):  # another process built it meanwhile
            return there
        for leftover in shards_home().glob(f".{name}.*"):  # of a builder that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        archives.check(archive)
        with artifacts.atomic_folder(shards_home() / name) as temporary:
            _build(archive, size_px, temporary, pool)
    built = _read(archive, size_px)
    assert built is not None, f"{name} was built and cannot be read"
    return built


def _read(archive: Archive, size_px: int) -> Shard | None:
    """The shard as it lies there, or None when a file of it is missing or too short."""
    folder = shards_home() / shard_name(archive, size_px)
    if not all((folder / name).is_file() for name in ("shard.json", "index.parquet", "pixels.npy")):
        return None
    about = artifacts.read_json(folder / "shard.json")
    header = len(_header(0, size_px))
    if (folder / "pixels.npy").stat().st_size != header + about["images"] * size_px**2:
        return None
    return Shard(folder.name, archive.name, archive.sha256, about["images"], about["pixels_sha256"])


def _build(archive: Archive, size_px: int, folder: Path, pool: ProcessPoolExecutor | None) -> None:
    batches = _batches(track(archives.members(archive), f"decoding {archive.name}", archive.images))
    digest, rows = hashlib.sha256(), []
    images = 0
    with (folder / "pixels.npy").open("wb") as file:
        file.write(_header(0, size_px))
        for made in _decode(batches, size_px, pool):
            for name, frame, measures in made:
                rows.append({"image": name, "row": -1 if frame is None else images, **measures})
                if frame is not None:
                    file.write(frame)
                    digest.update(frame)
                    images += 1
        _finish(file, images, size_px)
    index = pd.DataFrame(rows, columns=list(_INDEX_DTYPES)).astype(_INDEX_DTYPES)
    artifacts.write_table(folder / "index.parquet", index)
    about = {"images": images, "pixels_sha256": digest.hexdigest()}
    artifacts.write_json(folder / "shard.json", about)


Batch = list[tuple[str, bytes | TooLarge]]
Made = list[tuple[str, bytes | None, dict[str, Any]]]


def _decode(
    batches: Iterable[Batch], size_px: int, pool: ProcessPoolExecutor | None
) -> Iterator[Made]:
    """Decode in order, with a bounded number of batches in flight."""
    if pool is None:
        yield from (_decode_batch(batch, size_px) for batch in batches)
        return
    flying: deque[Future[Made]] = deque()
    for batch in batches:
        flying.append(pool.submit(_decode_batch, batch, size_px))
        if len(flying) > _IN_FLIGHT * _cores():
            yield flying.popleft().result()
    yield from (future.result() for future in flying)


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that start with the first task; None for 0."""
    if processes == 0:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start_worker) as pool:
        yield pool


def _start_worker() -> None:
    locks.die_with_parent()
    cv2.setNumThreads(1)  # the processes already use every core


def _decode_batch(batch: Batch, size_px: int) -> Made:
    names, contents = zip(*batch, strict=True)
    made = frames.make(contents, size_px)
    return [
        (name, None if frame is None else frame.tobytes(), vars(measures))
        for name, (frame, measures) in zip(names, made, strict=True)
    ]


def _batches(files: Iterable[tuple[str, bytes | TooLarge]]) -> Iterator[Batch]:
    batch: Batch = []
    size_bytes = 0
    for name, content in files:
        batch.append((name, content))
        size_bytes += len(content) if isinstance(content, bytes) else 0
        if len(batch) == _BATCH or size_bytes > _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _processes(total: int) -> int:
    return min(_cores(), total // _WORTH_A_PROCESS)


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _header(images: int, size_px: int) -> bytes:
    """The header of a `.npy` file (version 1.0), 128 bytes whatever N is: N is known last."""
    about = (
        f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({images}, {size_px}, {size_px}), }}"
    )
    return b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + about.ljust(117).encode() + b"\n"


def _finish(file: IO[bytes], images: int, size_px: int) -> None:
    file.seek(0)
    file.write(_header(images, size_px))
