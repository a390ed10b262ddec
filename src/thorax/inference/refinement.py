"""Boxes moved and stretched, step by step, by what the image shows in and about them.

Iterative bounding-box regression: Gidaris and Komodakis, ICCV 2015 (arXiv 1505.01749). A linear
map of the image's grey levels and the heatmap's levels in a window about a box says how far to move
and to stretch it (scaled as in Girshick et al., CVPR 2014, appendix C); the next step looks from
there. A heatmap's cells are coarse: the first box lies near its finding, the image tells how near.

Applies the map; `thorax.inference.refining` fits it. Needs neither PyTorch nor pandas.
"""

from typing import Annotated, Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]
Levels = NDArray[np.float32]

SIDE_PX: Final = 128  # images are looked at with this side: 8 px of the paper's 1024
_BLUR_PX = 0.8
_PIXEL_CELLS = 8
_LEVEL_CELLS = 6
_LARGEST_STEP = 0.7  # of a side, and of its logarithm
_LEAST_SIDE = 1e-3
MOST_STEPS: Final = 20
_FEATURES: Final = 7 + _LEVEL_CELLS**2 + _PIXEL_CELLS**2


Weight = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[tuple[Weight, ...], Field(min_length=_FEATURES, max_length=_FEATURES)]


class Refiner(BaseModel):
    """The linear map of one finding: features of a box -> move x, y, stretch width, height."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=0, le=MOST_STEPS)
    """How often it is applied."""
    window_sides: float = Field(gt=0, le=10)
    """The window's width and height, in widths and heights of the box."""
    least_window_share: float = Field(gt=0, lt=1)
    """No window is narrower or lower than this share of the frame."""
    intercepts: tuple[Weight, Weight, Weight, Weight]
    weights: tuple[Row, Row, Row, Row]
    """One row per output, one column per feature (see `features`)."""


class View(NamedTuple):
    """What a refiner looks at.

    Attributes:
        pixels: float32 [SIDE_PX, SIDE_PX], 0 to 1, slightly blurred.
        levels: float32 [h, w], a heatmap stretched to levels of 0 to 1.
    """

    pixels: Levels
    levels: Levels


def view(heatmap: Levels, pixels: NDArray[np.uint8]) -> View:
    """The view of a heatmap [h, w] of any scale, and of the square image [S, S] that it is of."""
    shrinks = len(pixels) > SIDE_PX
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    seen = cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=way).astype(np.float32) / 255
    low, spread = float(heatmap.min()), float(np.ptp(heatmap))
    levels = (heatmap - low) / (spread or 1.0)
    blurred = cv2.GaussianBlur(seen, (0, 0), _BLUR_PX)
    return View(np.asarray(blurred, np.float32), levels.astype(np.float32))


def features(
    box: Floats, seen: View, *, window_sides: float, least_window_share: float
) -> tuple[Floats, float]:
    """What a refiner is given of a box [4]: x, y, width, height in shares of the frame.

    Returns:
        [107]: the centre (x from the midline, outwards), its squares and product, log width and
        height, the heatmap's levels in 6 x 6 and the image's in 8 x 8 places of the window, the
        latter less their mean and over their standard deviation; and the side, -1 where all was
        turned round, since a finding's two sides share one map.
    """
    centre = box[:2] + box[2:] / 2
    window = np.maximum(box[2:] * window_sides, least_window_share)
    side = -1.0 if centre[0] < 0.5 else 1.0
    turn = slice(None, None, int(side))
    pixels = _sampled(seen.pixels, centre, window, _PIXEL_CELLS)[:, turn]
    levels = _sampled(seen.levels, centre, window, _LEVEL_CELLS)[:, turn]
    x, y = (centre[0] - 0.5) * side, centre[1]
    place = [x, y, x * x, y * y, x * y, *np.log(box[2:])]
    stretched = (pixels - pixels.mean()) / (pixels.std() + 1e-3)
    return np.concatenate([place, levels.ravel(), stretched.ravel()]), side


def _sampled(field: Levels, centre: Floats, window: Floats, cells: int) -> NDArray[Any]:
    """A field [h, w] at cells x cells places of a window; beyond its edges as at them."""
    size = np.array(field.shape[::-1])
    step = window * size / cells
    first = (centre - window / 2) * size + step / 2 - 0.5
    matrix = np.array([[step[0], 0, first[0]], [0, step[1], first[1]]], np.float32)
    return cv2.warpAffine(
        field, matrix, (cells, cells),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def offsets(box: Floats, truth: Floats, side: float) -> Floats:
    """What leads from a box [4] to the true one: moves in its sides, logarithms of the stretch."""
    moved = (truth[:2] + truth[2:] / 2 - box[:2] - box[2:] / 2) / box[2:]
    return np.concatenate([moved * [side, 1], np.log(truth[2:] / box[2:])])


def shifted(box: Floats, by: Floats, side: float, smallest: Any, largest: Any) -> Floats:
    """A box [4] after the offsets [4], within the sizes, cut at the frame's edges."""
    by = np.clip(by, -_LARGEST_STEP, _LARGEST_STEP)
    centre = np.clip(box[:2] + box[2:] / 2 + by[:2] * box[2:] * [side, 1], 0, 1)
    size = np.clip(box[2:] * np.exp(by[2:]), np.maximum(smallest, _LEAST_SIDE), largest)
    corner = np.clip(centre - size / 2, 0, 1)
    return np.concatenate([corner, np.clip(centre + size / 2, 0, 1) - corner])


def refine(
    boxes: Floats, seen: View, refiner: Refiner,
    *, smallest: tuple[float, float], largest: tuple[float, float],
) -> Floats:  # fmt: skip
    """Boxes [K, 4] (x, y, width, height in shares of the frame) after the refiner's steps.

    Args:
        boxes: what regression drew.
        seen: of the finding's heatmap and the image.
        refiner: the finding's.
        smallest: no box is narrower or lower than this (width, height) unless it is cut.
        largest: no box is wider or higher than this (width, height).
    """
    weights, intercepts = np.array(refiner.weights), np.array(refiner.intercepts)
    refined = boxes.copy()
    for place, box in enumerate(boxes):
        for _ in range(refiner.steps):
            given, side = features(
                box, seen, window_sides=refiner.window_sides,
                least_window_share=refiner.least_window_share,
            )  # fmt: skip
            box = shifted(box, weights @ given + intercepts, side, smallest, largest)
        refined[place] = box
    return refined
