"""Batches of pixels, gathered by a thread in the background while the caller computes.

Works on anything that gathers rows of the manifest, such as `thorax.dataset.pixels.Pixels`. Decides
no order: whoever trains or scores says which rows make a batch.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_AHEAD = 3  # batches under way: enough to hide the gathering, few enough for memory


class PixelSource(Protocol):
    """What holds decoded images of one square size."""

    @property
    def size_px(self) -> int:
        """Side of the square images in pixels."""

    def gather(self, manifest_rows: pd.DataFrame) -> NDArray[np.uint8]:
        """The pixels uint8 [B, H, W] of B rows of the manifest, in their order."""


def stream(
    pixels: PixelSource, rows: pd.DataFrame, batches: Iterable[NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
    """Yield each batch with its pixels, in the given order.

    Args:
        pixels: where the images are.
        rows: N rows of the manifest.
        batches: positions in `rows`, [B] each.

    Yields:
        The positions [B], and the pixels uint8 [B, H, W].
    """
    coming = iter(batches)
    with ThreadPoolExecutor(1, "pixels") as background:

        def start(batch: NDArray[np.int64]) -> "Future[NDArray[np.uint8]]":
            return background.submit(pixels.gather, rows.iloc[batch])

        pending = deque((batch, start(batch)) for batch in islice(coming, _AHEAD))
        while pending:
            batch, gathered = pending.popleft()
            content = gathered.result()
            for following in islice(coming, 1):
                pending.append((following, start(following)))
            yield batch, content


def in_order(count: int, size: int) -> list[NDArray[np.int64]]:
    """The positions 0 to count - 1 in batches of at most `size`."""
    return [np.arange(at, min(at + size, count)) for at in range(0, count, size)]


def shuffled(count: int, size: int, *, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """All positions once in a random order that only `seed` and `epoch` decide.

    A last batch that is not full is left out (its batch statistics would be poor), unless it is the
    only one; over the epochs every position has its turn.
    """
    order = np.random.default_rng([seed, epoch]).permutation(count)
    full = [order[at : at + size] for at in range(0, count - size + 1, size)]
    return full or [order]
