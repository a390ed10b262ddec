"""The segments of a JPEG file, read strictly: one frame, whole scans, nothing between them.

Only what the pixels need is handed on: no thumbnail, no profile, no filling. The entropy-coded data
themselves are the decoder's to judge, which warns where they end too early or too late.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from thorax.errors import UnreadableImage
from thorax.image_formats import exif
from thorax.image_formats.layout import Layout

SIGNATURE: Final = b"\xff\xd8\xff"

_SEGMENTS_MAX = 5_000
_SCANS_MAX = 64

_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE = 0xC0, 0xC1, 0xC2
_DHT, _SOI, _EOI, _SOS, _DQT, _DRI, _COM = 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_RST0, _RST7 = 0xD0, 0xD7
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE
_APPS = range(0xE0, 0xF0)
_UNSUPPORTED = {
    0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical",
    0xC9: "arithmetic-coded", 0xCA: "arithmetic-coded", 0xCB: "arithmetic-coded",
    0xCC: "arithmetic-coded", 0xCD: "hierarchical", 0xCE: "hierarchical", 0xCF: "hierarchical",
    0xDC: "late-height (DNL)", 0xDE: "hierarchical", 0xDF: "hierarchical",
}  # fmt: skip
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
_COEFFICIENTS = 64
_NOTHING: list[int | None] = [None] * _COEFFICIENTS
_WHOLE: list[int | None] = [0] * _COEFFICIENTS


@dataclass
class _Frame:
    progressive: bool
    width: int
    height: int
    components: tuple[int, ...]
    low_bit: dict[int, list[int | None]]
    """By component the lowest bit known of each coefficient; None while nothing is."""


@dataclass
class _File:
    """What was read of a file so far."""

    frame: _Frame | None = None
    kept: list[bytes] = field(default_factory=list)
    jfif: bytes = b""
    adobe: bytes = b""
    orientation: int = 0
    scans: int = 0
    scan_samples: int = 0


def read_layout(content: bytes) -> Layout:
    """The layout of JPEG bytes.

    Raises:
        UnreadableImage: the file is cut short, broken, or of a kind that this system does not read.
    """
    file, at, markers = _File(), 2, _markers(content)
    for _ in range(_SEGMENTS_MAX):
        marker, at = _marker(content, at)
        if marker == _EOI:
            return _layout(file)
        body, end = _segment(content, at)
        if marker == _SOS:
            end = _data_end(content, end, markers)
            file.kept.append(_read_scan(file, body) + content[at + 2 + len(body) : end])
        else:
            _read_segment(file, marker, body)
        at = end
    raise UnreadableImage(f"JPEG with more than {_SEGMENTS_MAX:,} segments")


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, and where its segment begins; any number of 0xFF may stand before it."""
    start = at
    while content[at : at + 1] == b"\xff":
        at += 1
    if at >= len(content):
        raise _cut(content)
    if at == start:
        raise UnreadableImage(f"damaged JPEG: no segment begins at byte {at:,}")
    return content[at], at + 1


