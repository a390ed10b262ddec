"""The orientation in a file's EXIF block, and how it turns an image."""

import struct

import numpy as np
from numpy.typing import NDArray

_ORIENTATION = 0x0112
_INTEGERS = {3: "H", 4: "I"}  # EXIF types SHORT and LONG
_ENTRY_BYTES = 12


def read_orientation(block: bytes) -> int:
    """The orientation 1 to 8 of a TIFF-like EXIF block; 1 (as stored) where it names none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return 1
    (at,) = struct.unpack_from(f"{order}I", block, 4)
    if at + 2 > len(block):
        return 1
    (entries,) = struct.unpack_from(f"{order}H", block, at)
    last = min(at + 2 + entries * _ENTRY_BYTES, len(block) - _ENTRY_BYTES + 1)
    for entry in range(at + 2, last, _ENTRY_BYTES):
        tag, kind, count = struct.unpack_from(f"{order}HHI", block, entry)
        if tag == _ORIENTATION and kind in _INTEGERS and count == 1:
            (value,) = struct.unpack_from(f"{order}{_INTEGERS[kind]}", block, entry + 8)
            return int(value) if 1 <= value <= 8 else 1
    return 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Pixels [H, W] as stored, turned and mirrored as `orientation` asks."""
    if orientation >= 5:
        pixels = pixels.T
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
