"""What a frame looks like: which way up, mirrored, a negative, a chest at all; and its hash.

Everything is measured on the frame at 64 x 64 px in a tenth of a millisecond, without a network.
Oriented edges (histograms of oriented gradients after Dalal and Triggs, CVPR 2005) are scored by
one vector of weights for the upright chest; turning, mirroring and inverting an image only permutes
its edges, so the same weights score all sixteen ways to show it. How far the edges lie from those
of thousands of chests says whether it is one. `chest_reference.npz` holds the weights: its making
and origin stand in `benchmarks/chest_reference.py`.

It does not read letters or markers: a chest whose heart lies on the right (dextrocardia) looks
mirrored to it. Frames of one grey level look like nothing.
"""

from collections.abc import Sequence
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

_REFERENCE = Path(__file__).with_name("chest_reference.npz")
_BLUR_PX = 17  # the neighbourhood whose contrast an edge is compared with
_STROKES_PER_WIDTH, _WORDS_PER_WIDTH = 128, 14
_STROKE_LEVELS = 14  # of 0 to 255
_STROKE_MEANS = 9  # times what the image's pixels stand out on average
_FULL = 248  # a stretch of eight strokes
_STROKE_DENSITY = 0.17  # share of strokes around, from which on they are letters
_RIM_SHARE = 0.0234  # cut off: hashes of copies that lost 0.5 to 3% a side are found beside it
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


def cut(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame uint8 [H, W] at 64 x 64 px without 2.3% of it at each side."""
    rim = round(_RIM_SHARE * frame.shape[0])
    inner = frame[rim : frame.shape[0] - rim, rim : frame.shape[1] - rim]
    return shrink(inner)


def edges_of(smalls: Sequence[NDArray[np.uint8]]) -> Edges:
    """Oriented edges of small frames [64, 64], float32 [N, 8 angles, 8 rows, 8 columns].

    Angle k is the direction 45 k degrees in which it gets brighter (0: to the right, 90: down).
    An edge is divided by the contrast around it, so that exposure does not matter; a cell holds the
    square root of its mean.
    """
    scratch = _Scratch()
    cells = np.empty((len(smalls), 6, CELLS, CELLS), np.float32)
    for small, cell in zip(smalls, cells, strict=True):
        cell[:] = scratch.pooled(small)
    ahead, right, down = cells[:, :4], cells[:, 4], cells[:, 5]
    along = np.stack((right, right + down, down, down - right), axis=1)
    edges = np.concatenate([ahead, ahead - along], axis=1)  # what is not ahead points back
    edges[:, 1::2] *= np.float32(np.sqrt(0.5))
    return np.asarray(np.sqrt(np.maximum(edges, 0)), np.float32)


class _Scratch:
    """Arrays used for image after image: 160 kB that stay in the processor's nearer caches."""

    def __init__(self) -> None:
        self._slopes = np.empty((2, SIDE_PX, SIDE_PX), np.float32)
        self._squares = np.empty_like(self._slopes)
        self._edges = np.empty((6, SIDE_PX, SIDE_PX), np.float32)

    def pooled(self, small: NDArray[np.uint8]) -> Edges:
        """Means of cells, float32 [6, 8, 8]: the edges that point ahead in four directions, 45
        degrees apart, the diagonal ones longer by the root of 2; then both slopes, signed."""
        slopes, squares, edges = self._slopes, self._squares, self._edges
        gradient = cv2.spatialGradient(small, ksize=3, borderType=cv2.BORDER_REPLICATE)
        slopes[0], slopes[1] = gradient
        np.multiply(slopes, slopes, out=squares)
        energy = np.add(squares[0], squares[1], out=squares[0])
        floor = _FLOOR_SHARE * np.sqrt(np.vdot(slopes, slopes) / small.size) + 1e-3
        contrast = squares[1]
        cv2.blur(energy, (_BLUR_PX, _BLUR_PX), dst=contrast, borderType=cv2.BORDER_REFLECT)
        np.sqrt(contrast, out=contrast)
        contrast += np.float32(floor)
        right, down = np.divide(slopes, contrast, out=edges[4:])
        np.maximum(right, 0, out=edges[0])
        np.maximum(np.add(right, down, out=edges[1]), 0, out=edges[1])
        np.maximum(down, 0, out=edges[2])
        np.maximum(np.subtract(down, right, out=edges[3]), 0, out=edges[3])
        rows = edges.reshape(-1, SIDE_PX)
        means = cv2.resize(rows, (CELLS, len(edges) * CELLS), interpolation=cv2.INTER_AREA)
        return np.asarray(means.reshape(len(edges), CELLS, CELLS), np.float32)


def look(edges: Edges, known: Reference) -> list[Look]:
    """Which way each image is shown, and how strange it is, judged by its edges [N, 8, 8, 8]."""
    flat = edges.reshape(len(edges), -1)
    scores = flat @ _weights(known).T
    best = scores.argmax(axis=1)
    upright = np.take_along_axis(flat, _undoing()[best], axis=1) - known.mean
    inside = upright @ known.components.T
    errors = (upright * upright).sum(axis=1) - (inside * inside).sum(axis=1)
    chest_scores = scores.max(axis=1)
    columns = best, chest_scores - scores[:, 0], chest_scores, errors / known.typical_error
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Look(WAYS[way].name, *measured) for way, *measured in rows]


