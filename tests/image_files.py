"""Image files made by hand, right ones and ones made to harm, for the tests of every way in."""

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

END = b"\xff\xd9"


def picture(height: int = 96, width: int = 80) -> NDArray[np.uint8]:
    """A smooth picture with a corner that differs from all others, and some noise."""
    y, x = np.mgrid[:height, :width]
    levels = 90 + 60 * np.sin(x / 17) + 40 * np.cos(y / 11)
    levels[: height // 4, : width // 4] += 40
    noise = np.random.default_rng(3).normal(0, 3, (height, width))
    return (levels + noise).clip(0, 250).astype(np.uint8)


def png(levels: NDArray[np.generic]) -> bytes:
    return cv2.imencode(".png", levels)[1].tobytes()


def jpeg(levels: NDArray[np.generic], *options: int) -> bytes:
    return cv2.imencode(".jpg", levels, list(options))[1].tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, *, bits: int = 8, colour: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def blank_png(
    width: int, height: int, *, bits: int = 8, colour: int = 0, extra: bytes = b""
) -> bytes:
    """A black PNG, packed row by row, with `extra` chunks before its data."""
    samples = {0: 1, 2: 3, 6: 4}[colour]
    row, packer = bytes(1 + width * samples * bits // 8), zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = b"\x89PNG\r\n\x1a\n" + header(width, height, bits=bits, colour=colour)
    return head + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_chunk(content: bytes, extra: bytes) -> bytes:
    """PNG bytes with `extra` behind the header."""
    return content[:33] + extra + content[33:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def frame_header(content: bytes) -> tuple[int, int]:
    """Start and end of a JPEG's frame header."""
    at = next(i for m in (b"\xff\xc0", b"\xff\xc2") if (i := content.find(m)) >= 0)
    return at, at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")


def data_start(content: bytes) -> int:
    """Where the first scan's data begin."""
    at = content.index(b"\xff\xda")
    return at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")


def exif(orientation: int, order: str = "<") -> bytes:
    """An EXIF block that holds an orientation and nothing else."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 1) + entry + bytes(4)


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG of one DC scan and many that bring nothing, each over the whole image."""
    blocks = (side // 8) ** 2
    tables = segment(0xDB, b"\0" + bytes([1] * 64))
    tables += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0]))
    for kind, symbol in ((0x00, 0x00), (0x10, 0xE0)):
        tables += segment(0xC4, bytes([kind, 1]) + bytes(15) + bytes([symbol]))
    data = segment(0xDA, bytes([1, 1, 0, 0, 0, 0])) + bytes(blocks // 8)
    empty = bytes(-(-15 * (-(-blocks // 16384)) // 8))
    for scan in range(scans):
        data += segment(0xDA, bytes([1, 1, 0, 1, 63, 0 if scan == 0 else 0x10])) + empty
    return b"\xff\xd8" + tables + data + END
