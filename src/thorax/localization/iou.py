"""Overlap of boxes: IoU, and IoBB (intersection over the area of the detected box).

Both as in Wang et al. (CVPR 2017, section 3.2 and appendix A.3). Boxes are `x, y, w, h` in pixels,
x, y the top left corner; `rescale` brings boxes of one square frame into another.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def rescale(boxes: NDArray[Any], *, frame_px: NDArray[Any], to_px: NDArray[Any]) -> Floats:
    """Boxes [K, 4] of square frames frame_px [K] as boxes of frames of to_px [K]."""
    factor = np.asarray(to_px, dtype=np.float64) / np.asarray(frame_px, dtype=np.float64)
    return np.asarray(boxes, dtype=np.float64) * factor[:, None]


def intersection(detected: Floats, truth: Floats) -> Floats:
    """Shared area in square pixels of each pair of rows: detected [K, 4], truth [K, 4] -> [K]."""
    left_top = np.maximum(detected[:, :2], truth[:, :2])
    right_bottom = np.minimum(detected[:, :2] + detected[:, 2:], truth[:, :2] + truth[:, 2:])
    sides = np.clip(right_bottom - left_top, 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def iou(detected: Floats, truth: Floats) -> Floats:
    """Intersection over union of each pair of rows: [K, 4], [K, 4] -> [K]; 0 without any area."""
    shared = intersection(detected, truth)
    return _share(shared, _area(detected) + _area(truth) - shared)


def iobb(detected: Floats, truth: Floats) -> Floats:
    """Intersection over the detected box's area of each pair of rows: [K, 4], [K, 4] -> [K]."""
    return _share(intersection(detected, truth), _area(detected))


def _area(boxes: Floats) -> Floats:
    return np.asarray(boxes[:, 2] * boxes[:, 3])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