def text_shares(sampled: Sequence[NDArray[np.uint8]]) -> list[float]:
    """Share of pixels that are burned-in letters, of each image's rows uint8 [h, W] at full width.

    A pixel counts when it is brighter than what lies 1/128 of the width to both sides, and many
    such pixels lie around it in its row: a line of letters has many strokes, a wire or the rim of a
    plate has one. Dark letters are not found.
    """
    scratch: dict[tuple[int, ...], NDArray[np.uint8]] = {}
    return [_text_share(rows, scratch) for rows in sampled]


def _text_share(
    rows: NDArray[np.uint8], scratch: dict[tuple[int, ...], NDArray[np.uint8]]
) -> float:
    """Scratch by shape: beside a decoder every new array costs more than what is done with it."""
    height, width = rows.shape
    reach, blocks = max(1, width // _STROKES_PER_WIDTH), width // 8
    if width <= 2 * reach or not blocks:
        return 0.0
    # All rows as one: what is compared across their ends are a few pixels at the rims.
    line = np.ascontiguousarray(rows[:, : 8 * blocks]).reshape(1, -1)
    if rows.shape not in scratch:
        scratch[rows.shape] = np.zeros((2, line.size), np.uint8)
    both = scratch[rows.shape]
    above, right = both[:1, reach:-reach], both[1:, reach:-reach]
    middle = line[:, reach:-reach]
    cv2.subtract(middle, line[:, : -2 * reach], dst=above)
    cv2.subtract(middle, line[:, 2 * reach :], dst=right)
    cv2.min(above, right, dst=above)
    least = max(_STROKE_LEVELS, int(_STROKE_MEANS * cv2.mean(above)[0]))  # a noisy image needs more
    np.greater(above, least, out=right)
    strokes = np.bitwise_count(np.packbits(both[1])).reshape(height, blocks)
    strokes *= _FULL // 8
    word = (2 * (blocks // _WORDS_PER_WIDTH) + 1, 1)
    around = cv2.blur(strokes, word, borderType=cv2.BORDER_CONSTANT)
    dense = cv2.threshold(around, _STROKE_DENSITY * _FULL, 255, cv2.THRESH_BINARY)[1]
    return cv2.sumElems(cv2.bitwise_and(strokes, dense))[0] * 8 / _FULL / line.size


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


@cache
def _cosines() -> NDArray[np.float64]:
    """The first rows of the unscaled cosine transform (type II), float64 [16, 64]."""
    row, column = np.arange(HASH_SIDE)[:, None], np.arange(SIDE_PX)[None, :]
    return 2 * np.cos(np.pi * row * (2 * column + 1) / (2 * SIDE_PX))