def _segment(content: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(content[at : at + 2], "big")
    if at + max(length, 2) > len(content):
        raise _cut(content)
    if length < 2:
        raise UnreadableImage(f"damaged JPEG: a segment of no length at byte {at:,}")
    return content[at + 2 : at + length], at + length


def _markers(content: bytes) -> NDArray[np.int64]:
    """Where a 0xFF stands that is neither data (0x00 follows) nor a restart marker's."""
    values = np.frombuffer(content, np.uint8)
    found: NDArray[np.int64] = np.flatnonzero(values[:-1] == 0xFF)
    after = values[found + 1]
    return np.asarray(found[(after != 0) & ((after < _RST0) | (after > _RST7))])


def _data_end(content: bytes, at: int, markers: NDArray[np.int64]) -> int:
    """Where the entropy-coded data that begin at `at` end."""
    found = np.searchsorted(markers, at)
    if found == len(markers):
        raise _cut(content)
    return int(markers[found])


def _read_segment(file: _File, marker: int, body: bytes) -> None:
    if marker in (_DHT, _DQT, _DRI):
        file.kept.append(_written(marker, body))
    elif marker in (_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE):
        if file.frame:
            raise UnreadableImage("JPEG with more than one frame header")
        file.frame = _read_frame(body, progressive=marker == _SOF_PROGRESSIVE)
        file.kept.append(_written(marker, body))
    elif marker in _UNSUPPORTED:
        raise UnreadableImage(f"a {_UNSUPPORTED[marker]} JPEG, which is not supported")
    elif marker in _APPS:
        _read_application(file, marker, body)
    elif marker != _COM:
        raise UnreadableImage(f"damaged JPEG: unexpected marker 0x{marker:02x}")


def _read_application(file: _File, marker: int, body: bytes) -> None:
    if marker == _APP1 and body.startswith(b"Exif\0") and not file.orientation:
        file.orientation = exif.read_orientation(body[6:])
    if file.scans:
        return  # colours are settled at the first scan
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        file.jfif = _JFIF
    if marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        file.adobe = _ADOBE + body[11:12]


def _read_frame(body: bytes, *, progressive: bool) -> _Frame:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise UnreadableImage("damaged JPEG: a broken frame header")
    bits, height, width, count = struct.unpack_from(">BHHB", body)
    if bits != 8:
        raise UnreadableImage(f"a JPEG of {bits} bits; 8 are supported")
    if height == 0:
        raise UnreadableImage("a JPEG without its height in the frame header")
    if count not in (1, 3):
        raise UnreadableImage(f"a JPEG of {count} components; grey and three are supported")
    components = tuple(body[6::3])
    if len(set(components)) != count:
        raise UnreadableImage("damaged JPEG: a broken frame header")
    low_bit: dict[int, list[int | None]] = {each: list(_NOTHING) for each in components}
    return _Frame(progressive, width, height, components, low_bit)


def _read_scan(file: _File, body: bytes) -> bytes:
    """Note what a scan brings; returns its header as the decoder gets it."""
    frame = file.frame
    if frame is None:
        raise UnreadableImage("JPEG without a frame header before its data")
    count = body[0] if body else 0
    if not 1 <= count <= len(frame.components) or len(body) != 4 + 2 * count:
        raise UnreadableImage("damaged JPEG: a broken scan header")
    components, tables = body[1 : 1 + 2 * count : 2], body[1 : 1 + 2 * count]
    file.scans += 1
    if file.scans > _SCANS_MAX:
        raise UnreadableImage(f"JPEG with more than {_SCANS_MAX} scans")
    file.scan_samples += frame.width * frame.height * count
    first, last, approximation = body[-3:] if frame.progressive else (0, _COEFFICIENTS - 1, 0)
    high, low = approximation >> 4, approximation & 15
    if first > last or last >= _COEFFICIENTS or (first > 0 and count > 1):
        raise UnreadableImage("damaged JPEG: a broken scan header")
    for component in components:
        _refine(frame, component, range(first, last + 1), high=high, low=low)
    header = bytes([count]) + tables + bytes([first, last, approximation])
    return _written(_SOS, header)


def _refine(frame: _Frame, component: int, coefficients: range, *, high: int, low: int) -> None:
    """Note the bits that a scan brings of a component's coefficients: each once, in order."""
    known = frame.low_bit.get(component)
    if known is None:
        raise UnreadableImage("damaged JPEG: a scan of an unknown component")
    if len(coefficients) == _COEFFICIENTS and known == _NOTHING:
        known[:] = _WHOLE  # the usual file: one scan, quickly
        return
    for each in coefficients:
        before = known[each]
        follows = before is None if high == 0 else before == high and low == high - 1
        if not follows or (each > 0 and known[0] is None):
            raise UnreadableImage("damaged JPEG: its scans do not follow one another")
        known[each] = low


def _layout(file: _File) -> Layout:
    frame = file.frame
    if frame is None:
        raise UnreadableImage("JPEG without a frame header")
    if any(known != _WHOLE for known in frame.low_bit.values()):
        raise UnreadableImage("damaged JPEG: scans are missing")
    content = b"".join((b"\xff\xd8", file.jfif, file.adobe, *file.kept, b"\xff\xd9"))
    samples = len(frame.components)
    passes = file.scan_samples if file.scans > 1 else 0
    return Layout(
        content, frame.width, frame.height, samples, 1, passes, file.orientation or 1
    )  # fmt: skip


def _written(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _cut(content: bytes) -> UnreadableImage:
    return UnreadableImage(f"JPEG cut short at byte {len(content):,}")
