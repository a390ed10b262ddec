"""Faults planted in real images, and what the checks find of them: `image_checks.py faults`.

Each image is judged once as it is and once with a planted fault, by half: the patients that
thresholds and reference were tuned with, and the others (see `chest_reference.py`). A real image
with that very fault counts as a false alarm here.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from benchmarks import chest_reference
from benchmarks.chest_reference import Grey
from thorax import appearance, config
from thorax.dataset import frames
from validation.images import ImagesConfig, judged
from validation.settings import ValidationConfig

SEED, SIZE_PX = 8, 128

Change = Callable[[Grey, np.random.Generator], Grey]


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
