"""Ranking metrics of many findings at once: AUC, average precision, and the two curves.

The definitions are scikit-learn's (`roc_auc_score`, `average_precision_score`), computed from
integer counts, so ties are exact. All functions take `(y_true, y_score)`, then keywords; `known`
says which targets may be used. Where a metric is undefined it is NaN, never 0.5, and
`undefined_reasons` names why. No intervals (`intervals.py`), no calibration (`calibration.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """One curve, from the strictest threshold to the loosest.

    Attributes:
        x: [K], false positive rate (ROC) or recall (PR).
        y: [K], true positive rate (ROC) or precision (PR).
        thresholds: [K]; at each, what scores at least that much counts as found. The first is +inf.
    """

    x: Floats
    y: Floats
    thresholds: Floats


def auc(y_true: ArrayLike, y_score: ArrayLike, *, known: ArrayLike | None = None) -> Floats:
    """Area under the ROC curve of each finding; a tie between the classes counts half.

    Args:
        y_true: [N, F], 1 present, 0 absent.
        y_score: [N, F], higher means more likely present; any monotone scale.
        known: [N, F] or None for all; targets that may be used.

    Returns:
        [F]; NaN where a class is missing.

    Raises:
        ValueError: shapes differ, or a usable score is NaN.
    """
    return np.array([_area(*classes) for classes in _classes(y_true, y_score, known)])


def _area(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """The share of pairs that are in the right order (Mann-Whitney), from sorted scores."""
    if not positive.size or not negative.size:
        return float("nan")
    below = np.searchsorted(negative, positive, "left").sum()
    not_above = np.searchsorted(negative, positive, "right").sum()
    return float((below + not_above) / (2 * positive.size * negative.size))


def average_precision(
    y_true: ArrayLike, y_score: ArrayLike, *, known: ArrayLike | None = None
) -> Floats:
    """Average precision of each finding: the sum over thresholds of precision times recall gained.

    Same arguments and errors as `auc`. Returns [F]; NaN where there is no positive.
    """
    values = []
    for positive, negative in _classes(y_true, y_score, known):
        if positive.size == 0:
            values.append(np.nan)
            continue
        curve = _pr(positive, negative)
        values.append(float(np.sum(np.diff(curve.x) * curve.y[1:])))
    return np.asarray(values, dtype=np.float64)


def roc_curve(y_true: ArrayLike, y_score: ArrayLike) -> Curve:
    """The ROC curve of one finding: y_true [N], y_score [N]; NaN on a missing class's axis."""
    positive, negative = next(_classes(*_columns(y_true, y_score), None))
    thresholds, found, false = _counts(positive, negative)
    return Curve(_share(false, negative.size), _share(found, positive.size), thresholds)


def pr_curve(y_true: ArrayLike, y_score: ArrayLike) -> Curve:
    """The precision-recall curve of one finding: y_true [N], y_score [N].

    Opens at recall 0 with the precision of the strictest threshold that finds anything.
    """
    return _pr(*next(_classes(*_columns(y_true, y_score), None)))


def undefined_reasons(y_true: ArrayLike, *, known: ArrayLike | None = None) -> list[str | None]:
    """Why each finding's AUC is undefined, None where it is defined. y_true and known: [N, F]."""
    y_true = np.asarray(y_true)
    usable = np.ones(y_true.shape, dtype=bool) if known is None else np.asarray(known, dtype=bool)
    labels = usable.sum(axis=0)
    positives = ((y_true == 1) & usable).sum(axis=0)
    return [_reason(int(p), int(n)) for p, n in zip(positives, labels - positives, strict=True)]


def _reason(positives: int, negatives: int) -> str | None:
    if positives + negatives == 0:
        return "no image has a known label"
    if positives == 0:
        return "no positive image"
    return "no negative image" if negatives == 0 else None


def _columns(y_true: ArrayLike, y_score: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.asarray(y_true)[:, None], np.asarray(y_score)[:, None]


def _classes(
    y_true: ArrayLike, y_score: ArrayLike, known: ArrayLike | None
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """The usable scores of each finding: those of its positives, and of its negatives, sorted."""
    y_true, y_score, usable = _checked(y_true, y_score, known)
    for column in range(y_true.shape[1]):
        scores = y_score[usable[:, column], column]
        present = y_true[usable[:, column], column] == 1
        if np.isnan(scores).any():
            raise ValueError(f"y_score holds NaN in column {column}")
        yield np.sort(scores[present]), np.sort(scores[~present])


def _checked(
    y_true: ArrayLike, y_score: ArrayLike, known: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[Any], Bools]:
    y_true, y_score = np.asarray(y_true), np.asarray(y_score)
    usable = np.ones(y_true.shape, dtype=bool) if known is None else np.asarray(known, dtype=bool)
    if y_true.ndim != 2 or not y_true.shape == y_score.shape == usable.shape:
        raise ValueError(
            f"expected three arrays [N, F], got {y_true.shape}, {y_score.shape}, {usable.shape}"
        )
    return y_true, y_score, usable


def _counts(positive: NDArray[Any], negative: NDArray[Any]) -> tuple[Floats, Ints, Ints]:
    """Thresholds from strict to loose, and the positives and negatives that reach each: [K]."""
    distinct = np.unique(np.concatenate([positive, negative]))[::-1]
    found = positive.size - np.searchsorted(positive, distinct, side="left")
    false = negative.size - np.searchsorted(negative, distinct, side="left")
    zero = np.zeros(1, dtype=np.int64)
    thresholds = np.concatenate([[np.inf], distinct.astype(np.float64)])
    return thresholds, np.concatenate([zero, found]), np.concatenate([zero, false])


def _pr(positive: NDArray[Any], negative: NDArray[Any]) -> Curve:
    thresholds, found, false = _counts(positive, negative)
    precision = found / np.maximum(found + false, 1)
    precision[0] = precision[1] if precision.size > 1 else np.nan
    return Curve(_share(found, positive.size), precision, thresholds)


def _share(count: Ints, total: int) -> Floats:
    if total == 0:
        return np.full(count.shape, np.nan)
    return np.asarray(count / total, dtype=np.float64)
