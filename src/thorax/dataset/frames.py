"""One image file to one frame of the pixel cache, measured in the same pass.

Pure: bytes in, frame and measures out, so that any process can do it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax import images
from thorax.dataset import appearance

DECODER_VERSION = 2
"""Part of every shard's name: raise it when `thorax.images` or the measures below change."""

_LOW_LEVEL, _HIGH_LEVEL = 5, 250  # of 0 to 255: at or beyond these a pixel says nothing of tissue
_FLAT_LEVELS = 1.0  # standard deviation below which a frame shows nothing that could be hashed
_LEVELS = np.arange(256, dtype=np.float64)
_ROWS = 64  # at least so many rows, evenly spread, give the shares of levels
_TAIL_SHARE = 0.005  # of the pixels, left out at either end of the range of levels


@dataclass(frozen=True)
class Measures:
    """What is known of a file's content; None where it could not be read.

    Levels run from 0 to 255. Those of the file are counted in 64 to 127 evenly spread rows of it,
    which is as good as all; what the image looks like is judged by `appearance`.

    Attributes:
        sha256: of the file's bytes.
        reason: why the image is unreadable; empty when it is not.
        width_px, height_px: as stored in the file.
        channels, bit_depth: as stored in the file.
        mean_level, std_level: of the file's levels.
        low_share, high_share: share of pixels at levels up to 5, and from 250 on.
        mode_share: share of pixels at the most frequent level.
        level_range: levels from the 0.5th to the 99.5th percentile.
        text_share: share of pixels that are burned-in letters.
        frame_sha256: of the frame's bytes: equal for equal pixels.
        phash: perceptual hash of the frame, 256 bits in hexadecimal; empty where it shows nothing.
        seen_as, seen_margin, chest_score, strangeness: see `appearance.Look`.
    """

    sha256: str
    reason: str = ""
    width_px: int | None = None
    height_px: int | None = None
    channels: int | None = None
    bit_depth: int | None = None
    mean_level: float | None = None
    std_level: float | None = None
    low_share: float | None = None
    high_share: float | None = None
    mode_share: float | None = None
    level_range: float | None = None
    text_share: float | None = None
    frame_sha256: str = ""
    phash: str = ""
    seen_as: str = ""
    seen_margin: float | None = None
    chest_score: float | None = None
    strangeness: float | None = None


def make(content: bytes, size_px: int) -> tuple[NDArray[np.uint8] | None, Measures]:
    """Decode, measure and resize one file.

    Returns:
        The frame uint8 [size_px, size_px], or None for an unreadable file, and its measures.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        decoded = images.decode(content)
    except images.UnreadableImage as error:
        return None, Measures(sha256, reason=str(error))
    frame = images.to_frame(decoded.pixels, size_px)
    height, width = decoded.pixels.shape
    measures = Measures(
        sha256,
        width_px=width,
        height_px=height,
        channels=decoded.channels,
        bit_depth=decoded.bit_depth,
        **_levels(decoded.pixels),
        **_appearance(frame),
    )
    return frame, measures


def _levels(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """What the file's grey levels [H, W] are like."""
    step = max(1, pixels.shape[0] // _ROWS)
    rows = np.ascontiguousarray(pixels[step // 2 :: step])
    shares = _histogram(rows) / rows.size
    mean = float(shares @ _LEVELS)
    low, high = np.searchsorted(shares.cumsum(), [_TAIL_SHARE, 1 - _TAIL_SHARE])
    return {
        "mean_level": mean,
        "std_level": float(np.sqrt(shares @ (_LEVELS - mean) ** 2)),
        "low_share": float(shares[: _LOW_LEVEL + 1].sum()),
        "high_share": float(shares[_HIGH_LEVEL:].sum()),
        "mode_share": float(shares.max()),
        "level_range": float(high - low),
        "text_share": appearance.text_share(rows),
    }


def _appearance(frame: NDArray[np.uint8]) -> dict[str, Any]:
    """What the frame looks like, and what tells it from others."""
    small = appearance.shrink(frame)
    look = appearance.look(appearance.edges_of(small), appearance.reference())
    return {
        "frame_sha256": hashlib.sha256(frame.tobytes()).hexdigest(),
        "phash": appearance.perceptual_hash(small) if _deviation(small) >= _FLAT_LEVELS else "",
        "seen_as": look.seen_as,
        "seen_margin": look.seen_margin,
        "chest_score": look.chest_score,
        "strangeness": look.strangeness,
    }


def _deviation(levels: NDArray[np.uint8]) -> float:
    return float(cv2.meanStdDev(levels)[1][0, 0])


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pixels per level, float64 [256]."""
    counts = cv2.calcHist([pixels], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float64).ravel()
