"""One image file to one frame of the pixel cache, measured in the same pass.

Pure: bytes in, frame and measures out, so that any process can do it.
"""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax import images

DECODER_VERSION = 1
"""Part of every shard's name: raise it when `thorax.images` or the measures below change."""

_LOW_LEVEL, _HIGH_LEVEL = 5, 250  # of 0 to 255: at or beyond these a pixel says nothing of tissue


@dataclass(frozen=True)
class Measures:
    """What is known of a file's content; None where it could not be read.

    Attributes:
        sha256: of the file's bytes.
        reason: why the image is unreadable; empty when it is not.
        width_px, height_px: as stored in the file.
        channels, bit_depth: as stored in the file.
        mean_level, std_level: of the grey levels at full size, 0 to 255.
        low_share, high_share: share of pixels at levels up to 5, and from 250 on.
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
    height, width = decoded.pixels.shape
    shares = _histogram(decoded.pixels) / decoded.pixels.size
    levels = np.arange(256, dtype=np.float64)
    mean = float(shares @ levels)
    measures = Measures(
        sha256,
        width_px=width,
        height_px=height,
        channels=decoded.channels,
        bit_depth=decoded.bit_depth,
        mean_level=mean,
        std_level=float(np.sqrt(shares @ (levels - mean) ** 2)),
        low_share=float(shares[: _LOW_LEVEL + 1].sum()),
        high_share=float(shares[_HIGH_LEVEL:].sum()),
    )
    return images.to_frame(decoded.pixels, size_px), measures


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pixels per level, float64 [256]."""
    counts = cv2.calcHist([pixels], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float64).ravel()
