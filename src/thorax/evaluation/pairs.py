"""How many pairs of a positive and a negative image scores put in the right order, exactly.

The area under the ROC curve is that number over all pairs (Mann & Whitney, Ann. Math. Stat. 1947).
It is counted in integers, in the cheapest way that fits the scores:

- on a grid (rounded ones, whole numbers): the images of each class at each level;
- that hardly tie: keys in the order of scores, with the label as their last bit, sorted. Behind the
  sort a label lies at its image's rank, so nothing is looked up. A key is the bits of a single
  float; a double is rounded to 31 bits, and where that makes ties, doubles are compared;
- whatever is left: sorted, and the positives looked up in the order.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Keys = NDArray[np.int32]

_ROWS = 2048  # images encoded at a time: what is between stays in the nearest cache
_STEPS = (1, 10, 100, 255, 256, 1000, 10_000)  # of a grid, from one whole number to the next
_MOST_LEVELS = 1 << 14  # of a grid; counting more of them costs as much as sorting
_FIRST = 16  # images that show of most scores that they lie on no grid
_HELD = 1 << 53  # every whole number up to this is a float64
_REPEATED = 0.98  # of a finding's first scores so few differ where ties are many
_FEW = 16  # ties of both classes; looking into more of them costs as much as looking up all
_FOOT = 2.0**-100  # the least size of a single float but zero, so that a bit is left for the label
_LARGEST = 2.0**30 - 1  # of a rounded score, so that a bit is left for the label


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
    if scores.dtype.kind == "f" and np.isnan(scores.min()):
        scores = np.fmax(scores, np.fmin.reduce(scores, axis=None))  # what is not usable gets any
    found = _on_a_grid(present, scores, usable)
    if found is None and not _repeat(scores, usable):
        found = _by_keys(present, scores, usable)
    return _by_looking_up(present, scores, usable) if found is None else found


def _as_floats(scores: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as floats, where floats hold them, and half floats as single ones."""
    if scores.dtype == np.float16:
        return scores.astype(np.float32)
    if scores.dtype.kind not in "iu":
        return scores
    largest = max(-int(scores.min()), int(scores.max()))
    return scores.astype(np.float64) if largest <= _HELD else scores


def _repeat(scores: NDArray[Any], usable: Bools | None) -> bool:
    """Whether many images have the scores of others, by the first images of a finding."""
    column = scores.shape[1] // 2
    first = scores[:_ROWS, column]
    if usable is not None:
        first = first[usable[:_ROWS, column]]
    return bool(np.unique(first).size < _REPEATED * first.size)


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
        codes[:, rows] = code.T
    return [_of_codes(row, int(levels)) for row in _usable(codes, usable)]


def _are_whole(scores: NDArray[Any], step: Any) -> bool:
    """Whether whole numbers divided by `step` give these very scores."""
    return bool((np.rint(scores * step) / step == scores).all())


def _of_codes(codes: NDArray[np.int32], levels: int) -> float:
    """The area from twice the level plus the label: [N]."""
    counts = np.bincount(codes, minlength=2 * levels)
    negatives, positives = counts[::2], counts[1::2]
    won = int(positives @ (2 * np.cumsum(negatives) - negatives))
    return _share(won, int(positives.sum()), int(negatives.sum()))


def _usable(table: NDArray[Any], usable: Bools | None) -> Iterator[NDArray[Any]]:
    """What belongs to the usable images of each finding; `table` is [F, N]."""
    if usable is None:
        yield from table
        return
    for row, use in zip(table, np.ascontiguousarray(usable.T), strict=True):
        yield row.take(np.flatnonzero(use))


def _by_keys(present: Bools, scores: NDArray[Any], usable: Bools | None) -> list[float] | None:
    """`areas` where single floats are neither tiny nor huge, and scores hardly tie."""
    keys = _keys(present, scores)
    if keys is None:
        return None
    found = []
    for finding, row in enumerate(_usable(keys, usable)):
        ordered = np.sort(row)
        places = np.flatnonzero((ordered & 1).astype(bool))
        # In a tie the negatives come first, so that its pairs count as won until here.
        won = 2 * int(places.sum()) - places.size * (places.size - 1)
        ties = np.flatnonzero(ordered[1:] ^ ordered[:-1] == 1)
        if scores.dtype == np.float32:
            won -= _tied_pairs(ordered, ties)
        elif ties.size > _FEW:
            return None
        for tie in ordered[ties + 1] if scores.dtype == np.float64 else ():
            at = np.flatnonzero(row | 1 == tie)
            images = at if usable is None else np.flatnonzero(usable[:, finding])[at]
            won -= _lost(row[at] == tie, scores[images, finding])
        found.append(_share(won, places.size, row.size - places.size))
    return found


