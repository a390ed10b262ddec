"""DeLong's variance of the AUC, and the paired comparison of two scorings of the same images.

DeLong, DeLong & Clarke-Pearson (Biometrics 1988) in the form of Sun & Xu (IEEE Signal Process.
Lett. 2014): from mid-ranks, in the time of a sort. It takes images as independent: where patients
have several, its intervals are too narrow and `intervals.py`, which resamples patients, is right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """AUC of one scoring minus that of another, finding by finding: [F] each, NaN if undefined.

    Attributes:
        difference: of the AUCs.
        standard_error: of the difference; 0 where both rank alike.
        p_value: two-sided, that there is no difference; 1 where both rank alike.
    """

    difference: Floats
    standard_error: Floats
    p_value: Floats


def standard_errors(
    y_true: ArrayLike, y_score: ArrayLike, *, known: ArrayLike | None = None
) -> Floats:
    """The standard error of each finding's AUC.

    Args:
        y_true: [N, F], 1 present, 0 absent.
        y_score: [N, F], without NaN.
        known: [N, F] or None for all.

    Returns:
        [F]; NaN with fewer than two images of a class.
    """
    y_true, y_score = np.asarray(y_true), np.asarray(y_score)
    errors = np.full(y_true.shape[1], np.nan)
    for column in range(errors.size):
        present, scores = _usable(y_true, y_score[:, [column]], known, column)
        errors[column] = np.sqrt(_covariance(present, scores)[0, 0])
    return errors


def interval(area: float, standard_error: float, *, confidence: float) -> tuple[float, float]:
    """The normal interval of an AUC, cut at 0 and 1; NaN where the error is."""
    reach = float(ndtri((1 + confidence) / 2)) * standard_error
    low, high = np.clip([area - reach, area + reach], 0, 1)
    return float(low), float(high)


def compare(
    y_true: ArrayLike,
    y_score: ArrayLike,
    y_score_other: ArrayLike,
    *,
    known: ArrayLike | None = None,
) -> Comparison:
    """Compare two scorings [N, F] of the same images; arguments as in `standard_errors`."""
    y_true, one, other = np.asarray(y_true), np.asarray(y_score), np.asarray(y_score_other)
    results = np.full((3, y_true.shape[1]), np.nan)
    for column in range(y_true.shape[1]):
        both = np.stack([one[:, column], other[:, column]], axis=1)
        present, scores = _usable(y_true, both, known, column)
        covariance = _covariance(present, scores)
        areas = [_components(present, scores[:, place])[0].mean() for place in (0, 1)]
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        error = np.sqrt(max(variance, 0.0)) if not np.isnan(variance) else np.nan
        results[:, column] = areas[0] - areas[1], error, _p_value(areas[0] - areas[1], error)
    return Comparison(*results)


def _p_value(difference: float, error: float) -> float:
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return float(2 * norm.sf(abs(difference) / error))


def _usable(
    y_true: NDArray[Any], scores: NDArray[Any], known: ArrayLike | None, column: int
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Which of a finding's usable images show it [n], and their scores [n, K]."""
    rows = np.ones(len(y_true), bool) if known is None else np.asarray(known, bool)[:, column]
    return y_true[rows, column] == 1, scores[rows]


def _covariance(present: NDArray[np.bool_], scores: NDArray[Any]) -> Floats:
    """Of the AUCs of K scorings [n, K]: [K, K]; NaN with fewer than two images of a class."""
    kinds = scores.shape[1]
    positives, negatives = int(present.sum()), int((~present).sum())
    if min(positives, negatives) < 2:
        return np.full((kinds, kinds), np.nan)
    parts = [_components(present, scores[:, kind]) for kind in range(kinds)]
    won = np.cov(np.stack([part[0] for part in parts])).reshape(kinds, kinds)
    beaten = np.cov(np.stack([part[1] for part in parts])).reshape(kinds, kinds)
    return np.asarray(won / positives + beaten / negatives)


def _components(present: NDArray[np.bool_], scores: NDArray[Any]) -> tuple[Floats, Floats]:
    """Share of negatives below each positive, and of positives above each negative; ties half."""
    positive, negative = scores[present], scores[~present]
    if positive.size == 0 or negative.size == 0:
        return np.full(1, np.nan), np.full(1, np.nan)
    among_all = rankdata(np.concatenate([positive, negative]))
    below = (among_all[: positive.size] - rankdata(positive)) / negative.size
    above = 1 - (among_all[positive.size :] - rankdata(negative)) / positive.size
    return below, above
