"""What the image checks cost, what they find, and what they say wrongly, on real images.

    python -m benchmarks.image_checks cost ../shared/nih
    python -m benchmarks.image_checks faults ../shared/nih
    python -m benchmarks.image_checks copies ../shared/nih --every 10
    python -m benchmarks.image_checks search ../shared/nih

`cost`: building the pixel cache with the checks and without (decoding, resizing and the digest of
the file only), in turns, in this process; medians. `faults`: each image once as it is and once with
a planted fault, by half: the patients that thresholds and reference were tuned with, and the others
(see `chest_reference.py`). A real image with that very fault counts as a false alarm here.
`copies`: planted copies among all images. `search`: near hashes among 112,120 random ones whose
frequencies have mean and covariance of the real ones, and 1,000 planted.
"""

import argparse
import hashlib
import shutil
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import chest_reference
from thorax import artifacts, config, images
from thorax.dataset import appearance, archive, copies, frames, hashes, shards
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import CopiesConfig
from validation.images import ImagesConfig, judged
from validation.settings import ValidationConfig

SEED, REPEATS, SIZE_PX = 8, 5, 128
NIH_IMAGES = 112_120

Grey = NDArray[np.uint8]
Change = Callable[[Grey, np.random.Generator], Grey]


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
    for folder in ("images-512", "images-1024"):
        files = sorted((nih / folder).iterdir())[::every]
        with_checks, without = frames.make, _make_without
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        for _ in range(REPEATS):
            for name, make in (("without", without), ("with", with_checks)):
                frames.make = make
                seconds[name].append(_build(files))
        frames.make = with_checks
        plain, checked = (statistics.median(seconds[name]) for name in ("without", "with"))
        print(
            f"{folder}: {len(files):,} images; without checks {1e3 * plain / len(files):.3f} ms "
            f"an image, with them {1e3 * checked / len(files):.3f} ms: {checked / plain - 1:+.1%}"
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


def turn(image: Grey, rng: np.random.Generator) -> Grey:
    return appearance.Way(int(rng.integers(1, 4)), bool(rng.integers(2)), False).show(image)


def mirror(image: Grey, rng: np.random.Generator) -> Grey:
    return appearance.Way(0, True, False).show(image)


def invert(image: Grey, rng: np.random.Generator) -> Grey:
    return appearance.Way(0, False, True).show(image)


def blank(image: Grey, rng: np.random.Generator) -> Grey:
    """One level with a little noise, or a chest of a few levels."""
    if rng.random() < 0.5:
        levels = rng.uniform(10, 240) + rng.normal(0, rng.uniform(0, 4), image.shape)
    else:
        levels = rng.uniform(10, 200) + image * rng.uniform(0, 0.15)
    return np.asarray(levels.clip(0, 255), np.uint8)


def blacken(image: Grey, rng: np.random.Generator) -> Grey:
    """A window set so that half to nine tenths of the pixels are black."""
    low = np.quantile(image, rng.uniform(0.5, 0.9))
    return np.asarray(((image - low) * 2.0).clip(0, 255), np.uint8)


def whiten(image: Grey, rng: np.random.Generator) -> Grey:
    """A window set so that a third to nine tenths of the pixels are white."""
    high = max(np.quantile(image, 1 - rng.uniform(0.33, 0.9)), 1.0)
    return np.asarray((image * (255 / high)).clip(0, 255), np.uint8)


def write(image: Grey, rng: np.random.Generator) -> Grey:
    """Two to five lines of letters and numbers, white, some two percent of the height high."""
    written, side = image.copy(), image.shape[0]
    x, y = int(rng.uniform(0.02, 0.5) * side), int(rng.uniform(0.08, 0.6) * side)
    for line in range(int(rng.integers(2, 6))):
        letters = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVXYZ0123456789:/ "), 16))
        place = (x, y + line * side // 26)
        level = int(rng.integers(200, 256))
        cv2.putText(written, letters, place, 0, side / 1024, level, 1, cv2.LINE_AA)
    return written


def another_thing(image: Grey, rng: np.random.Generator) -> Grey:
    """No chest: blobs, bars like bones, noise, a page of text, or a third of a chest."""
    side = 256
    kind = rng.integers(5)
    canvas = np.zeros((side, side), np.uint8)
    if kind == 0:
        for _ in range(int(rng.integers(1, 6))):
            centre, axes = rng.integers(40, 216, 2).tolist(), rng.integers(15, 110, 2).tolist()
            level = int(rng.integers(60, 256))
            cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, level, -1)
        return np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(1, 6)), np.uint8)
    if kind == 1:
        angle = np.radians(rng.uniform(-30, 30))
        rows, columns = np.mgrid[:side, :side] - side / 2
        away = np.abs(columns * np.cos(angle) + rows * np.sin(angle))
        limb = 60 * (away < rng.uniform(35, 70)) + 100 * (away < rng.uniform(8, 18)) + 40.0
        limb += rng.normal(0, 4, limb.shape)
        return np.asarray(cv2.GaussianBlur(limb, (0, 0), 1.5).clip(0, 255), np.uint8)
    if kind == 2:
        noise = cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), 2 ** rng.uniform(-1, 5))
        return np.asarray(255 * (noise - noise.min()) / np.ptp(noise), np.uint8)
    if kind == 3:
        canvas[:] = rng.integers(180, 256)
        for y in range(int(rng.integers(10, 40)), 250, int(rng.integers(9, 22))):
            letters = "".join(rng.choice(list("abcdefghijklmnop    "), int(rng.integers(9, 45))))
            cv2.putText(canvas, letters, (8, y), 0, rng.uniform(0.3, 0.6), 30, 1, cv2.LINE_AA)
        return canvas
    part = image.shape[0] // 3
    x, y = rng.integers(0, image.shape[0] - part, 2)
    return np.ascontiguousarray(image[y : y + part, x : x + part])


