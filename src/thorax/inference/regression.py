"""From a heatmap to boxes by bounding-box regression: what is said at a peak becomes a box.

Bounding-box regression: Girshick et al., CVPR 2014 (arXiv 1311.2524), appendix C, there from the
features of a proposed region, here from the position of a heatmap's peak and from how the heatmap
spreads about it. A linear map per finding gives centre and size, so it holds what is common to the
finding's boxes (the heart lies where hearts lie, a nodule is small) as well as what this heatmap
says. Chests are near symmetric: a finding's two sides may share one map. What the image shows in
and about a box can move it further (`thorax.inference.refinement`).

Applies the maps; `thorax.inference.ridge` fits them. Needs neither PyTorch nor pandas.
"""

from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from thorax.inference.refinement import Refiner, View, refine
from thorax.localization.iou import iou

Floats = NDArray[np.float64]
Method = Literal["regression", "paper"]
Origin = Literal["its own boxes", "the boxes of all findings", "the stated default"]

GRID: Final = 64  # heatmaps are enlarged to this side: peaks to 16 px of the paper's 1024
_DEFAULT_SIDE: Final = 0.2  # of the frame; a median side of the boxes of Wang et al. (2017)
_SAME: Final = 0.5  # IoU from which two boxes are one
_OWN: Final = 6  # features that no window gives: position, its squares, level


class Regressor(BaseModel):
    """The linear map of one finding: features of a peak -> centre x, y, log width, log height.

    Lengths are shares of the frame; x is counted from the midline (outwards when `mirrored`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mirrored: bool = False
    """Whether left and right share the map, x counted outwards from the midline."""
    least_level: float = 1.0
    """A further peak gives a box when it reaches this share of the first one's height; 1: none."""
    intercepts: tuple[float, float, float, float]
    weights: tuple[tuple[float, ...], ...]
    """One row per output, one column per feature (see `features`)."""
    smallest_shares: tuple[float, float] = (0.0, 0.0)
    """No box is narrower or lower than this (width, height)."""
    largest_shares: tuple[float, float] = (1.0, 1.0)
    """No box is wider or higher than this (width, height)."""
    boxes: int = 0
    """How many boxes it was fitted on."""
    origin: Origin = "the stated default"
    """Whose boxes those were."""
    refiner: Refiner | None = None
    """What moves its boxes further; None: nothing does."""


class BoxMaker(BaseModel):
    """How heatmaps become boxes; a part of `predictor.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "paper"
    """What is drawn where no method is named."""
    fitted_on: str = "defaults: no boxes to fit on"
    """On which boxes the regressors were fitted."""
    peaks: int = Field(default=2, ge=1)
    """Most boxes of one finding on one image."""
    apart_share: float = Field(default=0.15, gt=0, lt=1)
    """Peaks nearer than this share of the frame are one."""
    window_shares: tuple[float, ...] = (0.08, 0.16)
    """Standard deviations of the windows in which a heatmap's spread about a peak is measured."""
    regressors: dict[str, Regressor] = {}
    """By finding; one that is missing has the stated default."""

    @model_validator(mode="after")
    def _maps_fit(self) -> "BoxMaker":
        columns = _OWN + 4 * len(self.window_shares)
        for finding, regressor in self.regressors.items():
            if [len(row) for row in regressor.weights] != [columns] * 4:
                raise ValueError(f"the map of {finding} must have 4 rows of {columns} weights")
        return self

    def regressor(self, finding: str) -> Regressor:
        """The finding's map, or the default one."""
        return self.regressors.get(finding) or default_regressor(len(self.window_shares))


def default_regressor(windows: int) -> Regressor:
    """A square of a fifth of the frame about the peak: where there are no boxes to learn from."""
    weights = np.zeros((4, _OWN + 4 * windows))
    weights[0, 0] = weights[1, 1] = 1
    size = float(np.log(_DEFAULT_SIDE))
    return Regressor(intercepts=(0, 0, size, size), weights=tuple(map(tuple, weights.tolist())))


