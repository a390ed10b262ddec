"""Scores image files with the predictor that is served: a folder, an image, or a list of images.

PNG and JPEG through `thorax.images`. A file that cannot be read is listed with its reason and stops
nothing. Reads no manifest and writes no file.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import images
from thorax.errors import BadInput
from thorax.files import printable, refuse_special, special_kind
from thorax.inference import drawn
from thorax.inference.boxes import BoxesFor
from thorax.inference.predictor import Predictor
from thorax.progress import track

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
_BATCH = 32  # images decoded and scored together


@dataclass(frozen=True)
class Unreadable:
    """A file that was not scored, and why."""

    image: str
    reason: str


def score_paths(
    predictor: Predictor, paths: list[Path], *, boxes_for: BoxesFor = "from threshold"
) -> tuple[pd.DataFrame, pd.DataFrame, list[Unreadable]]:
    """Score files.

    Args:
        predictor: what scores.
        paths: images, folders (searched to the bottom for PNG and JPEG), or `.txt` lists with one
            image a line, relative to the list.
        boxes_for: which findings give boxes.

    Returns:
        One image x finding a row (`image, finding, probability`), one box a row (as
        `boxes.parquet`), and the files that could not be read.

    Raises:
        BadInput: a path does not exist, or there is no image to score.
    """
    files = find_images(paths)
    images_of: list[str] = []
    unreadable: list[Unreadable] = []
    probabilities = [np.empty((0, len(predictor.findings)), np.float32)]
    boxes = []
    batches = -(-len(files) // _BATCH)
    for read in track(_read_batches(files, predictor.size_px), "scored batches", batches):
        unreadable += read.unreadable
        if read.names:
            prediction = predictor.predict(np.stack(read.frames))
            images_of += read.names
            probabilities.append(prediction.probabilities)
            boxes += drawn.boxes_of(prediction, predictor, boxes_for=boxes_for)
    table = drawn.long_table(
        images_of, predictor.findings, probability=np.concatenate(probabilities)
    )
    return table, drawn.boxes_table(images_of, boxes), unreadable


def find_images(paths: list[Path]) -> list[Path]:
    """The image files that `paths` mean, each once, in order; see `score_paths`."""
    files = [file for path in paths for file in _meant(path)]
    if not files:
        named = ", ".join(str(path) for path in paths) or "nothing"
        raise BadInput(f"no PNG or JPEG image in {named}")
    return list(dict.fromkeys(files))


def _meant(path: Path) -> list[Path]:
    refuse_special(path)
    if path.is_dir():
        return sorted(
            file
            for file in path.rglob("*")
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()
        )
    if not path.exists():
        raise BadInput(f"{path} does not exist: name an image, a folder, or a .txt list of images")
    if path.suffix.lower() != ".txt":
        return [path]
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not text: a list holds one image path a line") from None
    return [path.parent / line.strip() for line in lines if line.strip()]


@dataclass(frozen=True)
class _Batch:
    """Files that were read: names, and frames uint8 [size_px, size_px]; and those that were not."""

    names: list[str]
    frames: list[NDArray[np.uint8]]
    unreadable: list[Unreadable]


def _read_batches(files: list[Path], size_px: int) -> Iterator[_Batch]:
    with ThreadPoolExecutor() as pool:
        for at in range(0, len(files), _BATCH):
            batch = _Batch([], [], [])
            part = files[at : at + _BATCH]
            frames = pool.map(lambda file: _frame(file, size_px), part)
            for name, frame in zip((printable(str(file)) for file in part), frames, strict=True):
                if isinstance(frame, str):
                    batch.unreadable.append(Unreadable(name, frame))
                else:
                    batch.names.append(name)
                    batch.frames.append(frame)
            yield batch


def _frame(file: Path, size_px: int) -> NDArray[np.uint8] | str:
    """The file's pixels in the square frame, or the reason why there are none."""
    if printable(str(file)) != str(file):
        return "its name holds control characters or is not UTF-8: rename it"
    if kind := special_kind(file):
        return f"a {kind}, not a file"
    try:
        return images.to_frame(images.decode(file.read_bytes()).pixels, size_px)
    except images.UnreadableImage as error:
        return str(error)
    except OSError as error:
        return str(error.strerror or error)
