"""An image with a heatmap and boxes on it, as PNG: for the README, the reports and the pages.

The heatmap is drawn in a perceptually ordered colormap whose opacity grows with its strength, so
that what is weak leaves the radiograph as it is. Predicted boxes are solid, true ones dashed. Draws
only: the boxes and their scores come from elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax import images
from thorax.inference.boxes import Box, normalise

Colour = tuple[int, int, int]  # blue, green, red
Picture = NDArray[np.uint8]  # [H, W, 3], blue, green, red

_PREDICTED: Final[Colour] = (80, 208, 255)  # amber
_TRUE: Final[Colour] = (160, 230, 120)  # green
_INK: Final[Colour] = (235, 235, 235)
_QUIET: Final[Colour] = (165, 165, 165)
_PAPER: Final[Colour] = (24, 20, 18)
_STRONGEST_ALPHA = 0.6
_DASH_SHARE = 0.016  # of the side
_TEXT_SHARE = 0.031
_CAPTION_SHARE = 0.075


@dataclass(frozen=True)
class Layers:
    """What lies over the image.

    Attributes:
        heatmap: [h, w] at any scale, or None.
        predicted: boxes of the model.
        true: boxes of people, or of the phantom.
        caption: one line under the image; empty: none.
    """

    heatmap: NDArray[np.float32] | None = None
    predicted: Sequence[Box] = ()
    true: Sequence[Box] = ()
    caption: str = ""


def overlay(pixels: NDArray[np.uint8], layers: Layers, *, size_px: int = 768) -> bytes:
    """Draw `layers` over grey levels.

    Args:
        pixels: uint8 [H, W]; drawn as a square of `size_px`.
        layers: what to draw.
        size_px: side of the drawn image in pixels, without the caption.

    Returns:
        The bytes of a PNG.
    """
    grey = cv2.resize(pixels, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if layers.heatmap is not None:
        picture = _tinted(picture, layers.heatmap)
    for box in layers.true:
        _draw_box(picture, box, _TRUE, dashed=True)
    for box in layers.predicted:
        _draw_box(picture, box, _PREDICTED, dashed=False)
    if layers.caption:
        picture = np.vstack([picture, _caption(layers, size_px)])
    return images.encode_png(picture)


def _tinted(picture: Picture, heatmap: NDArray[np.float32]) -> Picture:
    """The picture with the heatmap over it; opacity is the square of strength, up to the limit."""
    levels = normalise(heatmap)
    if levels is None:
        return picture
    side = picture.shape[0]
    levels = cv2.resize(levels, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    colours = cv2.applyColorMap(levels.astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = _STRONGEST_ALPHA * (levels[..., None] / 255) ** 2  # [H, W, 1]
    return np.asarray((picture * (1 - alpha) + colours * alpha).round(), np.uint8)


def _draw_box(picture: Picture, box: Box, colour: Colour, *, dashed: bool) -> None:
    side = picture.shape[0]
    factor = side / box.frame_px
    left, top = round(box.x_px * factor), round(box.y_px * factor)
    right, bottom = round((box.x_px + box.w_px) * factor), round((box.y_px + box.h_px) * factor)
    right, bottom = min(right, side - 1), min(bottom, side - 1)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    dash = max(2, round(side * _DASH_SHARE))
    width = max(1, side // 384)
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        for a, b in _dashes(start, end, dash) if dashed else [(start, end)]:
            cv2.line(picture, a, b, colour, width, cv2.LINE_AA)


def _dashes(
    start: tuple[int, int], end: tuple[int, int], dash: int
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Every second piece of `dash` pixels of a horizontal or vertical line."""
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    if length == 0:
        return []
    step = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)

    def at(distance: int) -> tuple[int, int]:
        return round(start[0] + step[0] * distance), round(start[1] + step[1] * distance)

    return [(at(d), at(min(d + dash, length))) for d in range(0, length, 2 * dash)]


def _caption(layers: Layers, width: int) -> Picture:
    """A dark strip with the caption on the left and the key to the boxes on the right."""
    height = round(width * _CAPTION_SHARE)
    strip = np.full((height, width, 3), _PAPER, np.uint8)
    size = max(10, round(width * _TEXT_SHARE))
    base, margin = round(height * 0.62), round(width * 0.022)
    font = cv2.FontFace("sans")
    cv2.putText(strip, layers.caption, (margin, base), _INK, font, size)
    right = width - margin
    for name, colour, drawn in (
        ("true", _TRUE, bool(layers.true)),
        ("predicted", _PREDICTED, bool(layers.predicted)),
    ):
        if drawn:
            right = _key(strip, name, colour, (right, base), size)
    return strip


def _key(strip: Picture, name: str, colour: Colour, corner: tuple[int, int], size: int) -> int:
    """Write one entry that ends at `corner`; returns where the next one must end."""
    small = round(size * 0.82)
    font = cv2.FontFace("sans")
    _, _, length, _ = cv2.getTextSize((0, 0), name, (0, 0), font, small)
    right, base = corner
    left = right - length
    cv2.putText(strip, name, (left, base), _QUIET, font, small)
    line, y = round(size * 0.9), base - small // 3
    start = left - line - small // 2
    dashed = name == "true"
    for a, b in (
        _dashes((start, y), (start + line, y), line // 5)
        if dashed
        else [((start, y), (start + line, y))]
    ):
        cv2.line(strip, a, b, colour, 2, cv2.LINE_AA)
    return start - size
