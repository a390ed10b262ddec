"""From a heatmap to boxes, as the paper does or by regression.

Wang et al., CVPR 2017 (arXiv 1705.02315), section 3.2 and appendix A.3: the heatmap is normalised
to [0, 255], thresholded at 60 and at 180 one by one, and a box is drawn around each isolated region
of both binary maps (method `paper`). Not stated there and chosen here: the normalisation is min-max
per heatmap, after bilinear enlargement; regions are 8-connected; a box that both thresholds give
counts once. The other method is that of `thorax.inference.regression`.

Makes boxes; scores none (that is `thorax.localization`).
"""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax.inference.refinement import view
from thorax.inference.regression import BoxMaker, Method, distinct, drawn_at, maxima_of, reaching

BoxesFor = Literal["from threshold", "every finding"]

METHODS: Final[tuple[Method, ...]] = ("regression", "paper")
PAPER_LEVELS: Final = (60, 180)
_GRID_PX = 256  # heatmaps are enlarged to this side: edges to 4 px of the paper's 1024


@dataclass(frozen=True)
class Box:
    """One box in pixels of a square frame; x, y is the top left corner.

    Attributes:
        finding: what it bounds.
        x_px, y_px, w_px, h_px: where it lies.
        frame_px: side of the frame.
        score: higher is surer.
        method: how it was made.
    """

    finding: str
    x_px: float
    y_px: float
    w_px: float
    h_px: float
    frame_px: int
    score: float
    method: str


def boxes_of(
    heatmap: NDArray[np.float32], pixels: NDArray[np.uint8], maker: BoxMaker, *, finding: str,
    frame_px: int, score: float, method: Method | None = None,
) -> list[Box]:  # fmt: skip
    """The boxes of one heatmap [h, w], surest first; a flat one gives none.

    Args:
        heatmap: any scale.
        pixels: the image [S, S] that was scored.
        maker: the predictor's.
        finding: what the heatmap shows.
        frame_px: side of the frame in which the boxes are given.
        score: the finding's probability.
        method: how; None: the maker's own method.
    """
    if (method or maker.method) == "paper":
        return paper_boxes(heatmap, finding=finding, frame_px=frame_px, score=score)
    return regression_boxes(heatmap, pixels, maker, finding=finding, frame_px=frame_px, score=score)


def regression_boxes(
    heatmap: NDArray[np.float32], pixels: NDArray[np.uint8], maker: BoxMaker, *, finding: str,
    frame_px: int, score: float,
) -> list[Box]:  # fmt: skip
    """A box for each high peak; its score is `score` times the peak's level (the first's is 1).

    Of two that overlap by an IoU of more than a half only the first is drawn.
    """
    peaks = maxima_of(heatmap, maker)
    if not len(peaks):
        return []
    regressor = maker.regressor(finding)
    peaks = peaks[reaching(peaks[:, 2], regressor.least_level)]
    drawn = drawn_at(peaks, regressor, view(heatmap, pixels))
    kept = distinct(drawn)
    sides_px = (drawn[kept] * frame_px).tolist()
    return [
        Box(finding, x, y, w, h, frame_px, score * level, "regression")
        for (x, y, w, h), level in zip(sides_px, peaks[kept, 2].tolist(), strict=True)
    ]


def paper_boxes(
    heatmap: NDArray[np.float32], *, finding: str, frame_px: int, score: float
) -> list[Box]:
    """The paper's boxes of one heatmap, surest first.

    Args:
        heatmap: [h, w], any scale. A flat one gives no box.
        finding: what the heatmap shows.
        frame_px: side of the frame in which the boxes are given.
        score: the finding's probability; a box's score is this times the mean of its region's
            levels as a share of 255, so the tighter box of a peak comes first.
    """
    levels = normalise(heatmap)
    if levels is None:
        return []
    factor = frame_px / levels.shape[0]
    found: dict[tuple[float, ...], Box] = {}
    for threshold in PAPER_LEVELS:
        for x, y, w, h, mean in _regions(levels, threshold):
            corners = (x * factor, y * factor, w * factor, h * factor)
            found[corners] = Box(finding, *corners, frame_px, score * mean / 255, "paper")
    return sorted(found.values(), key=lambda box: -box.score)


def normalise(heatmap: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Enlarge a heatmap [h, w] to a square and stretch it to [0, 255]; None when it is flat."""
    side = max(_GRID_PX, *heatmap.shape)
    large = cv2.resize(heatmap.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    low, high = float(large.min()), float(large.max())
    if not high - low > np.finfo(np.float32).eps * max(abs(low), abs(high)):
        return None
    return np.asarray((large - low) * (255 / (high - low)), np.float32)


def _regions(levels: NDArray[np.float32], threshold: int) -> list[tuple[int, int, int, int, float]]:
    """Each 8-connected region above `threshold`: x, y, w, h and the mean of its levels."""
    binary = (levels > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    sums = np.bincount(labels.ravel(), weights=levels.ravel(), minlength=count)
    return [
        (
            int(stats[region, cv2.CC_STAT_LEFT]),
            int(stats[region, cv2.CC_STAT_TOP]),
            int(stats[region, cv2.CC_STAT_WIDTH]),
            int(stats[region, cv2.CC_STAT_HEIGHT]),
            float(sums[region] / stats[region, cv2.CC_STAT_AREA]),
        )
        for region in range(1, count)  # 0 is the background
    ]
