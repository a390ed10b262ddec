"""How many pairs of a positive and a negative image scores put in the right order, exactly.

The area under the ROC curve is that number over all pairs (Mann & Whitney, Ann. Math. Stat. 1947).
It is counted in integers, in the cheaper of two ways that fits the scores:

- scores on a grid (rounded ones, whole numbers): the images of each class at each level;
- other scores: the bits of a float and the label, in one integer, sorted. Behind the sort a label
  lies at its image's rank, so nothing is looked up.

What fits neither is replaced by its ranks first.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_ROWS = 2048  # images encoded at a time: what is between stays in the nearest cache
_STEPS = (1, 10, 100, 255, 256, 1000, 10_000)  # of a grid, from one whole number to the next
_MOST_LEVELS = 1 << 14  # of a grid; counting more of them costs as much as sorting
_FIRST = 16  # images that show of most scores that they lie on no grid
_HELD = 1 << 53  # every whole number up to this is a float64
_MANY = 64  # of a finding's images one in so many at the end of a tie makes ties many


class _Window(NamedTuple):
    """Floats whose sizes count from the window's foot, so that a bit is left for the label."""

    float_type: type[np.floating[Any]]
    signed: type[np.signedinteger[Any]]
    unsigned: type[np.unsignedinteger[Any]]
    foot: float  # the least size but zero


# 128 and 1024 octaves wide.
_WINDOWS = (
    _Window(np.float32, np.int32, np.uint32, 2.0**-100),
    _Window(np.float64, np.int64, np.uint64, 2.0**-600),
)


def areas(present: Bools, scores: NDArray[Any], usable: Bools | None) -> list[float]:
    """The share of pairs in the right order of each finding, ties counting half: [F].

    Args:
        present: [N, F], which images are positive.
        scores: [N, F] of any type with an order; no NaN where usable.
        usable: [N, F], which images count at all; None for all.

    Returns:
        NaN where there is no pair.
    """
    if scores.size == 0:
        return [float("nan")] * scores.shape[1]
    scores = _as_floats(scores)
    of_grid = _on_a_grid(present, scores, usable)
    if of_grid is not None:
        return of_grid
    for window in _WINDOWS:
        if scores.dtype.kind == "f" and scores.itemsize <= np.dtype(window.float_type).itemsize:
            keys = _keys(present, scores, usable, window)
            if keys is not None:
                return [_share(*_won(row)) for row in _sorted(keys, usable)]
    ranks = [np.unique(column, return_inverse=True)[1] for column in scores.T]
    return areas(present, np.stack(ranks, axis=1).astype(np.float64), usable)


