"""Soft shapes on a pixel grid, from operations that IEEE 754 fixes to the last bit.

Only elementwise + - * /, square roots, comparisons and table look-ups: no exp, no sine, no
interpolation routine, no sum over floats. So every processor draws the same.
Fields are float32 [H, W]; lengths are fractions of the frame, y grows downwards.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thorax.sources.phantom.dice import Dice, Field


@dataclass(frozen=True)
class Pose:
    """How the patient stood before the detector.

    Attributes:
        tilt: rotation in the image plane, as a tangent.
        shift_x: of the midline, as a fraction of the frame; positive to the image's right.
        shift_y: the same, downwards.
        zoom: above 1 the chest fills more of the frame.
    """

    tilt: float
    shift_x: float
    shift_y: float
    zoom: float


def grid(size_px: int, pose: Pose) -> tuple[Field, Field]:
    """The patient's x (0 on the midline, the patient's left positive) and y (0 top, 1 bottom)."""
    steps = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px - 0.5
    u, v = steps[None, :] - pose.shift_x, steps[:, None] - pose.shift_y
    x = (u + pose.tilt * v) / pose.zoom
    y = (v - pose.tilt * u) / pose.zoom + 0.5
    return x.astype(np.float32), y.astype(np.float32)


def rise(values: Field) -> Field:
    """Smooth step from 0 (at -1 and below) to 1 (at 1 and above)."""
    t = np.clip(values * 0.5 + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def hump(squared: Field) -> Field:
    """A round hump: 1 where `squared` is 0, 0 from 1 on; `squared` is a squared distance."""
    t = np.maximum(1 - squared, 0)
    return np.asarray(t * t, np.float32)


def disc(x: Field, y: Field, *, soft: float) -> Field:
    """1 inside the unit circle of the scaled coordinates, with an edge of +-`soft` radii."""
    return rise((1 - np.sqrt(x * x + y * y)) / soft)


def band(distance: Field, half_width: Field | float, *, soft: float) -> Field:
    """1 where |distance| is below `half_width`, with an edge of +-`soft`."""
    return rise((half_width - np.abs(distance)) / soft)


def root(values: Field) -> Field:
    """Square root, 0 for negative values."""
    return np.sqrt(np.maximum(values, 0))


def clouds(dice: Dice, size_px: int, cells: int) -> Field:
    """Smooth noise in [-1, 1] [size_px, size_px]: random levels on a lattice of `cells`."""
    nodes = np.clip(dice.grain(cells + 2, cells + 2) * 0.6, -1, 1)
    place = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px * cells
    index = place.astype(np.int64)
    t = place - index
    weight = (t * t * (3 - 2 * t)).astype(np.float32)
    down = nodes[index] * (1 - weight[:, None]) + nodes[index + 1] * weight[:, None]
    return np.asarray(down[:, index] * (1 - weight) + down[:, index + 1] * weight, dtype=np.float32)


def stroke(
    field: Field,
    x: Field,
    y: Field,
    *,
    start: tuple[float, float],
    end: tuple[float, float],
    half_width: float,
    amount: float,
) -> None:
    """Raise `field` in place to `amount` along a segment with soft edges (a vessel, a line)."""
    rows, columns = _window(x, y, start, end, half_width * 2)
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    px, py = x[rows, columns] - start[0], y[rows, columns] - start[1]
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    ex, ey = px - along * dx, py - along * dy
    reach = half_width * 2
    profile = hump((ex * ex + ey * ey) / (reach * reach)) * amount
    np.maximum(field[rows, columns], profile, out=field[rows, columns])


def _window(
    x: Field, y: Field, start: tuple[float, float], end: tuple[float, float], reach: float
) -> tuple[slice, slice]:
    """Rows and columns that surely hold the segment: the grid is tilted by little."""
    size = x.shape[0]
    middle = size // 2
    step = float(x[middle, middle + 1] - x[middle, middle])
    slack = reach + 0.04
    low_x, high_x = min(start[0], end[0]) - slack, max(start[0], end[0]) + slack
    low_y, high_y = min(start[1], end[1]) - slack, max(start[1], end[1]) + slack
    zero_x, zero_y = float(x[middle, middle]), float(y[middle, middle])
    rows = slice(*_clip((low_y - zero_y) / step, (high_y - zero_y) / step, middle, size))
    columns = slice(*_clip((low_x - zero_x) / step, (high_x - zero_x) / step, middle, size))
    return rows, columns


def _clip(low: float, high: float, middle: int, size: int) -> tuple[int, int]:
    return max(int(middle + low), 0), min(int(middle + high) + 2, size)


def extent(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """The tight box x, y, w, h in pixels of what is True; None when nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    top, left = int(rows[0]), int(columns[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
