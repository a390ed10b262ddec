"""Decoding processes: real ones, which end, hang and answer."""

import asyncio
from typing import Any

import numpy as np
import pytest

from serving.decoding import Decoders
from tests import image_files as files
from thorax import images
from thorax.images import UnreadableImage


def run(work: Any) -> Any:
    return asyncio.run(work)


def test_what_comes_back_is_what_the_decoder_gives_here() -> None:
    levels = (files.picture().astype(np.uint16) << 4) + np.uint16(1)
    levels[0, 0] = 65_535
    content = files.with_chunk(files.png(levels), files.chunk(b"eXIf", files.exif(6)))
    decoded, expected = run(Decoders().decode(content)), images.decode(content)
    np.testing.assert_array_equal(decoded.pixels, expected.pixels)
    assert len(decoded.warnings) == 2
    assert decoded.warnings == expected.warnings
    assert (decoded.channels, decoded.bit_depth) == (1, 16)


def test_a_refusal_comes_back_with_its_reason() -> None:
    with pytest.raises(UnreadableImage, match="neither PNG nor JPEG"):
        run(Decoders().decode(b"hello"))


def test_a_process_that_is_slow_or_dies_is_replaced() -> None:
    async def work() -> None:
        decoders = Decoders(processes=1)
        good = files.png(files.picture())
        await decoders.decode(good)
        process = decoders._free.get_nowait()
        assert process is not None
        process.kill()
        decoders._free.put_nowait(process)
        with pytest.raises(UnreadableImage, match="failed"):
            await decoders.decode(good)
        assert (await decoders.decode(good)).pixels.shape == files.picture().shape
        decoders._within_s = 0.0
        with pytest.raises(UnreadableImage, match="more than 0 s"):
            await decoders.decode(good)
        decoders._within_s = 20.0
        assert (await decoders.decode(good)).pixels.shape == files.picture().shape

    run(work())
