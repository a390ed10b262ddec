"""Pairs of near hashes among many, exactly: multi-index hashing (Norouzi, Punjani, Fleet 2012).

256 bits are cut into 16 bands of 16. Two hashes that differ in at most 31 bits differ in at most
one bit in some band, so looking every band up as it is and with each of its bits flipped misses
none.
Memory is bounded: pairs are looked at in blocks. Where the images are so much alike that bands tell
little apart, all pairs are looked at.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BITS = 256
BITS_MAX = 31  # the farthest that is found

_BANDS, _WIDTH = 16, 16
_BLOCK = 1 << 19  # pairs looked at together

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


def parse(texts: list[str]) -> Hashes:
    """Hashes in hexadecimal (64 digits each) as uint64 [N, 4]."""
    content = np.frombuffer(bytes.fromhex("".join(texts)), np.uint8)
    return content.reshape(len(texts), BITS // 8).view(np.uint64)


class Near(NamedTuple):
    """Pairs of near hashes: first place < second place, sorted.

    Attributes:
        first, second: places of the two hashes, int64 [pairs].
        bits: in how many bits they differ, int64 [pairs].
        complete: whether these are all; the search stops when it has found `pairs_max`.
    """

    first: Places
    second: Places
    bits: Places
    complete: bool


def near(hashes: Hashes, bits_max: int, *, pairs_max: int = 1_000_000) -> Near:
    """The pairs that differ in at most `bits_max` bits.

    Args:
        hashes: uint64 [N, 4]. Distinct ones: of N equal hashes all N (N - 1) / 2 pairs are listed.
        bits_max: 0 to `BITS_MAX`.
        pairs_max: where to stop, so that memory stays bounded for a set of much alike images.
    """
    if not 0 <= bits_max <= BITS_MAX:
        raise ValueError(f"bits_max must be between 0 and {BITS_MAX}, not {bits_max}")
    pairs, fresh, waiting = np.empty((0, 2), np.int64), list[Places](), 0
    for one, other in _candidates(hashes, reach=bits_max // _BANDS):
        close = _distance(hashes, one, other) <= bits_max
        fresh.append(np.stack([one[close], other[close]], axis=1))
        waiting += len(fresh[-1])
        if waiting > pairs_max:
            pairs, fresh, waiting = np.unique(np.concatenate([pairs, *fresh]), axis=0), [], 0
        if len(pairs) > pairs_max:
            break
    pairs = np.unique(np.concatenate([pairs, *fresh]), axis=0)
    first, second = pairs[:pairs_max].T
    return Near(first, second, _distance(hashes, first, second), len(pairs) <= pairs_max)


def _candidates(hashes: Hashes, *, reach: int) -> Iterator[tuple[Places, Places]]:
    """Blocks of pairs that may be near: by bands, or all where the bands tell too little apart."""
    bands = list(_bands(hashes))
    total = len(hashes) * (len(hashes) - 1) // 2
    flips = 1 + _WIDTH * reach
    alike = sum(int((np.bincount(keys).astype(np.float64) ** 2).sum()) for keys in bands)
    if alike * flips / 2 < total:
        for keys in bands:
            yield from _alike(keys, reach=reach)
        return
    for one in range(len(hashes)):
        for start in range(one + 1, len(hashes), _BLOCK):
            other = np.arange(start, min(start + _BLOCK, len(hashes)))
            yield np.full(len(other), one), other


def _bands(hashes: Hashes) -> Iterator[NDArray[np.uint16]]:
    """The bands' keys. Neighbouring bits, which hang together, go to different bands."""
    bits = np.unpackbits(hashes.view(np.uint8), axis=1).reshape(-1, _WIDTH, _BANDS)
    weights = (1 << np.arange(_WIDTH)).astype(np.uint32)
    for band in range(_BANDS):
        columns = (band + np.arange(_WIDTH)) % _BANDS  # a diagonal: one of every frequency
        yield (bits[:, np.arange(_WIDTH), columns] @ weights).astype(np.uint16)


def _alike(keys: NDArray[np.uint16], *, reach: int) -> Iterator[tuple[Places, Places]]:
    """Blocks of pairs whose keys are equal or, with reach 1, differ in one bit."""
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange((1 << _WIDTH) + 1))
    places = np.arange(len(keys))
    flips = [0, *(1 << bit for bit in range(_WIDTH))] if reach else [0]
    for flip in flips:
        wanted = (keys ^ np.uint16(flip)).astype(np.int64)
        begin, count = starts[wanted], starts[wanted + 1] - starts[wanted]
        count[wanted < keys] = 0  # the other of the two finds the pair
        ends = np.concatenate([[0], count.cumsum()])
        cuts = np.searchsorted(ends, np.arange(0, ends[-1] + _BLOCK, _BLOCK))
        for low, high in pairwise(np.unique(np.append(cuts.clip(0, len(keys)), len(keys)))):
            some = count[low:high]
            one = np.repeat(places[low:high], some)
            offset = np.arange(len(one)) - np.repeat(ends[low:high] - ends[low], some)
            other = order[np.repeat(begin[low:high], some) + offset]
            kept = (one < other) | (flip > 0)
            yield np.minimum(one, other)[kept], np.maximum(one, other)[kept]


def _distance(hashes: Hashes, one: Places, other: Places) -> Places:
    return np.asarray(np.bitwise_count(hashes[one] ^ hashes[other]).sum(axis=1), np.int64)
