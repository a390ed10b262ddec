"""Copies planted among real images and found again, and the search for near hashes among many.

Run by `image_checks.py copies` and `image_checks.py search`. The search runs on as many hashes as
NIH has images, random ones whose frequencies have mean and covariance of the real ones, and 1,000
planted; each with one of a cut image, as in the data.
"""

import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import chest_reference
from benchmarks.chest_reference import Grey
from benchmarks.image_faults import SEED, SIZE_PX, write
from thorax import appearance, artifacts, images
from thorax.dataset import archive, copies, hashes, shards
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import CopiesConfig

NIH_IMAGES = 112_120
CUT_LIKENESS, CUT_NOVELTY = 0.93, 0.37  # a hash without the rim differs in some 30 bits


def jpeg(image: Grey, quality: int) -> Grey:
    content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def cut(image: Grey, share: float) -> Grey:
    rim = round(share * image.shape[0])
    return np.ascontiguousarray(image[rim:-rim, rim:-rim])


COPIES: dict[str, Callable[[Grey], Grey]] = {
    "the same pixels": lambda image: image,
    "JPEG of quality 50": lambda image: jpeg(image, 50),
    "a third of the size": lambda image: images.to_frame(image, 171),
    "brighter by 15 %": lambda image: cv2.convertScaleAbs(image, alpha=1.15, beta=8),
    "gamma 0.8": lambda image: np.asarray(255 * (image / 255.0) ** 0.8, np.uint8),
    "cut by 0.5 % a side": lambda image: cut(image, 0.005),
    "cut by 1 % a side": lambda image: cut(image, 0.01),
    "cut by 2 % a side": lambda image: cut(image, 0.02),
    "cut by 3 % a side": lambda image: cut(image, 0.03),
    "a line of letters": lambda image: write(image, np.random.default_rng(SEED)),
}


def planted_copies(nih: Path, every: int) -> None:
    """Copies of every `every`-th image among all; what is found besides is listed."""
    files = sorted((nih / "images-512").iterdir())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "0001.tar"
        with tarfile.open(path, "w") as tar:
            for file in files:
                tar.add(file, file.name)
            for number, (_, change) in enumerate(COPIES.items()):
                for file in files[::every]:
                    content = images.encode_png(change(chest_reference.pixels(file)))
                    target = Path(folder) / "copy.png"
                    target.write_bytes(content)
                    tar.add(target, f"{file.stem}-{number}.png")
        item = archive.Archive("images/0001.tar", path, artifacts.sha256_file(path))
        shard = Path(folder) / "shard"
        shard.mkdir()
        shards._build(item, SIZE_PX, shard, None)
        index = artifacts.read_table(shard / "index.parquet")
        _judge_copies(index, np.load(shard / "pixels.npy"), len(files[::every]))
        shutil.rmtree(shard)


def _judge_copies(index: pd.DataFrame, frames_: Grey, planted: int) -> None:
    pixels = Pixels(SIZE_PX, [])
    pixels._open["planted"] = frames_
    stem = index["image"].str.rsplit(".", n=1).str[0]
    for number, name in enumerate(COPIES):
        chosen = ~stem.str.contains("-") | stem.str.endswith(f"-{number}")
        rows = index[chosen].assign(patient=stem.str[:8], split="", shard="planted", readable=True)
        links = copies.find(rows.reset_index(drop=True), pixels, CopiesConfig())
        pairs = [
            {Path(one).stem, Path(other).stem}
            for one, other in links[["image", "other"]].to_numpy()
        ]
        right = sum(len({stem.split("-")[0] for stem in pair}) == 1 for pair in pairs)
        others = [sorted(pair) for pair in pairs if len({stem.split("-")[0] for stem in pair}) > 1]
        print(f"  {name:22} recall {right / planted:.3f}  other pairs {len(others)}: {others[:3]}")


def search(nih: Path, every: int) -> None:
    """Time and memory of the search for near hashes, and whether it misses any."""
    rng = np.random.default_rng(SEED)
    seen = [
        _frequencies(chest_reference.pixels(file))
        for file in sorted((nih / "images-512").iterdir())[::every]
    ]
    mean, spread = np.mean(seen, axis=0), np.cov(np.transpose(seen))
    root = np.linalg.cholesky(spread + 1e-6 * np.trace(spread) / 256 * np.eye(256))
    whole, cut = list[NDArray[np.bool_]](), list[NDArray[np.bool_]]()
    for part in _parts(NIH_IMAGES):
        ours, others = rng.normal(size=(2, part, 256))
        whole.append(_bits(mean + ours @ root.T))
        cut.append(_bits(mean + (CUT_LIKENESS * ours + CUT_NOVELTY * others) @ root.T))
    bits, cut_bits = np.concatenate(whole), np.concatenate(cut)
    near = np.concatenate([bits[:500], cut_bits[500:1000]])
    for row in near:
        row[rng.choice(256, int(rng.integers(0, hashes.BITS_MAX + 1)), replace=False)] ^= True
    before = time.process_time()
    found = copies.near_hashes(
        _packed(bits, near), _packed(cut_bits, near[rng.permutation(1000)]), hashes.BITS_MAX
    )
    seconds = time.process_time() - before
    kept = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    hits = sum((number, NIH_IMAGES + number) in kept for number in range(1000))
    print(
        f"{len(bits) + 1000:,} images: {seconds:.1f} s, {len(kept):,} pairs, "
        f"{hits} of 1,000 planted"
    )


def _packed(*bits: NDArray[np.bool_]) -> hashes.Hashes:
    return np.packbits(np.concatenate(bits), axis=1).view(np.uint64)


def _frequencies(image: Grey) -> NDArray[np.float64]:
    basis = appearance._cosines()
    small = appearance.shrink(images.to_frame(image, SIZE_PX)).astype(np.float64)
    return np.asarray((basis @ small @ basis.T).ravel(), np.float64)


def _bits(frequencies: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(frequencies > np.median(frequencies, axis=1, keepdims=True))


def _parts(total: int, most: int = 10_000) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]
