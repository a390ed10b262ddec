"""What a frame looks like: which way up, mirrored, a negative, a chest at all; and its hash.

Everything is measured on the frame at 64 x 64 px in a tenth of a millisecond, without a network.
Oriented edges (histograms of oriented gradients after Dalal and Triggs, CVPR 2005) are scored by
one vector of weights for the upright chest; turning, mirroring and inverting an image only permutes
its edges, so the same weights score all sixteen ways to show it. How far the edges lie from those
of thousands of chests says whether it is one. `reference.npz` holds the weights: its making and
origin stand in `benchmarks/chest_reference.py`.

It does not read letters or markers: a chest whose heart lies on the right (dextrocardia) looks
mirrored to it. Frames of one grey level look like nothing.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.float32]

SIDE_PX = 64
CELLS, ANGLES = 8, 8  # the edges are counted in 8 x 8 cells and 8 directions
HASH_SIDE = 16  # 256 bits
UPRIGHT = "upright"

_REFERENCE = Path(__file__).with_name("reference.npz")
_BLUR_PX = 17  # the neighbourhood whose contrast an edge is compared with
_STROKES_PER_WIDTH, _WORDS_PER_WIDTH = 128, 24
_STROKE_LEVELS, _STROKE_DENSITY = 30, 48  # of 0 to 255
_FLOOR_SHARE = 0.25  # of the frame's mean contrast: below it an edge is noise


@dataclass(frozen=True)
class Way:
    """One of the sixteen ways to show an image.

    Attributes:
        quarter_turns: anticlockwise, 0 to 3.
        mirrored: left and right exchanged, before it is turned.
        inverted: as a negative.
    """

    quarter_turns: int
    mirrored: bool
    inverted: bool

    @property
    def name(self) -> str:
        """In words: `upright`, or what was done to the image."""
        words = [
            f"turned {90 * self.quarter_turns}" if self.quarter_turns else "",
            "mirrored" if self.mirrored else "",
            "inverted" if self.inverted else "",
        ]
        return " ".join(filter(None, words)) or UPRIGHT

    def show(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pixels uint8 [H, W] of an upright image, shown this way."""
        pixels = pixels[:, ::-1] if self.mirrored else pixels
        pixels = np.rot90(pixels, self.quarter_turns)
        return np.ascontiguousarray(255 - pixels if self.inverted else pixels)

    def show_edges(self, edges: Edges) -> Edges:
        """Edges [angle, row, column] of an upright image, as `show` would change them."""
        if self.mirrored:
            edges = edges[(ANGLES // 2 - np.arange(ANGLES)) % ANGLES, :, ::-1]
        for _ in range(self.quarter_turns):
            edges = np.roll(np.rot90(edges, axes=(1, 2)), -ANGLES // 4, axis=0)
        return np.roll(edges, ANGLES // 2, axis=0) if self.inverted else edges


WAYS = tuple(
    Way(turns, mirrored, inverted)
    for inverted in (False, True)
    for mirrored in (False, True)
    for turns in range(4)
)
"""All sixteen, upright first."""


@dataclass(frozen=True)
class Look:
    """What a frame looks like.

    Attributes:
        seen_as: name of the way whose score is highest.
        seen_margin: its score above that of upright, in logits; 0 when it is upright.
        chest_score: that score, in logits: small where no way fits.
        strangeness: squared distance of the edges from the space of chests; 1 for the chests of
            the reference, on average.
    """

    seen_as: str
    seen_margin: float
    chest_score: float
    strangeness: float


@dataclass(frozen=True, eq=False)
class Reference:
    """What is known of chests.

    Attributes:
        weights: of the upright chest's edges, float32 [edges].
        mean: edges of chests, float32 [edges].
        components: directions in which chests differ, orthonormal float32 [K, edges].
        typical_error: mean squared distance of chests from the space of these directions.
    """

    weights: Edges
    mean: Edges
    components: Edges
    typical_error: float


@cache
def reference() -> Reference:
    """The reference that lies beside this file."""
    with np.load(_REFERENCE, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    return Reference(
        arrays["weights"], arrays["mean"], arrays["components"], float(arrays["typical_error"])
    )


def shrink(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame uint8 [H, W] at 64 x 64 px, the size that everything here is measured at."""
    if frame.shape == (SIDE_PX, SIDE_PX):
        return frame
    small = cv2.resize(frame, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def edges_of(small: NDArray[np.uint8]) -> Edges:
    """Oriented edges of a small frame, float32 [8 angles, 8 rows, 8 columns].

    Angle k is the direction 45 k degrees in which it gets brighter (0: to the right, 90: down).
    An edge is divided by the contrast around it, so that exposure does not matter; a cell holds the
    square root of its mean.
    """
    levels = small.astype(np.float32)
    right, down = _slope(levels, 1, 0), _slope(levels, 0, 1)
    energy = right * right + down * down
    around = cv2.blur(energy, (_BLUR_PX, _BLUR_PX), borderType=cv2.BORDER_REFLECT)
    contrast = np.sqrt(around) + (_FLOOR_SHARE * float(np.sqrt(energy.mean())) + 1e-3)
    np.divide(right, contrast, out=right)
    np.divide(down, contrast, out=down)
    half = np.float32(np.sqrt(0.5))
    cells = np.empty((ANGLES, CELLS, CELLS), np.float32)
    # One direction at a time: arrays of 16 kB stay in the processor's nearest cache.
    for angle, along in enumerate((right, (right + down) * half, down, (down - right) * half)):
        cells[angle] = _cells(np.maximum(along, 0))
        cells[angle + ANGLES // 2] = cells[angle] - _cells(along)  # what points the other way
    return np.asarray(np.sqrt(np.maximum(cells, 0)), np.float32)


def _slope(levels: Edges, right: int, down: int) -> Edges:
    slope = cv2.Sobel(levels, cv2.CV_32F, right, down, ksize=3, borderType=cv2.BORDER_REFLECT)
    return np.asarray(slope, np.float32)


def look(edges: Edges, known: Reference) -> Look:
    """Which way the image is shown, and how strange it is, judged by its edges."""
    flat = edges.ravel()
    scores = _weights(known) @ flat
    best = int(scores.argmax())
    way = WAYS[best]
    upright = flat[_undoing()[best]] - known.mean
    inside = known.components @ upright
    error = float(upright @ upright - inside @ inside) / known.typical_error
    return Look(way.name, float(scores[best] - scores[0]), float(scores[best]), error)


def text_share(rows: NDArray[np.uint8]) -> float:
    """Share of pixels that are burned-in letters, of some rows uint8 [h, W] at full width.

    A pixel counts when it is brighter than what lies 1/128 of the width to both sides, and many
    such pixels lie around it in its row: a line of letters has many strokes, a wire or the rim of a
    plate has one. Dark letters are not found.
    """
    width = rows.shape[1]
    reach = max(1, width // _STROKES_PER_WIDTH)
    if width <= 2 * reach:
        return 0.0
    middle = rows[:, reach:-reach]
    above = cv2.min(
        cv2.subtract(middle, rows[:, : -2 * reach]), cv2.subtract(middle, rows[:, 2 * reach :])
    )
    strokes = cv2.threshold(above, _STROKE_LEVELS, 255, cv2.THRESH_BINARY)[1]
    if not cv2.countNonZero(strokes):
        return 0.0
    around = cv2.blur(strokes, (2 * (width // _WORDS_PER_WIDTH) + 1, 1))
    dense = cv2.threshold(around, _STROKE_DENSITY, 255, cv2.THRESH_BINARY)[1]
    return float(cv2.countNonZero(cv2.bitwise_and(strokes, dense)) / rows.size)


def perceptual_hash(small: NDArray[np.uint8]) -> str:
    """The 256-bit pHash in hexadecimal: equal to `imagehash.phash(..., hash_size=16)`.

    A bit says whether a low frequency of the cosine transform lies above the median of all.
    """
    basis = _cosines()
    frequencies = basis @ small.astype(np.float64) @ basis.T
    ordered = np.sort(frequencies, axis=None)
    median = (ordered[ordered.size // 2 - 1] + ordered[ordered.size // 2]) / 2
    return np.packbits(frequencies > median).tobytes().hex()


@cache
def _weights(known: Reference) -> Edges:
    """Weights of the sixteen ways, float32 [16, edges]."""
    upright = known.weights.reshape(ANGLES, CELLS, CELLS)
    return np.stack([way.show_edges(upright).ravel() for way in WAYS])


@cache
def _undoing() -> NDArray[np.intp]:
    """Per way the places that show its edges upright again, int [16, edges]."""
    places = np.arange(ANGLES * CELLS * CELLS).reshape(ANGLES, CELLS, CELLS)
    shown = [way.show_edges(places).ravel() for way in WAYS]  # type: ignore[arg-type]
    return np.stack([np.argsort(place) for place in shown])


def _cells(levels: Edges) -> Edges:
    """Mean of each cell: float32 [64, 64] to [8, 8]."""
    pool = _pool()
    return np.asarray(pool @ levels @ pool.T, np.float32)


@cache
def _pool() -> Edges:
    """Averages a row of a small frame cell by cell, float32 [8, 64]."""
    step = SIDE_PX // CELLS
    return np.asarray(np.kron(np.eye(CELLS), np.full((1, step), 1 / step)), np.float32)


@cache
def _cosines() -> NDArray[np.float64]:
    """The first rows of the unscaled cosine transform (type II), float64 [16, 64]."""
    row, column = np.arange(HASH_SIDE)[:, None], np.arange(SIDE_PX)[None, :]
    return 2 * np.cos(np.pi * row * (2 * column + 1) / (2 * SIDE_PX))
