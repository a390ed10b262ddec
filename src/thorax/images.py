"""Image bytes to pixels: the one way in, for pull, pixel cache, scoring and serving.

PNG (grey, grey with alpha, RGB, RGBA, palette; 1 to 16 bits) and JPEG (baseline or progressive,
grey or colour, 8 bits). What a file costs is known before it is decoded, and the decoder is given
nothing but what was read for that. A file that is cut short, damaged or broken raises
`UnreadableImage`: decoders fill what is missing with grey, and that would be scored.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax.errors import UnreadableImage as UnreadableImage
from thorax.image_formats import exif, jpeg, png, stderr
from thorax.image_formats.layout import Layout

Pixels = NDArray[np.uint8]

MAX_FILE_BYTES: Final = 160 * 2**20
"""A larger file is refused unread."""
MAX_PIXELS: Final = 100_000_000
"""A larger image is refused before it is decoded."""
MAX_DECODED_BYTES: Final = 128 * 2**20
"""Likewise one that takes more memory: 8,192 x 8,192 grey pixels of 16 bits just pass."""
MAX_SCAN_SAMPLES: Final = 500_000_000
"""Likewise a JPEG whose scans together visit more samples: 5,000 x 5,000 in 20 scans just pass."""

_CLIPPED_SHARE = 0.02
"""Of the pixels of a 16-bit file so many may be brighter than its window: hot ones, a marker."""
_NARROW_SHARE = 1 / 8  # of the window: a range of levels below this is stretched,
_NARROW_LEVELS = 64  # when it holds so many levels; fewer are noise on a blank
_TRAILING_BYTES = 2  # so many behind the data some cameras write
_DAMAGE = re.compile(
    r"Corrupt JPEG data: (?P<what>(?:(?P<extra>\d+) extraneous bytes before marker 0x(?P<marker>..)"
    r"|.*))|Premature end of JPEG.*|Inconsistent progression.*"
)


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
    """Decode PNG or JPEG bytes to grey levels, the way up that the file's EXIF block asks for.

    Alpha is dropped, colour becomes luma. Levels of 16 bits are divided so that the smallest of
    2^8, 2^10, 2^12, 2^14 and 2^16 that exceeds all but the brightest 2% maps to 256: detectors
    store 10 to 16 bits in 16, and one hot pixel or burned-in letter must not darken the rest.

    Raises:
        UnreadableImage: empty, of another format, cut short, damaged, or too large.
    """
    layout = _layout(content)
    _refuse_costly(layout)
    raw = _decoded(layout)
    if raw.shape[:2] != (layout.height_px, layout.width_px):
        raise UnreadableImage("the decoder reads another size than the header says")
    channels = 1 if raw.ndim == 2 else int(raw.shape[2])
    bit_depth = 8 * raw.dtype.itemsize
    levels, warnings = _to_8_bits(_to_grey(raw))
    if layout.orientation != 1:
        levels = exif.upright(levels, layout.orientation)
        text = f"turned as the file's EXIF orientation {layout.orientation} asks"
        warnings = (*warnings, ImageWarning("orientation-applied", text))
    return Decoded(levels, channels, bit_depth, warnings)


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


def _layout(content: bytes) -> Layout:
    if not content:
        raise UnreadableImage("the file is empty")
    if len(content) > MAX_FILE_BYTES:
        raise UnreadableImage(too_large(len(content)))
    if content.startswith(png.SIGNATURE):
        return png.read_layout(content)
    if content.startswith(jpeg.SIGNATURE):
        return jpeg.read_layout(content)
    raise UnreadableImage("neither PNG nor JPEG")


def too_large(size_bytes: int) -> str:
    """Why a file of more than `MAX_FILE_BYTES` is not read."""
    return f"{size_bytes:,} bytes; up to {MAX_FILE_BYTES:,} are read"


def _refuse_costly(layout: Layout) -> None:
    pixels = layout.width_px * layout.height_px
    if pixels == 0 or pixels > MAX_PIXELS:
        raise UnreadableImage(
            f"{layout.width_px} x {layout.height_px} pixels; "
            f"between 1 and {MAX_PIXELS:,} are accepted"
        )
    if pixels * layout.samples * layout.sample_bytes > MAX_DECODED_BYTES:
        raise UnreadableImage(
            f"{layout.width_px} x {layout.height_px} pixels of {layout.samples} x "
            f"{8 * layout.sample_bytes} bits; up to {MAX_DECODED_BYTES:,} bytes are accepted"
        )
    if layout.scan_samples > MAX_SCAN_SAMPLES:
        raise UnreadableImage(
            f"{layout.width_px} x {layout.height_px} pixels in too many scans; "
            "save it as a baseline JPEG or a PNG"
        )


def _decoded(layout: Layout) -> NDArray[Any]:
    """The decoder's array; where a JPEG's data end too early or too late, it only prints so."""
    is_jpeg = layout.content.startswith(jpeg.SIGNATURE)
    try:
        with stderr.captured(is_jpeg) as printed:
            array = cv2.imdecode(np.frombuffer(layout.content, np.uint8), cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError):
        array = None
    if array is None:
        raise UnreadableImage("damaged: the decoder refuses it")
    if array.dtype not in (np.uint8, np.uint16):
        raise UnreadableImage(f"levels of type {array.dtype}; 8 or 16 bits are accepted")
    for line in printed:
        if (found := _DAMAGE.fullmatch(line)) and not _is_harmless(found):
            raise UnreadableImage(f"damaged JPEG: {found['what'] or line}")
    return array


def _is_harmless(warning: re.Match[str]) -> bool:
    """A few bytes between the last scan's data and the end marker (0xd9)."""
    extra = int(warning["extra"] or 0)
    return 0 < extra <= _TRAILING_BYTES and warning["marker"] == "d9"


