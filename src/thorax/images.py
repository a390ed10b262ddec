"""Image bytes to pixels: the one way in, for pull, pixel cache, scoring and serving.

PNG (grey, grey with alpha, RGB, RGBA, palette; 1 to 16 bits) and JPEG. A file that is cut short or
broken raises `UnreadableImage`: decoders fill what is missing with grey, and that would be scored.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax.errors import BadInput

Pixels = NDArray[np.uint8]

MAX_PIXELS = 100_000_000  # a larger image is refused before it is decoded

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # start-of-frame markers


class UnreadableImage(BadInput):
    """Bytes that are not a whole PNG or JPEG; the message gives the reason without the name."""


@dataclass(frozen=True)
class ImageWarning:
    """Something about a file that a reader of its result should know.

    Attributes:
        code: a short name that stays, such as `orientation-applied`.
        text: one sentence for people.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Decoded:
    """An image as decoded.

    Attributes:
        pixels: grey levels, uint8 [H, W], the way up that the file asks for.
        channels: channels of the file, 1 to 4.
        bit_depth: bits per channel of the file, 8 or 16.
        warnings: what was done to the levels or the orientation, if anything.
    """

    pixels: Pixels
    channels: int
    bit_depth: int
    warnings: tuple[ImageWarning, ...] = ()


def decode(content: bytes) -> Decoded:
    """Decode PNG or JPEG bytes to grey levels.

    Alpha is dropped, colour becomes luma. 16-bit levels are divided so that the smallest of 2^8,
    2^10, 2^12, 2^14 and 2^16 that exceeds the largest level maps to 256: detectors store 10 to 16
    bits in 16.

    Raises:
        UnreadableImage: empty, of another format, cut short, of a broken checksum, or too large.
    """
    width, height = _size_of_whole_file(content)
    if width * height == 0 or width * height > MAX_PIXELS:
        raise UnreadableImage(
            f"{width} x {height} pixels; between 1 and {MAX_PIXELS:,} are accepted"
        )
    raw = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise UnreadableImage("the decoder refuses it")
    channels = 1 if raw.ndim == 2 else int(raw.shape[2])
    bit_depth = 8 * raw.dtype.itemsize
    return Decoded(_to_grey(_to_8_bits(raw)), channels, bit_depth)


def to_frame(pixels: Pixels, size_px: int) -> Pixels:
    """Resize grey levels [H, W] to the square frame uint8 [size_px, size_px], as the paper does.

    The aspect ratio is not kept, so a box in one square frame is a box in another by one factor.
    """
    if pixels.shape == (size_px, size_px):
        return pixels
    shrinking = pixels.shape[0] > size_px and pixels.shape[1] > size_px
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size_px, size_px), interpolation=method), np.uint8)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode grey [H, W] or BGR [H, W, 3] levels as PNG for pages and pictures."""
    done, content = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"cannot encode {pixels.shape} {pixels.dtype} as PNG")
    return bytes(content)


def _to_8_bits(raw: NDArray[Any]) -> NDArray[np.uint8]:
    if raw.dtype == np.uint8:
        return raw
    if raw.dtype != np.uint16:
        raise UnreadableImage(f"levels of type {raw.dtype}; 8 or 16 bits are accepted")
    colour = raw[..., :3] if raw.ndim == 3 else raw
    bits = next(bits for bits in (8, 10, 12, 14, 16) if int(colour.max()) < 1 << bits)
    return np.asarray(np.minimum(np.right_shift(raw, bits - 8), 255), np.uint8)


def _to_grey(raw: NDArray[np.uint8]) -> Pixels:
    if raw.ndim == 2:
        return raw
    if raw.shape[2] == 2:  # grey and alpha
        return np.ascontiguousarray(raw[..., 0])
    blue, green, red = raw[..., 0], raw[..., 1], raw[..., 2]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return np.ascontiguousarray(green)
    return np.asarray(
        cv2.cvtColor(np.ascontiguousarray(raw[..., :3]), cv2.COLOR_BGR2GRAY), np.uint8
    )


def _size_of_whole_file(content: bytes) -> tuple[int, int]:
    if not content:
        raise UnreadableImage("the file is empty")
    if content.startswith(_PNG):
        return _size_of_whole_png(content)
    if content.startswith(_JPEG):
        return _size_of_whole_jpeg(content)
    raise UnreadableImage("neither PNG nor JPEG")


def _size_of_whole_png(content: bytes) -> tuple[int, int]:
    size, at = (0, 0), len(_PNG)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            break
        if zlib.crc32(content[at + 4 : end - 4]) != struct.unpack_from(">I", content, end - 4)[0]:
            raise UnreadableImage(
                f"PNG chunk {kind.decode('latin-1')} at byte {at} has a wrong checksum"
            )
        if kind == b"IHDR":
            size = struct.unpack_from(">II", content, at + 8)
        if kind == b"IEND":
            return size
        at = end
    raise UnreadableImage(f"PNG cut short at byte {len(content):,}")


def _size_of_whole_jpeg(content: bytes) -> tuple[int, int]:
    if b"\xff\xd9" not in content[-1024:]:  # some writers pad behind the end marker
        raise UnreadableImage(f"JPEG cut short at byte {len(content):,}")
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], struct.unpack_from(">H", content, at + 2)[0]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length
    raise UnreadableImage("JPEG without a frame header")
