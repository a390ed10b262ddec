"""An image with a heatmap and boxes on it, as PNG: for the README, the reports and the pages.

The heat of the strongest place is the finding's probability, so that one colour means one strength
in every picture; a legend below says which. Opacity grows with both: what is weak leaves the
radiograph as it is, and a finding at probability 0.00 has no heat. Predicted boxes are solid in the
finding's colour, true ones dashed. Draws only: the boxes and their scores come from elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax import images
from thorax.inference.boxes import Box, normalise
from thorax.inference.colours import blue_green_red

Colour = tuple[int, int, int]  # blue, green, red
Picture = NDArray[np.uint8]  # [H, W, 3], blue, green, red

_TRUE: Final[Colour] = (250, 250, 250)
_INK: Final[Colour] = (235, 235, 235)
_QUIET: Final[Colour] = (165, 165, 165)
_PAPER: Final[Colour] = (24, 20, 18)
_STRONGEST_ALPHA = 0.6
_DASH_SHARE = 0.016  # of the side
_TEXT_SHARE = 0.031
_CAPTION_SHARE = 0.075
_LEAST_PROBABILITY = 0.005  # below it a probability is printed as 0.00
_COLOURMAP = cv2.COLORMAP_PLASMA


@dataclass(frozen=True)
class Layers:
    """What lies over the image.

    Attributes:
        heatmap: [h, w] at any scale, or None.
        probability: of the finding that the heatmap is of, 0 to 1: the heat of its strongest place.
        predicted: boxes of the model.
        true: boxes of people, or of the phantom.
        caption: one line under the image; empty: none, and no legend.
    """

    heatmap: NDArray[np.float32] | None = None
    probability: float = 1.0
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
        picture = _tinted(picture, layers.heatmap, layers.probability)
    for box in layers.true:
        _draw_box(picture, box, _TRUE, dashed=True)
    for box in layers.predicted:
        _draw_box(picture, box, blue_green_red(box.finding), dashed=False)
    if layers.caption:
        picture = np.vstack([picture, _caption(layers, size_px)])
    return images.encode_png(picture)


def _tinted(picture: Picture, heatmap: NDArray[np.float32], probability: float) -> Picture:
    """The picture with the heatmap over it, its strongest place at `probability`."""
    levels = normalise(heatmap)
    if levels is None or probability < _LEAST_PROBABILITY:
        return picture
    side = picture.shape[0]
    levels = cv2.resize(levels, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    colours = cv2.applyColorMap((probability * levels).astype(np.uint8), _COLOURMAP)
    alpha = _STRONGEST_ALPHA * np.sqrt(probability) * (levels[..., None] / 255) ** 2  # [H, W, 1]
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
    """A dark strip: the caption, and below it the legend of the heat and the key to the boxes."""
    row = round(width * _CAPTION_SHARE)
    strip = np.full((2 * row, width, 3), _PAPER, np.uint8)
    size = max(10, round(width * _TEXT_SHARE))
    base, margin = round(row * 0.62), round(width * 0.022)
    font = cv2.FontFace("sans")
    cv2.putText(strip, layers.caption, (margin, base), _INK, font, size)
    base += round(row * 0.85)
    if layers.heatmap is not None:
        _legend(strip, (margin, base), size, none=layers.probability < _LEAST_PROBABILITY)
    right = width - margin
    predicted = blue_green_red(layers.predicted[0].finding) if layers.predicted else _INK
    for name, colour, drawn in (
        ("true", _TRUE, bool(layers.true)),
        ("predicted", predicted, bool(layers.predicted)),
    ):
        if drawn:
            right = _key(strip, name, colour, (right, base), size)
    return strip


def _legend(strip: Picture, corner: tuple[int, int], size: int, *, none: bool) -> None:
    """Write the scale of the heat from `corner` on: one for all pictures, from 0 to 1."""
    small, font = round(size * 0.82), cv2.FontFace("sans")
    left, base = corner
    if none:
        cv2.putText(strip, "no heat at probability 0.00", (left, base), _QUIET, font, small)
        return
    left = _put(strip, "heat  0", (left, base), small)
    length, height = 6 * size, max(3, round(size * 0.6))
    ramp = np.linspace(0, 255, length).astype(np.uint8)[None].repeat(height, axis=0)
    top = base - height
    strip[top:base, left : left + length] = cv2.applyColorMap(ramp, _COLOURMAP)
    _put(strip, "1 probability", (left + length + small // 2, base), small)


def _put(strip: Picture, text: str, corner: tuple[int, int], size: int) -> int:
    """Write `text`; returns where the next thing may start."""
    font = cv2.FontFace("sans")
    _, _, length, _ = cv2.getTextSize((0, 0), text, (0, 0), font, size)
    cv2.putText(strip, text, corner, _QUIET, font, size)
    return int(corner[0] + length + size // 2)


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