def _to_grey(raw: NDArray[Any]) -> NDArray[Any]:
    """Levels [H, W] of the file's own depth."""
    if raw.ndim == 2:
        return raw
    if raw.shape[2] == 2:  # grey and alpha
        return np.ascontiguousarray(raw[..., 0])
    blue, green, red = raw[..., 0], raw[..., 1], raw[..., 2]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return np.ascontiguousarray(green)
    return cv2.cvtColor(np.ascontiguousarray(raw[..., :3]), cv2.COLOR_BGR2GRAY)


def _to_8_bits(grey: NDArray[Any]) -> tuple[Pixels, tuple[ImageWarning, ...]]:
    if grey.dtype == np.uint8:
        return grey, ()
    counts = cv2.calcHist([grey], [0], None, [1 << 16], [0, 1 << 16]).ravel()
    below = counts.astype(np.float64).cumsum()  # pixels up to a level
    bits = _bits(below, _CLIPPED_SHARE * grey.size)
    low, high = (
        int(np.searchsorted(below, share * grey.size, side="right"))
        for share in (_CLIPPED_SHARE, 1 - _CLIPPED_SHARE)
    )
    if _NARROW_LEVELS <= high - low < _NARROW_SHARE * (1 << bits):
        return _stretched(grey, low, high)
    levels = np.asarray(np.minimum(np.right_shift(grey, bits - 8), 255), np.uint8)
    if bits == _bits(below, 0):
        return levels, ()
    beyond = int(grey.size - below[(1 << bits) - 1])
    text = f"{beyond:,} of {grey.size:,} pixels exceed the {bits} bits of the others: shown white"
    return levels, (ImageWarning("levels-clipped", text),)


def _bits(below: NDArray[np.float64], spared: float) -> int:
    """Bits of the levels that all but `spared` pixels have."""
    depths = (8, 10, 12, 14, 16)
    return next(bits for bits in depths if below[-1] - below[(1 << bits) - 1] <= spared)


def _stretched(
    grey: NDArray[np.uint16], low: int, high: int
) -> tuple[Pixels, tuple[ImageWarning, ...]]:
    """Levels of a narrow range, with a quarter of it on either side, spread over all 256."""
    margin = (high - low) / 4
    scale = 256 / (high - low + 2 * margin)
    table = (np.arange(1 << 16) - (low - margin)) * scale
    levels = np.clip(table, 0, 255).astype(np.uint8)[grey]
    text = f"levels {low:,} to {high:,} of a 16-bit file hold the image: stretched to all greys"
    return levels, (ImageWarning("low-dynamic-range", text),)
