"""8-bit grey PNG with stored (uncompressed) deflate blocks, made by hand.

The bytes depend on no zlib build: compression level 0 is laid out here block by block; zlib gives
only the two checksums, which are fixed by their standards (RFC 1950, RFC 1951, PNG 3rd edition).
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ZLIB_HEADER = b"\x78\x01"
_BLOCK_BYTES = 0xFFFF
_FIXED_BYTES = 8 + 25 + 12 + 2 + 4 + 12  # signature, IHDR, around IDAT, zlib's head and tail, IEND
_BLOCK_HEADER_BYTES = 5


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Grey levels uint8 [H, W] as a PNG file of about H * W bytes."""
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row opens with filter type 0
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = _stored(rows.tobytes())
    chunks = _chunk(b"IHDR", header), _chunk(b"IDAT", body), _chunk(b"IEND", b"")
    return _SIGNATURE + b"".join(chunks)


def encoded_bytes(width_px: int, height_px: int) -> int:
    """How long a file `encode` makes of an image of that size."""
    content_bytes = height_px * (width_px + 1)
    return _FIXED_BYTES + content_bytes + _BLOCK_HEADER_BYTES * -(-content_bytes // _BLOCK_BYTES)


def _stored(content: bytes) -> bytes:
    pieces = [_ZLIB_HEADER]
    for start in range(0, len(content), _BLOCK_BYTES):
        block = content[start : start + _BLOCK_BYTES]
        last = start + _BLOCK_BYTES >= len(content)
        pieces += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    pieces.append(struct.pack(">I", zlib.adler32(content)))
    return b"".join(pieces)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