def _as_floats(scores: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as floats, where floats hold them, and half floats as single ones."""
    if scores.dtype == np.float16:
        return scores.astype(np.float32)
    if scores.dtype.kind not in "iu":
        return scores
    largest = max(-int(scores.min()), int(scores.max()))
    return scores.astype(np.float64) if largest <= _HELD else scores


def _on_a_grid(present: Bools, scores: NDArray[Any], usable: Bools | None) -> list[float] | None:
    """`areas` where scores are so many whole steps, and not too many."""
    if scores.dtype.kind != "f":
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        step = next(
            (n for n in map(scores.dtype.type, _STEPS) if _are_whole(scores[:_FIRST], n)), None
        )
        if step is None:
            return None
        lowest = np.rint(scores.min() * step)
        levels = np.rint(scores.max() * step) - lowest + 1
    if not levels <= _MOST_LEVELS:
        return None
    codes = np.empty(scores.shape[::-1], np.int32)
    for start in range(0, len(scores), _ROWS):
        rows = slice(start, start + _ROWS)
        whole = np.rint(scores[rows] * step)
        if not (whole / step == scores[rows]).all():
            return None
        code = (whole - lowest).astype(np.int32)
        code += code
        code += present[rows]
        if usable is not None:
            code[~usable[rows]] = 2 * levels
        codes[:, rows] = code.T
    return [_of_codes(row, int(levels)) for row in codes]


def _are_whole(scores: NDArray[Any], step: Any) -> bool:
    """Whether whole numbers divided by `step` give these very scores."""
    return bool((np.rint(scores * step) / step == scores).all())


def _of_codes(codes: NDArray[np.int32], levels: int) -> float:
    """The area from twice the level plus the label: [N]; from twice `levels` on is unused."""
    counts = np.bincount(codes, minlength=2 * levels)
    negatives, positives = counts[: 2 * levels : 2], counts[1 : 2 * levels : 2]
    won = int(positives @ (2 * np.cumsum(negatives) - negatives))
    return _share(won, int(positives.sum()), int(negatives.sum()))


def _keys(
    present: Bools, scores: NDArray[Any], usable: Bools | None, window: _Window
) -> NDArray[Any] | None:
    """Integers in the order of floats, with the label as their lowest bit: [F, N].

    What is unusable comes last. None where scores lie outside the window.
    """
    keys = np.empty(scores.shape[::-1], window.signed)
    for start in range(0, len(scores), _ROWS):
        rows = slice(start, start + _ROWS)
        block = np.ascontiguousarray(scores[rows], window.float_type)
        key, unfit = _ordered(block, window)
        if unfit is not None and (unfit if usable is None else unfit & usable[rows]).any():
            return None
        key += present[rows]
        if usable is not None:
            key[~usable[rows]] = np.iinfo(window.signed).max
        keys[:, rows] = key.T
    return keys


def _ordered(block: NDArray[Any], window: _Window) -> tuple[Ints, Bools | None]:
    """Even integers in the order of floats, and which floats lie outside the window, if any do."""
    bits: Ints = block.view(window.signed)
    most = np.iinfo(window.signed).max - 3
    key = bits + bits  # the sign is shifted out
    key -= 2 * (np.array(window.foot, window.float_type).view(window.signed) - window.signed(1))
    size: Ints = key.view(window.unsigned)
    unfit = None
    if size.max() > most:
        outside = size > most
        unfit = outside & (block != 0)
        key[outside] = 0  # zeros of either sign, below all other sizes
    sign = bits >> (8 * block.itemsize - 1)
    key ^= sign
    key -= sign
    return key, unfit


def _sorted(keys: NDArray[Any], usable: Bools | None) -> Iterator[NDArray[Any]]:
    """The usable keys of each finding in order; `keys` [F, N] is changed."""
    images = [keys.shape[1]] * len(keys) if usable is None else usable.sum(axis=0).tolist()
    for row, count in zip(keys, images, strict=True):
        row.sort()
        yield row[:count]


def _won(keys: NDArray[Any]) -> tuple[int, int, int]:
    """Pairs won, counted twice so that a tie counts one; positives; negatives. Keys in order."""
    labels = (keys & 1).astype(bool)
    positives = int(np.count_nonzero(labels))
    places = np.flatnonzero(labels)
    # In a tie the negatives come first, so that its pairs count as won until now.
    won = 2 * int(places.sum()) - positives * (positives - 1) - _tied_pairs(keys)
    return won, positives, keys.size - positives


def _ties(keys: NDArray[Any]) -> Ints:
    """Where keys in order go from the negatives of a score to its positives: the last negative."""
    return np.flatnonzero(keys[1:] ^ keys[:-1] == 1)


def _tied_pairs(keys: NDArray[Any]) -> int:
    """Pairs of a negative and a positive image of one score; images of one key are a run."""
    last = _ties(keys)
    if last.size * _MANY < keys.size:
        negatives = last + 1 - np.searchsorted(keys, keys[last])
        positives = np.searchsorted(keys, keys[last + 1], side="right") - last - 1
        return int(negatives @ positives)
    ends = np.ones(keys.size + 1, dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=ends[1:-1])
    starts = np.flatnonzero(ends)  # of the runs, and the end of the last
    tie = np.searchsorted(starts, last + 1)
    return int((starts[tie] - starts[tie - 1]) @ (starts[tie + 1] - starts[tie]))


def _share(twice_won: int, positives: int, negatives: int) -> float:
    every = positives * negatives
    return twice_won / (2 * every) if every else float("nan")
