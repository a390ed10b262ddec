"""The one way in: sizes that cannot be read twice, damage, cost, orientation, and levels."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests import image_files as files
from tests.image_files import END, chunk, segment
from thorax import images
from thorax.images import UnreadableImage

PICTURE = files.picture()
COLOUR = np.dstack([PICTURE, 255 - PICTURE, PICTURE // 2])
PNG, JPEG = files.png(PICTURE), files.jpeg(PICTURE)
PROGRESSIVE = files.jpeg(PICTURE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
COLOUR_JPEG = files.jpeg(COLOUR)
RESTARTS = files.jpeg(PICTURE, cv2.IMWRITE_JPEG_RST_INTERVAL, 10)
JPEGS = {
    "baseline": JPEG,
    "progressive": PROGRESSIVE,
    "colour": COLOUR_JPEG,
    "colour progressive": files.jpeg(COLOUR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": RESTARTS,
    "optimised": files.jpeg(PICTURE, cv2.IMWRITE_JPEG_OPTIMIZE, 1),
}


def refused(content: bytes) -> str:
    with pytest.raises(UnreadableImage) as caught:
        images.decode(content)
    return str(caught.value)


@pytest.mark.parametrize("content", [PNG, *JPEGS.values()], ids=["png", *JPEGS])
def test_a_whole_file_is_read_as_the_decoder_reads_it(content: bytes) -> None:
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if expected.ndim == 3:
        expected = cv2.cvtColor(expected, cv2.COLOR_BGR2GRAY)
    decoded = images.decode(content)
    np.testing.assert_array_equal(decoded.pixels, expected)
    assert decoded.warnings == ()


def second_frame(content: bytes, fill: bytes) -> bytes:
    start, end = files.frame_header(content)
    large = bytearray(content[start:end])
    large[5:9] = struct.pack(">HH", 65_500, 65_500)
    return content[:end] + fill + bytes(large) + content[end:]


def with_height(content: bytes, height: int) -> bytes:
    start, _ = files.frame_header(content)
    return content[: start + 5] + struct.pack(">H", height) + content[start + 7 :]


def with_marker(content: bytes, marker: int) -> bytes:
    start, _ = files.frame_header(content)
    return content[: start + 1] + bytes([marker]) + content[start + 2 :]


LARGE = files.header(65_500, 65_500)
TWO_SIZES = {
    "two frames": second_frame(JPEG, b""),
    "two frames, filled": second_frame(JPEG, b"\xff" * 7),
    "frame behind the data": JPEG[:-2] + second_frame(JPEG, b"")[2:],
    "no height": with_height(JPEG, 0),
    "late height": with_height(JPEG, 0)[:-2] + segment(0xDC, b"\0\x60") + END,
    "two png headers": files.with_chunk(PNG, LARGE),
    "large png header first": PNG[:8] + LARGE + PNG[8:],
    "png header late": PNG[:8] + chunk(b"tEXt", b"a\0b") + PNG[8:],
    "png header twice the same": files.with_chunk(PNG, PNG[8:33]),
    "99 bytes": PNG[:33] + LARGE + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
    "animated": files.with_chunk(PNG, chunk(b"acTL", bytes(8))),
    "arithmetic": with_marker(JPEG, 0xC9),
    "lossless": with_marker(JPEG, 0xC3),
    "gif": b"GIF89a" + bytes(200),
    "bmp": cv2.imencode(".bmp", PICTURE)[1].tobytes(),
    "tiff": cv2.imencode(".tiff", PICTURE)[1].tobytes(),
    "webp": cv2.imencode(".webp", PICTURE)[1].tobytes(),
}  # fmt: skip


@pytest.mark.parametrize("content", TWO_SIZES.values(), ids=TWO_SIZES)
def test_a_file_that_could_be_read_in_two_ways_is_refused(content: bytes) -> None:
    assert refused(content)


HARMLESS = {
    "fill bytes": JPEG[:2] + b"\xff" * 9 + JPEG[2:],
    "a whole jpeg in a thumbnail": JPEG[:2] + segment(0xE1, b"Exif\0\0" + JPEG) + JPEG[2:],
    "a frame header in a comment": JPEG[:2] + segment(0xFE, LARGE + b"\xff\xc0") + JPEG[2:],
    "filled behind the data": JPEG[:-2] + b"\xff" * 5 + END,
    "text behind the end": JPEG + b"padding" * 300,
    "png with text": files.with_chunk(PNG, chunk(b"tEXt", b"a\0b")),
    "png with a broken profile": files.with_chunk(PNG, chunk(b"iCCP", b"x\0\0junk")),
    "png with bytes behind": PNG + bytes(500),
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_what_does_not_concern_the_pixels_changes_nothing(
    content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    base = JPEG if content.startswith(JPEG[:3]) else PNG
    decoded = images.decode(content)
    np.testing.assert_array_equal(decoded.pixels, images.decode(base).pixels)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", JPEGS.values(), ids=JPEGS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_damaged_jpeg_is_refused_and_prints_nothing(
    content: bytes, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    at = files.data_start(content)
    at += int(share * (len(content) - at))
    rest = len(content) - 2 - at
    garbage = np.random.default_rng(0).integers(0, 255, rest, np.uint8).tobytes()
    damaged = {
        "cut": content[:at],
        "cut, closed": content[:at] + END,
        "zeros": content[:at] + bytes(rest) + END,
        "zeros, open": content[:at] + bytes(rest + 2),
        "one value": content[:at] + b"\x55" * rest + END,
        "a hole": content[:at] + content[at + rest // 2 :],
        "end marker early": content[:at] + END + content[at:],
    }
    if share < 0.9:  # a few bytes of the right length cannot be told from data
        damaged["garbage"] = content[:at] + garbage + END
        damaged["the start again"] = content[:at] + content[at - rest : at] + END
    read = [name for name, each in damaged.items() if not is_refused(each)]
    assert read == []
    assert capfd.readouterr().err == ""


def is_refused(content: bytes) -> bool:
    try:
        images.decode(content)
    except UnreadableImage:
        return True
    return False


def test_a_progressive_jpeg_without_its_last_scans_is_refused() -> None:
    last = PROGRESSIVE.rindex(b"\xff\xda")
    assert "scans are missing" in refused(PROGRESSIVE[:last] + END)


def repacked(data: bytes) -> bytes:
    return PNG[:33] + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_damaged_png_is_refused() -> None:
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in PICTURE))
    assert images.decode(repacked(data)).pixels.shape == PICTURE.shape
    half = len(data) // 2
    assert "checksum" in refused(PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:])
    assert "cut short" in refused(PNG[:-12])
    for broken in (data[:half], data[:half] + bytes(half), b"", data[:-4] + b"abcd"):
        assert refused(repacked(broken))


COSTLY = {
    "scans": files.many_scans(1024, 2_000),
    "scans within the count": files.many_scans(8192, 20),
    "16-bit rgba": files.blank_png(10_000, 10_000, bits=16, colour=6),
    "rgb": files.blank_png(8_000, 8_000, colour=2),
    "declared only": files.header(2**31 - 1, 2**31 - 1),
}  # fmt: skip


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_too_much_is_refused_before_the_decoder_sees_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = COSTLY[name] if name != "declared only" else PNG[:8] + COSTLY[name] + PNG[33:]
    monkeypatch.delattr(cv2, "imdecode")
    assert refused(content)


def test_packed_text_and_many_chunks_are_not_unpacked() -> None:
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)))
    content = files.with_chunk(PNG, bomb * 1_000)
    np.testing.assert_array_equal(images.decode(content).pixels, PICTURE)
    assert "chunks" in refused(files.with_chunk(PNG, chunk(b"tEXt", b"") * 100_001))


def test_a_large_radiograph_of_16_bits_passes() -> None:
    decoded = images.decode(files.blank_png(5_000, 5_000, bits=16))
    assert decoded.pixels.shape == (5_000, 5_000)


TURNS = {
    1: lambda p: p, 2: np.fliplr, 3: lambda p: np.rot90(p, 2), 4: np.flipud,
    5: np.transpose, 6: lambda p: np.rot90(p, -1), 7: lambda p: np.rot90(p, 2).T,
    8: np.rot90,
}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("order", "<>")
def test_every_orientation_is_applied(orientation: int, order: str) -> None:
    block = files.exif(orientation, order)
    turned_jpeg = JPEG[:2] + segment(0xE1, b"Exif\0\0" + block) + JPEG[2:]
    turned_png = files.with_chunk(PNG, chunk(b"eXIf", block))
    for content, base in ((turned_jpeg, JPEG), (turned_png, PNG)):
        decoded = images.decode(content)
        expected = TURNS[orientation](images.decode(base).pixels)
        np.testing.assert_array_equal(decoded.pixels, expected)
        codes = [warning.code for warning in decoded.warnings]
        assert codes == ([] if orientation == 1 else ["orientation-applied"])


def test_the_decoder_of_opencv_turns_alike() -> None:
    for orientation in TURNS:
        block = segment(0xE1, b"Exif\0\0" + files.exif(orientation))
        content = JPEG[:2] + block + JPEG[2:]
        theirs = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        np.testing.assert_array_equal(images.decode(content).pixels, theirs)


@pytest.mark.parametrize("block", [b"", b"II*\0", files.exif(0), files.exif(9), b"II*\0\xff" * 4])
def test_a_broken_orientation_is_none(block: bytes) -> None:
    content = JPEG[:2] + segment(0xE1, b"Exif\0\0" + block) + JPEG[2:]
    np.testing.assert_array_equal(images.decode(content).pixels, images.decode(JPEG).pixels)


def deep(bits: int) -> NDArray[np.uint16]:
    """The picture with the levels of a detector of `bits` bits in 16."""
    return (PICTURE.astype(np.uint16) << (bits - 8)) + np.uint16(3 if bits > 9 else 0)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_levels_of_a_detector_are_as_bright_as_in_8_bits(bits: int) -> None:
    decoded = images.decode(files.png(deep(bits)))
    assert np.abs(decoded.pixels.astype(int) - PICTURE).max() <= 1
    assert (decoded.bit_depth, decoded.warnings) == (16, ())


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("size", [1, 12], ids=["one pixel", "marker"])
def test_a_hot_pixel_or_a_marker_does_not_move_the_window(bits: int, size: int) -> None:
    levels = deep(bits)
    levels[2 : 2 + size, 2 : 2 + size] = 65_535
    decoded = images.decode(files.png(levels))
    expected = images.decode(files.png(deep(bits))).pixels
    expected[2 : 2 + size, 2 : 2 + size] = 255
    np.testing.assert_array_equal(decoded.pixels, expected)
    [warning] = decoded.warnings
    assert warning.code == "levels-clipped"
    assert f"{size * size:,} of" in warning.text


def test_a_narrow_range_of_16_bits_is_stretched_and_noise_is_not() -> None:
    narrow = deep(12) + np.uint16(32_768)
    decoded = images.decode(files.png(narrow))
    assert [warning.code for warning in decoded.warnings] == ["low-dynamic-range"]
    assert np.ptp(decoded.pixels) > 150
    assert np.corrcoef(decoded.pixels.ravel(), PICTURE.ravel())[0, 1] > 0.999
    noise = np.random.default_rng(0).integers(2_000, 2_020, (64, 64)).astype(np.uint16)
    assert np.ptp(images.decode(files.png(noise)).pixels) < 5


def test_8_bits_are_never_stretched_nor_clipped() -> None:
    faint = (PICTURE // 16 + 100).astype(np.uint8)
    faint[0, 0] = 255
    decoded = images.decode(files.png(faint))
    np.testing.assert_array_equal(decoded.pixels, faint)
    assert decoded.warnings == ()


SMALL = [files.jpeg(files.picture(24, 24)), files.png(files.picture(24, 24)),
         files.jpeg(files.picture(24, 24), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_bytes_that_flip_or_go_missing_give_an_image_or_a_reason(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SMALL)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    content = content[:cut] if data.draw(st.booleans()) else content
    try:
        decoded = images.decode(bytes(content))
    except UnreadableImage as error:
        assert "\n" not in str(error) and str(error)
    else:
        assert decoded.pixels.ndim == 2 and decoded.pixels.dtype == np.uint8


def test_what_others_print_meanwhile_is_not_lost(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    from thorax.image_formats import stderr

    with stderr.captured() as lines:
        os.write(2, b"from elsewhere\nCorrupt JPEG data: bad Huffman code\n")
    assert lines == ["Corrupt JPEG data: bad Huffman code"]
    assert capfd.readouterr().err == "from elsewhere\n"


@pytest.mark.skipif(not Path("../shared/nih").is_dir(), reason="no real images on this machine")
def test_real_images_are_read_as_opencv_reads_them() -> None:
    for path in sorted(Path("../shared/nih").glob("images-*/*"))[::60]:
        expected = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        expected = expected if expected.ndim == 2 else expected[..., 1]
        np.testing.assert_array_equal(images.decode(path.read_bytes()).pixels, expected)
