"""What the image checks cost, what they find, and what they say wrongly, on real images.

    python -m benchmarks.image_checks cost ../shared/nih
    python -m benchmarks.image_checks faults ../shared/nih
    python -m benchmarks.image_checks copies ../shared/nih --every 10
    python -m benchmarks.image_checks search ../shared/nih

`cost`: building the pixel cache with the checks and without (decoding, resizing and the digest of
the file only), part by part in turns, in this process. `faults`: see `image_faults.py`. `copies`
and `search`: see `image_copies.py`.
"""

import argparse
import hashlib
import statistics
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from benchmarks.chest_reference import Grey
from benchmarks.image_copies import planted_copies, search
from benchmarks.image_faults import SIZE_PX, faults
from thorax import artifacts, images
from thorax.dataset import archive, frames, shards

REPEATS, PART = 3, 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("what", choices=["cost", "faults", "copies", "search"])
    parser.add_argument("nih", type=Path, help="folder with images-512/ and subset.csv")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    tasks = {"cost": cost, "faults": faults, "copies": planted_copies, "search": search}
    tasks[given.what](given.nih, given.every)


_Raw = argparse.RawDescriptionHelpFormatter


def cost(nih: Path, every: int) -> None:
    """Part by part with and without: whoever else uses the machine slows both down."""
    for folder in ("images-512", "images-1024"):
        files = sorted((nih / folder).iterdir())[::every]
        parts = [files[start : start + PART] for start in range(0, len(files), PART)]
        made = frames.make
        plain, checked, shares = list[float](), list[float](), list[float]()
        for part in parts * REPEATS:
            frames.make = _make_without
            plain.append(_build(part) / len(part))
            frames.make = made
            checked.append(_build(part) / len(part))
            shares.append(checked[-1] / plain[-1] - 1)
        print(
            f"{folder}: {len(files):,} images, medians of {len(shares)} parts: without checks "
            f"{1e3 * statistics.median(plain):.3f} ms an image, with them "
            f"{1e3 * statistics.median(checked):.3f} ms: {statistics.median(shares):+.1%}"
        )


def _make_without(
    contents: Sequence[bytes], size_px: int
) -> list[tuple[Grey | None, frames.Measures]]:
    return [
        (
            images.to_frame(images.decode(content).pixels, size_px),
            frames.Measures(hashlib.sha256(content).hexdigest()),
        )
        for content in contents
    ]


def _build(files: list[Path]) -> float:
    """Processor seconds to build one shard of the files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0001.tar"
        with tarfile.open(path, "w") as tar:
            for file in files:
                tar.add(file, file.name)
        item = archive.Archive("images/0001.tar", path, artifacts.sha256_file(path), len(files))
        before = time.process_time()
        shards._build(item, SIZE_PX, Path(folder), None)
        return time.process_time() - before


if __name__ == "__main__":
    main()
