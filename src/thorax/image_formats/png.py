"""The chunks of a PNG file, read strictly: one header, whole data, right checksums.

Of what the file holds besides (text, colour profiles, thumbnails) only the orientation is read, and
nothing is handed on: unpacking it can take longer than the image.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from thorax.errors import UnreadableImage
from thorax.image_formats import exif
from thorax.image_formats.layout import Layout

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

_CHUNKS_MAX = 100_000
_GREY, _COLOUR, _PALETTE, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_BIT_DEPTHS = {
    _GREY: (1, 2, 4, 8, 16), _COLOUR: (8, 16), _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8, 16), _COLOUR_ALPHA: (8, 16),
}  # fmt: skip
_SAMPLES = {_GREY: 1, _COLOUR: 3, _PALETTE: 4, _GREY_ALPHA: 4, _COLOUR_ALPHA: 4}  # as decoded
_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def read_layout(content: bytes) -> Layout:
    """The layout of PNG bytes.

    Raises:
        UnreadableImage: the file is cut short, broken, or holds what this system does not read.
    """
    header, orientation, extra, kinds, end = b"", 0, False, b"", 0
    needed: list[bytes] = [SIGNATURE]
    for kind, at, end in _chunks(content):
        if not header and kind != b"IHDR":
            raise UnreadableImage("PNG that does not begin with its header")
        if kind == b"acTL":
            raise UnreadableImage("an animated PNG; send one image")
        if kind == b"eXIf" and not orientation:
            orientation = exif.read_orientation(content[at + 8 : end - 4])
        if kind not in _NEEDED:
            if not kind[0] & 0x20:
                raise UnreadableImage(f"PNG with the unknown critical chunk {_name(kind)}")
            extra = True
            continue
        if kind == b"IHDR":
            if header:
                raise UnreadableImage("PNG with more than one header")
            header = content[at + 8 : end - 4]
        needed.append(content[at:end])
        kinds += kind
    width, height, samples, sample_bytes = _read_header(header)
    _check_order(kinds)
    kept = b"".join(needed) if extra or len(content) > end else content
    return Layout(kept, width, height, samples, sample_bytes, 0, orientation or 1)


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's kind, start and end, up to IEND, once its checksum was found right."""
    at = len(SIGNATURE)
    for _ in range(_CHUNKS_MAX):
        if at + 12 > len(content):
            break
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            break
        checksum = zlib.crc32(memoryview(content)[at + 4 : end - 4])
        if checksum != int.from_bytes(content[end - 4 : end], "big"):
            raise UnreadableImage(f"PNG chunk {_name(kind)} at byte {at} has a wrong checksum")
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    else:
        raise UnreadableImage(f"PNG with more than {_CHUNKS_MAX:,} chunks")
    raise UnreadableImage(f"PNG cut short at byte {len(content):,}")


def _read_header(header: bytes) -> tuple[int, int, int, int]:
    if len(header) != 13:
        raise UnreadableImage("PNG with a broken header")
    width, height, bits, colour, compression, method, interlace = struct.unpack(">IIBBBBB", header)
    if bits not in _BIT_DEPTHS.get(colour, ()) or compression or method or interlace > 1:
        raise UnreadableImage("PNG with a broken header")
    return width, height, _SAMPLES[colour], 2 if bits == 16 else 1


def _check_order(kinds: bytes) -> None:
    """One palette at most, before the data, and the data in one run."""
    names = [kinds[at : at + 4] for at in range(4, len(kinds) - 4, 4)]  # between IHDR and IEND
    first = names.index(b"IDAT") if b"IDAT" in names else 0
    data = names.count(b"IDAT")
    if not data:
        raise UnreadableImage("PNG without image data")
    if names[first:] != [b"IDAT"] * data or len(set(names[:first])) != first:
        raise UnreadableImage("PNG with its chunks out of order")


def _name(kind: bytes) -> str:
    return ascii(kind.decode("latin-1"))[1:-1]