FAULTS: dict[str, Change] = {
    "turned": turn, "mirrored": mirror, "inverted": invert, "blank": blank, "black": blacken,
    "white": whiten, "strange": another_thing, "text": write,
}  # fmt: skip


def faults(nih: Path, every: int) -> None:
    halves = chest_reference.files_with_half(nih)[::every]
    settings = config.load("validation", ValidationConfig).images
    for tuning in (True, False):
        files = [file for file, half in halves if half == tuning]
        chests = [chest_reference.pixels(file) for file in files]
        clean = found(measured(files, chests), settings)
        print(f"{'tuned with' if tuning else 'held out'}: {len(files):,} images")
        for fault, change in FAULTS.items():
            rng = np.random.default_rng(SEED)
            planted = found(measured(files, (change(chest, rng) for chest in chests)), settings)
            hits, alarms = int(planted[fault].sum()), int(clean[fault].sum())
            precision = hits / (hits + alarms) if hits + alarms else float("nan")
            print(
                f"  {fault:9} recall {hits / len(files):.3f}  precision {precision:.3f}  "
                f"alarms on images as they are {alarms} ({alarms / len(files):.2%})"
            )


def measured(files: list[Path], shown: Iterable[Grey]) -> pd.DataFrame:
    """The manifest's columns of images that are encoded and read as any other."""
    rows = []
    for file, pixels in zip(files, shown, strict=True):
        content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
        measures = asdict(frames.make([content], SIZE_PX)[0][1])
        rows.append({"image": file.name, "patient": file.stem[:8], "split": "", **measures})
    return pd.DataFrame(rows).assign(readable=True)


def found(measures: pd.DataFrame, settings: ImagesConfig) -> pd.DataFrame:
    images_ = judged(measures, settings)
    return images_.assign(text=images_["text_share"] > settings.text_share_max)


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
    bits = np.concatenate(
        [_bits(mean + rng.normal(size=(part, 256)) @ root.T) for part in _parts(NIH_IMAGES)]
    )
    near = bits[:1000].copy()
    for row in near:
        row[rng.choice(256, int(rng.integers(0, hashes.BITS_MAX + 1)), replace=False)] ^= True
    together = np.packbits(np.concatenate([bits, near]), axis=1).view(np.uint64)
    before = time.process_time()
    first, second, _, _ = hashes.near(together, hashes.BITS_MAX)
    seconds = time.process_time() - before
    kept = set(zip(first.tolist(), second.tolist(), strict=True))
    hits = sum((number, NIH_IMAGES + number) in kept for number in range(1000))
    print(
        f"{len(together):,} hashes: {seconds:.1f} s, {len(kept):,} pairs, {hits} of 1,000 planted"
    )


def _frequencies(image: Grey) -> NDArray[np.float64]:
    basis = appearance._cosines()
    small = appearance.shrink(images.to_frame(image, SIZE_PX)).astype(np.float64)
    return np.asarray((basis @ small @ basis.T).ravel(), np.float64)


def _bits(frequencies: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(frequencies > np.median(frequencies, axis=1, keepdims=True))


def _parts(total: int, most: int = 10_000) -> list[int]:
    return [min(most, total - start) for start in range(0, total, most)]


if __name__ == "__main__":
    main()