def maxima_of(heatmap: NDArray[np.float32], maker: BoxMaker) -> Floats:
    """The highest local maxima of a heatmap, highest first.

    Args:
        heatmap: [h, w], any scale; stretched to levels of 0 to 1.
        maker: how many peaks, how far apart, and the windows about them.

    Returns:
        [K, 3 + 4 W]: x, y (shares of the frame), level, and for each of W windows the offset of
        the mean (x, y) and the standard deviation (x, y) of the squared levels under it. No row for
        a flat heatmap.
    """
    cells = heatmap.astype(np.float32)
    if not np.ptp(cells) > np.finfo(np.float32).eps * np.abs(cells).max():
        return np.empty((0, 3 + 4 * len(maker.window_shares)))
    large = cv2.resize(cells, (GRID, GRID), interpolation=cv2.INTER_CUBIC)
    levels = ((large - large.min()) / np.ptp(large)).astype(np.float64)
    at = (np.arange(GRID) + 0.5) / GRID
    left = np.where(levels >= cv2.dilate(levels, np.ones((3, 3))), levels, -1)
    found = []
    for _ in range(maker.peaks):
        row, column = divmod(int(left.argmax()), GRID)
        if left[row, column] < 0:
            break
        x, y = at[column], at[row]
        spread = [value for sd in maker.window_shares for value in _spread(levels, x, y, sd)]
        found.append([x, y, levels[row, column], *spread])
        left[(at[:, None] - y) ** 2 + (at[None, :] - x) ** 2 < maker.apart_share**2] = -1
    return np.array(found)


def _spread(levels: Floats, x: float, y: float, sd: float) -> tuple[float, float, float, float]:
    """Offset of the mean from x, y and standard deviations, under a Gaussian window of `sd`."""
    at = (np.arange(GRID) + 0.5) / GRID
    across, down = (np.exp(-((at - middle) ** 2) / (2 * sd * sd)) for middle in (x, y))
    mass = levels**2 * down[:, None] * across[None, :]
    columns, rows = mass.sum(axis=0), mass.sum(axis=1)
    total = columns.sum()
    mean_x, mean_y = (columns @ at) / total, (rows @ at) / total
    sd_x = np.sqrt(columns @ (at - mean_x) ** 2 / total)
    sd_y = np.sqrt(rows @ (at - mean_y) ** 2 / total)
    return mean_x - x, mean_y - y, float(sd_x), float(sd_y)


def features(peaks: Floats, *, mirrored: bool) -> tuple[Floats, Floats]:
    """What a regressor is given.

    Args:
        peaks: [K, 3 + 4 W] of `maxima_of`.
        mirrored: count x outwards from the midline.

    Returns:
        [K, 6 + 4 W]: x from the midline, y, their squares and product, level, the windows' values;
        and the sides [K], -1 where x was turned round.
    """
    sides = np.where(mirrored & (peaks[:, 0] < 0.5), -1.0, 1.0)
    x, y = (peaks[:, 0] - 0.5) * sides, peaks[:, 1]
    windows = peaks[:, 3:].copy()
    windows[:, ::4] *= sides[:, None]  # the offsets along x
    return np.column_stack([x, y, x * x, y * y, x * y, peaks[:, 2], windows]), sides


def regress(peaks: Floats, regressor: Regressor) -> Floats:
    """The box of each peak, [K, 4]: x, y (top left corner), width, height, in shares of the frame.

    Boxes are cut at the frame's edges.
    """
    given, sides = features(peaks, mirrored=regressor.mirrored)
    out = given @ np.array(regressor.weights).T + np.array(regressor.intercepts)
    sizes = np.exp(np.clip(out[:, 2:], -10, 0))
    sizes = np.clip(sizes, regressor.smallest_shares, regressor.largest_shares)
    centres = np.clip(np.column_stack([0.5 + out[:, 0] * sides, out[:, 1]]), 0, 1)
    corner = np.clip(centres - sizes / 2, 0, 1)
    return np.hstack([corner, np.clip(centres + sizes / 2, 0, 1) - corner])


def drawn_at(peaks: Floats, regressor: Regressor, seen: View) -> Floats:
    """The boxes [K, 4] of peaks: what `regress` gives, moved by the refiner where there is one."""
    boxes = regress(peaks, regressor)
    if regressor.refiner is None:
        return boxes
    return refine(
        boxes, seen, regressor.refiner,
        smallest=regressor.smallest_shares, largest=regressor.largest_shares,
    )  # fmt: skip


def reaching(levels: Floats, least_level: float) -> NDArray[np.bool_]:
    """Which peaks [K], highest first, give a box: the first, and those that reach `least_level`."""
    wanted = levels >= least_level
    wanted[:1] = True
    return np.asarray(wanted)


def distinct(boxes: Floats) -> list[int]:
    """The places of the boxes [K, 4] that no box kept before them overlaps by more than a half."""
    kept: list[int] = []
    for place, box in enumerate(boxes):
        others = boxes[kept]
        if not (iou(np.broadcast_to(box, others.shape), others) > _SAME).any():
            kept.append(place)
    return kept
