"""Image files to frames of the pixel cache, measured in the same pass.

Pure: bytes in, frames and measures out, so that any process can do it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax import appearance, image_checks, images
from thorax.dataset.archive import TooLarge

Frame = NDArray[np.uint8]

DECODER_VERSION = 4
"""Part of every shard's name: raise it when `thorax.images` or the measures below change."""

_FLAT_LEVELS = 1.0  # standard deviation below which a frame shows nothing that could be hashed


@dataclass
class Measures:
    """What is known of a file's content; None where it could not be read.

    Levels run from 0 to 255. Those of the file are counted in 64 to 127 evenly spread rows of it,
    which is as good as all; what the image looks like is judged by `appearance`.

    Attributes:
        sha256: of the file's bytes; empty where it was too large to be read.
        reason: why the image is unreadable; empty when it is not.
        width_px, height_px: the way up that the file asks for.
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


def make(contents: Sequence[bytes | TooLarge], size_px: int) -> list[tuple[Frame | None, Measures]]:
    """Decode, resize and measure some files.

    First all are decoded, then all are measured: in turns, each would push the other's code and
    data out of the processor's caches, and measuring would take twice as long.

    Args:
        contents: bytes of some files, or that they are too large; what is kept of each takes 64 to
            127 of its rows.
        size_px: side of the frames.

    Returns:
        Per file the frame uint8 [size_px, size_px], or None where it is unreadable, and measures.
    """
    read = [_read(content, size_px) for content in contents]
    whole = [file for file in read if isinstance(file, _Read)]
    measured = iter(_measured(whole))
    return [
        (file.frame, next(measured)) if isinstance(file, _Read) else (None, file) for file in read
    ]


@dataclass
class _Read:
    """A file that was read: what it is, its frame, and some of its rows at full width."""

    facts: dict[str, Any]
    frame: Frame
    rows: Frame


def _read(content: bytes | TooLarge, size_px: int) -> _Read | Measures:
    if isinstance(content, TooLarge):
        return Measures("", reason=images.too_large(content.size_bytes))
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        decoded = images.decode(content)
    except images.UnreadableImage as error:
        return Measures(sha256, reason=str(error))
    height, width = decoded.pixels.shape
    facts = {
        "sha256": sha256,
        "width_px": width,
        "height_px": height,
        "channels": decoded.channels,
        "bit_depth": decoded.bit_depth,
    }
    frame = images.to_frame(decoded.pixels, size_px)
    return _Read(facts, frame, image_checks.sample_rows(decoded.pixels))


def _measured(files: list[_Read]) -> Iterator[Measures]:
    if not files:
        return
    levels = image_checks.measure_levels([file.rows for file in files])
    smalls = [appearance.shrink(file.frame) for file in files]
    looks = appearance.look(appearance.edges_of(smalls), appearance.reference())
    texts = appearance.text_shares([file.rows for file in files])
    for file, level, small, look, text in zip(files, levels, smalls, looks, texts, strict=True):
        shows_nothing = float(cv2.meanStdDev(small)[1][0, 0]) < _FLAT_LEVELS
        yield Measures(
            **file.facts,
            **level,
            **vars(look),
            text_share=text,
            frame_sha256=hashlib.sha256(file.frame.data).hexdigest(),
            phash="" if shows_nothing else appearance.perceptual_hash(small),
        )
