"""The suite of `data/boxes.csv`: one box per row, in pixels of a square frame.

`row` counts lines of the file, the header being 1.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.findings import FINDINGS, known_column, target_column
from validation import cells
from validation.checks import Check, Table, has_columns, says_nothing

COLUMNS = ("image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px")

_SIDES = COLUMNS[2:]


def judged(boxes: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """`boxes` (text) with numbers for pixels, and a helper column for what a cell cannot show.

    `right_px` and `bottom_px` are the far edges, `no_number` names the cells that are no numbers,
    `stranger` is the image where the manifest has none of that name, `unlabelled` the finding where
    the image is labelled without it.
    """
    if not set(COLUMNS) <= set(boxes.columns):
        return boxes.assign(row=np.arange(2, len(boxes) + 2))
    numbers = {side: cells.numbers(boxes[side]) for side in _SIDES}
    bad = pd.DataFrame(numbers).isna()
    texts = boxes[list(_SIDES)].astype("str").agg(", ".join, axis=1) if bad.any(axis=None) else None
    frame = boxes.assign(row=np.arange(2, len(boxes) + 2), **numbers)
    frame["no_number"] = cells.where(bad.any(axis=1), boxes["x_px"] if texts is None else texts)
    frame["right_px"] = frame["x_px"] + frame["w_px"]
    frame["bottom_px"] = frame["y_px"] + frame["h_px"]
    places = {image: place for place, image in enumerate(manifest["image"].to_numpy(object))}
    place = np.array([places.get(image, -1) for image in boxes["image"]], np.int64)
    frame["stranger"] = cells.where(place < 0, boxes["image"])
    frame["unlabelled"] = cells.where(_unlabelled(boxes, manifest, place), boxes["finding"])
    return frame


def table(frame: pd.DataFrame) -> Table:
    """The suite over what `judged` returned."""
    checks = (has_columns(COLUMNS), *_geometry(), *_meaning())
    return Table("boxes", frame, ("row", "image", "finding"), checks)


def _unlabelled(
    boxes: pd.DataFrame, manifest: pd.DataFrame, place: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Bool [boxes]: the image's finding is known, and absent."""
    absent = np.zeros(len(boxes), bool)
    for finding in FINDINGS:
        ours = (boxes["finding"] == finding).to_numpy(bool) & (place >= 0)
        known = manifest[known_column(finding)].to_numpy(bool)[place[ours]]
        absent[ours] = known & (manifest[target_column(finding)].to_numpy()[place[ours]] == 0)
    return absent


def _geometry() -> tuple[Check, ...]:
    outside = "a box outside its picture is of another picture, or of another size of it"
    low = tuple(
        Check(
            f"no box begins {side} its frame",
            "ExpectColumnValuesToBeBetween",
            {"column": column, "min_value": 0},
            "critical",
            outside,
        )
        for side, column in (("left of", "x_px"), ("above", "y_px"))
    )
    high = tuple(
        Check(
            f"no box ends {side} its frame",
            "ExpectColumnPairValuesAToBeGreaterThanB",
            {"column_A": "frame_px", "column_B": column, "or_equal": True},
            "critical",
            outside,
        )
        for side, column in (("right of", "right_px"), ("below", "bottom_px"))
    )
    size = tuple(
        Check(
            f"every {what} is positive",
            "ExpectColumnValuesToBeBetween",
            {"column": column, "min_value": 0, "strict_min": True},
            "critical",
            "a box without area can be found by no model, and divides by zero",
        )
        for what, column in (
            ("box's width", "w_px"),
            ("box's height", "h_px"),
            ("frame", "frame_px"),
        )
    )
    numbers = says_nothing(
        "every edge is a number",
        "no_number",
        "critical",
        "a box that cannot be read would be left out of every score in silence",
    )
    return (numbers, *low, *high, *size)


def _meaning() -> tuple[Check, ...]:
    return (
        Check(
            "the finding is of the vocabulary",
            "ExpectColumnValuesToBeInSet",
            {"column": "finding", "value_set": list(FINDINGS)},
            "critical",
            "a box of another name is scored for no finding",
        ),
        says_nothing(
            "the image is one of the entries",
            "stranger",
            "critical",
            "a box of an image that is not there was written for other data",
        ),
        says_nothing(
            "the image is labelled with the box's finding",
            "unlabelled",
            "warning",
            "label or box is wrong: the one says absent where the other shows the place",
        ),
        Check(
            "no box stands twice",
            "ExpectCompoundColumnsToBeUnique",
            {"column_list": ["image", "finding", "x_px", "y_px", "w_px", "h_px"]},
            "warning",
            "a box that stands twice counts twice in every localization score",
        ),
    )
