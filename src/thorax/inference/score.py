"""Scores image files with the predictor that is served: a folder, an image, or a list of images.

PNG and JPEG through `thorax.images`. A file that cannot be read, or that the predictor's image
checks refuse, is listed with its reason and stops nothing. Reads no manifest and writes no file.
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
from thorax.files import refuse_special
from thorax.image_checks import check
from thorax.images import ImageWarning
from thorax.inference import drawn
from thorax.inference.boxes import BoxesFor
from thorax.inference.predictor import Predictor
from thorax.progress import track

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
_BATCH = 32  # images decoded and scored together


@dataclass(frozen=True)
class Unscored:
    """A file that was not scored, and why."""

    image: str
    reason: str


@dataclass(frozen=True)
class Scored:
    """What came of some files.

    Attributes:
        table: one image x finding a row: `image, finding, probability, threshold, flagged`, then
            `threshold_AIM, flagged_AIM` of each operating point, `warnings` (codes, `A|B`).
        boxes: one box a row, as `boxes.parquet`.
        unscored: the files that could not be read or were refused.
        warnings: by image what the checks warned of, in words.
    """

    table: pd.DataFrame
    boxes: pd.DataFrame
    unscored: list[Unscored]
    warnings: dict[str, list[str]]


def score_paths(
    predictor: Predictor, paths: list[Path], *, boxes_for: BoxesFor = "from threshold"
) -> Scored:
    """Score files.

    Args:
        predictor: what scores.
        paths: images, folders (searched to the bottom for PNG and JPEG), or `.txt` lists with one
            image a line, relative to the list.
        boxes_for: which findings give boxes.

    Raises:
        BadInput: a path does not exist, or there is no image to score.
    """
    files = find_images(paths)
    whole = _Batch([], [], [], [])
    probabilities = [np.empty((0, len(predictor.findings)), np.float32)]
    boxes = []
    batches = -(-len(files) // _BATCH)
    for read in track(_read_batches(files, predictor), "scored batches", batches):
        whole.unscored.extend(read.unscored)
        if read.names:
            prediction = predictor.predict(np.stack(read.frames))
            whole.names.extend(read.names)
            whole.warnings.extend(read.warnings)
            probabilities.append(prediction.probabilities)
            boxes += drawn.boxes_of(prediction, predictor, boxes_for=boxes_for)
    table = drawn.long_table(
        whole.names, predictor.findings, probability=np.concatenate(probabilities)
    )
    codes = ["|".join(warning.code for warning in each) for each in whole.warnings]
    table = _with_thresholds(table, predictor).assign(
        warnings=np.repeat(np.asarray(codes, object), len(predictor.findings))
    )
    return Scored(
        table.astype({"warnings": "str"}),
        drawn.boxes_table(whole.names, boxes),
        whole.unscored,
        {
            name: [warning.text for warning in each]
            for name, each in zip(whole.names, whole.warnings, strict=True)
            if each
        },
    )


def _with_thresholds(table: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """The table with each finding's thresholds, and whether the probability reaches them."""
    aims = {
        f"_{aim}": {finding: point.threshold for finding, point in points.findings.items()}
        for aim, points in predictor.description.operating_points.items()
    }
    for suffix, thresholds in {"": predictor.thresholds, **aims}.items():
        limits = table["finding"].map(thresholds).astype("float64")
        flagged = (table["probability"] >= limits).astype("boolean").mask(limits.isna())
        table[f"threshold{suffix}"] = limits
        table[f"flagged{suffix}"] = flagged
    return table


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
    refuse_special(path)
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
    """Files that were read: names, frames uint8 [size_px, size_px] and warnings; and the others."""

    names: list[str]
    frames: list[NDArray[np.uint8]]
    warnings: list[tuple[ImageWarning, ...]]
    unscored: list[Unscored]


def _read_batches(files: list[Path], predictor: Predictor) -> Iterator[_Batch]:
    with ThreadPoolExecutor() as pool:
        for at in range(0, len(files), _BATCH):
            batch = _Batch([], [], [], [])
            part = files[at : at + _BATCH]
            frames = pool.map(lambda file: _frame(file, predictor), part)
            for name, frame in zip(map(str, part), frames, strict=True):
                if isinstance(frame, str):
                    batch.unscored.append(Unscored(name, frame))
                else:
                    batch.names.append(name)
                    batch.frames.append(frame[0])
                    batch.warnings.append(frame[1])
            yield batch


def _frame(
    file: Path, predictor: Predictor
) -> tuple[NDArray[np.uint8], tuple[ImageWarning, ...]] | str:
    """The file's pixels in the square frame with warnings, or the reason why there are none."""
    try:
        refuse_special(file)
        decoded = images.decode(file.read_bytes())
    except BadInput as error:
        return str(error)
    except OSError as error:
        return str(error.strerror or error)
    checked = check(decoded, predictor.description.image_checks)
    if checked.refusals:
        return checked.reason
    return images.to_frame(decoded.pixels, predictor.size_px), checked.warnings