def _tied_pairs(keys: Keys, last: Ints) -> int:
    """Pairs of one key but for the label, from the last negatives of such; keys in order."""
    negatives = last + 1 - np.searchsorted(keys, keys[last])
    positives = np.searchsorted(keys, keys[last + 1], side="right") - last - 1
    return int(negatives @ positives)


def _keys(present: Bools, scores: NDArray[Any]) -> Keys | None:
    """Integers in the order of scores, with the label as their lowest bit: [F, N]."""
    rounding = None
    if scores.dtype == np.float64:
        rounding = _rounding(scores)
    if scores.dtype != np.float32 and rounding is None:
        return None
    keys = np.empty(scores.shape[::-1], np.int32)
    for start in range(0, len(scores), _ROWS):
        rows = slice(start, start + _ROWS)
        block = np.ascontiguousarray(scores[rows])
        if rounding is not None:
            key = _rounded(block, *rounding)
        else:
            fitting = _ordered(block)
            if fitting is None:
                return None
            key = fitting
        key += present[rows]
        keys[:, rows] = key.T
    return keys


def _ordered(block: NDArray[np.float32]) -> Keys | None:
    """Even integers in the order of floats; None where one is tiny or huge."""
    bits: Keys = block.view(np.int32)
    most = np.iinfo(np.int32).max - 3
    key = bits + bits  # the sign is shifted out
    key -= 2 * (np.array(_FOOT, np.float32).view(np.int32) - np.int32(1))
    size = key.view(np.uint32)
    if size.max() > most:
        outside = size > most
        if block[outside].any():
            return None
        key[outside] = 0  # zeros of either sign, below all other sizes
    sign = bits >> 31
    key ^= sign
    key -= sign
    return key


def _rounding(scores: NDArray[np.float64]) -> tuple[float, float] | None:
    """The least and the largest score, where they are far enough apart to round what is between."""
    low, high = float(scores.min()), float(scores.max())
    return (low, high) if low > 0 or 2.0**-900 < high / 2 - low / 2 < np.inf else None


def _rounded(block: NDArray[np.float64], low: float, high: float) -> Keys:
    """Even integers in the order of doubles from `low` to `high`; neighbours may be one."""
    if low > 0:  # in even steps of each octave, since scores can be small
        least, most = np.array([low, high]).view(np.int64).tolist()
        steps = block.view(np.int64) - least
        steps >>= max((most - least).bit_length() - 31, 0)
        steps -= 1 << 30
        key: Keys = steps.astype(np.int32)
    else:
        half = high / 2 - low / 2
        key = ((block - (low + half)) * (_LARGEST / half)).astype(np.int32)
    key += key
    return key


def _lost(present: Bools, scores: NDArray[Any]) -> int:
    """Of the pairs of few images, counted twice, how many are not won: [N], [N]."""
    positives = int(np.count_nonzero(present))
    return 2 * positives * (present.size - positives) - _won(present, scores)


def _by_looking_up(present: Bools, scores: NDArray[Any], usable: Bools | None) -> list[float]:
    """`areas` of whatever has an order."""
    columns = np.empty(scores.shape[::-1], scores.dtype)
    for start in range(0, len(scores), _ROWS):
        columns[:, start : start + _ROWS] = scores[start : start + _ROWS].T
    labels = _usable(np.ascontiguousarray(present.T), usable)
    found = []
    for column, label in zip(_usable(columns, usable), labels, strict=True):
        positives = int(np.count_nonzero(label))
        negatives = label.size - positives
        found.append(_share(_won(label, column), positives, negatives))
    return found


def _won(present: Bools, scores: NDArray[Any]) -> int:
    """Pairs won, counted twice so that a tie counts one: [N], [N]."""
    positives = int(np.count_nonzero(present))
    negatives = present.size - positives
    if positives > negatives:
        return 2 * positives * negatives - _won(~present, scores)
    if not positives:
        return 0
    ordered = np.sort(scores)
    sought = scores.take(np.flatnonzero(present))
    sought.sort()
    first = np.flatnonzero(sought[1:] != sought[:-1]) + 1  # of those alike, but the least
    bounds = np.concatenate([[0], first, [positives]])
    sought, times = sought[bounds[:-1]], bounds[1:] - bounds[:-1]
    looked = np.searchsorted(ordered, sought)
    looked += np.searchsorted(ordered, sought, side="right")
    # Among all images are the positives: of their own pairs, each won or lost, they win half.
    return int(times @ looked) - positives**2


def _share(twice_won: int, positives: int, negatives: int) -> float:
    every = positives * negatives
    return twice_won / (2 * every) if every else float("nan")
