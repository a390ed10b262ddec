"""The boxed images of one split: true boxes, detected boxes and peaks that the manifest lists.

Judges whether the boxes can be scored; scores none.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS

_SIDES = ["x_px", "y_px", "w_px", "h_px", "frame_px"]
_COLUMNS = ["image", "finding", *_SIDES]
_POINT = ["image", "finding", "x_px", "y_px", "frame_px"]


@dataclass(frozen=True)
class Boxed:
    """True and detected boxes on the same images.

    Attributes:
        truth: one true box: image, finding, x_px, y_px, w_px, h_px, frame_px, patient.
        detected: one detected box: the same without patient, and method.
        peaks: one heatmap's highest point: image, finding, x_px, y_px, frame_px.
    """

    truth: pd.DataFrame
    detected: pd.DataFrame
    peaks: pd.DataFrame


def read(truth_path: Path, inference: Path, manifest_path: Path, *, split: str) -> Boxed:
    """Read true boxes, and the boxes and peaks in the folder `inference`.

    Keeps the images of the split that have a true box.

    True boxes on images outside the split (unreadable ones among them) are left out.

    Raises:
        BadInput: a column is missing, a finding unknown, or a box has no area or lies outside its
            frame; the message names the row.
    """
    manifest = artifacts.read_table(manifest_path, ["image", "patient", "split"])
    patients = manifest[manifest["split"] == split].set_index("image")["patient"]
    truth = read_truth(truth_path)
    truth = truth[truth["image"].isin(patients.index)].reset_index(drop=True)
    truth["patient"] = patients.reindex(pd.Index(truth["image"])).to_numpy()
    detected = artifacts.read_table(inference / "boxes.parquet", [*_COLUMNS, "method"])
    _check(detected, inference / "boxes.parquet")
    peaks = artifacts.read_table(inference / "peaks.parquet", _POINT)
    boxed = set(truth["image"])
    return Boxed(truth, _on(detected, boxed), _on(peaks, boxed))


def _on(table: pd.DataFrame, images: set[str]) -> pd.DataFrame:
    return table[table["image"].isin(images)].reset_index(drop=True)


def read_truth(path: Path) -> pd.DataFrame:
    """The true boxes of `data/boxes.csv`: image, finding, x_px, y_px, w_px, h_px, frame_px.

    Raises:
        BadInput: the file is missing or no table of boxes, a finding is unknown, or a box has no
            area or lies outside its frame; the message names the row.
    """
    try:
        boxes = pd.read_csv(path, dtype={"image": str, "finding": str})
    except FileNotFoundError:
        raise BadInput(f"{path} is missing: pull the data first (thorax pull)") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise BadInput(f"{path} is not a table of boxes ({error}): pull the data again") from None
    if missing := [name for name in _COLUMNS if name not in boxes.columns]:
        raise BadInput(f"{path}: column {missing[0]!r} is missing; expected {','.join(_COLUMNS)}")
    _check(boxes, path)
    _check_inside(boxes, path)
    return boxes


def _check_inside(boxes: pd.DataFrame, path: Path) -> None:
    """Refuse a box that leaves its frame by more than a pixel (tables round to whole pixels)."""
    x, y, w, h, frame = boxes[_SIDES].to_numpy(np.float64).T
    outside = (np.minimum(x, y) < -1) | (np.maximum(x + w, y + h) > frame + 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise BadInput(
            f"{path}, row {row + 2}: the box of {boxes['finding'].iloc[row]} on "
            f"{boxes['image'].iloc[row]} runs from ({x[row]:g}, {y[row]:g}) to "
            f"({x[row] + w[row]:g}, {y[row] + h[row]:g}), outside its frame of {frame[row]:g} px: "
            "correct the box or its frame_px, and pull again"
        )


def _check(boxes: pd.DataFrame, path: Path) -> None:
    strange = ~boxes["finding"].isin(FINDINGS)
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        name = boxes["finding"].iloc[row]
        raise BadInput(f"{path}, row {row + 2}: {name!r} is no finding that this project knows")
    sides = boxes[_SIDES].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(sides).all(axis=1) | (sides[:, 2:] <= 0).any(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadInput(
            f"{path}, row {row + 2}: a box needs finite x_px and y_px, and w_px, h_px and frame_px "
            f"above 0, not {dict(zip(_SIDES, sides[row].tolist(), strict=True))}"
        )
