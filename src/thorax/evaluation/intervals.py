"""Bootstrap intervals that resample patients, for AUCs, their mean, and paired differences.

Images of one patient resemble each other (NIH's test split has nine per patient), so patients are
drawn with replacement, and every image counts as often as its patient was drawn (cluster bootstrap;
Field & Welsh, J. R. Stat. Soc. B 2007). Intervals are percentiles of the replicates. A replicate
that lacks a class of a finding is dropped for that finding, and what is left is counted.

The speed: a replicate is a vector of patient weights, and the order of the scores is the same in
all of them. Per finding, one sparse product counts the drawn negatives between neighbouring
positives in all replicates at once. No BCa correction, no DeLong.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 256  # replicates at a time: keeps the weights of some thousand patients in cache


@dataclass(frozen=True)
class Resampling:
    """The draws that all metrics of one evaluation share, so that their replicates pair up.

    Attributes:
        patient: [N], the row of each image's patient in `weights`.
        weights: [P, R], how often each patient was drawn in each replicate.
    """

    patient: Ints
    weights: Floats

    def of(self, rows: NDArray[np.bool_]) -> "Resampling":
        """The same draws for a part of the images: rows [N]."""
        return Resampling(self.patient[rows], self.weights)


@dataclass(frozen=True)
class Interval:
    """A percentile interval; low and high are NaN where too few replicates define the metric.

    Attributes:
        low: lower end.
        high: upper end.
        replicates: how many replicates defined the metric and were used.
        reason: why there are no ends; else empty.
    """

    low: float
    high: float
    replicates: int
    reason: str = ""


def resample(patients: ArrayLike, *, replicates: int, seed: int) -> Resampling:
    """Draw as many patients as there are, with replacement, `replicates` times.

    Args:
        patients: [N], the patient of each image, any sortable labels.
        replicates: how many draws.
        seed: the same seed and patients give the same draws.
    """
    names, patient = np.unique(np.asarray(patients), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(names.size, size=(replicates, names.size))
    flat = drawn + names.size * np.arange(replicates)[:, None]
    counts = np.bincount(flat.ravel(), minlength=replicates * names.size)
    weights = counts.reshape(replicates, names.size).T.astype(np.float64)
    return Resampling(patient.astype(np.int64), np.ascontiguousarray(weights))


def auc_replicates(
    y_true: ArrayLike, y_score: ArrayLike, resampling: Resampling, *, known: ArrayLike | None = None
) -> Floats:
    """The AUC of each finding in each replicate.

    Args:
        y_true: [N, F], 1 present, 0 absent.
        y_score: [N, F].
        resampling: from `resample` over the same N images.
        known: [N, F] or None for all.

    Returns:
        [R, F]; NaN where the replicate lacks a class.
    """
    y_true, y_score = np.asarray(y_true), np.asarray(y_score)
    usable = np.ones(y_true.shape, dtype=bool) if known is None else np.asarray(known, dtype=bool)
    replicates = np.empty((resampling.weights.shape[1], y_true.shape[1]))
    for column in range(y_true.shape[1]):
        rows = usable[:, column]
        replicates[:, column] = _auc_replicates_of(
            y_true[rows, column] == 1, y_score[rows, column], resampling.of(rows)
        )
    return replicates


def mean_replicates(replicates: Floats) -> Floats:
    """The mean over findings in each replicate: [R, F] -> [R].

    As the mean itself is over the findings that the images define, each replicate's is over those
    that it defines; NaN where there is none.
    """
    counts = (~np.isnan(replicates)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(replicates, axis=1) / np.where(counts > 0, counts, np.nan))


def percentile(replicates: Floats, *, confidence: float, min_share: float) -> Interval:
    """The percentile interval of one metric's replicates [R].

    Args:
        replicates: [R], NaN where undefined.
        confidence: such as 0.95.
        min_share: share of the replicates that must define the metric; below it the ends are NaN.
    """
    used = replicates[~np.isnan(replicates)]
    if used.size == 0 or used.size < min_share * replicates.size:
        return Interval(float("nan"), float("nan"), int(used.size))
    tail = (1 - confidence) / 2
    low, high = np.quantile(used, [tail, 1 - tail])
    return Interval(float(low), float(high), int(used.size))


def auc_difference_replicates(
    y_true: ArrayLike,
    y_score: ArrayLike,
    y_score_other: ArrayLike,
    resampling: Resampling,
    *,
    known: ArrayLike | None = None,
) -> Floats:
    """AUC of `y_score` minus AUC of `y_score_other` on the same images and draws: [R, F].

    The pairing keeps what both scorings owe to the same patients out of the interval.
    """
    ours = auc_replicates(y_true, y_score, resampling, known=known)
    return ours - auc_replicates(y_true, y_score_other, resampling, known=known)


def _auc_replicates_of(
    present: NDArray[np.bool_], scores: NDArray[Any], resampling: Resampling
) -> Floats:
    patients, replicates = resampling.weights.shape
    if present.all() or not present.any():
        return np.full(replicates, np.nan)
    levels, level = np.unique(scores[present], return_inverse=True)
    positives = _count_matrix(level, resampling.patient[present], (levels.size, patients))
    # A negative stands between two levels (an even place) or is tied with one (an odd place).
    left = np.searchsorted(levels, scores[~present], side="left")
    place = left + np.searchsorted(levels, scores[~present], side="right")
    negatives = _count_matrix(place, resampling.patient[~present], (2 * levels.size + 1, patients))
    blocks = [
        _areas(positives, negatives, resampling.weights[:, start : start + _BLOCK])
        for start in range(0, replicates, _BLOCK)
    ]
    return np.concatenate(blocks)


def _count_matrix(rows: Ints, columns: Ints, shape: tuple[int, int]) -> Any:
    """Sparse [G, P]: how many images of a patient lie in a group."""
    return sparse.csr_matrix((np.ones(rows.size), (rows, columns)), shape=shape)


def _areas(positives: Any, negatives: Any, weights: Floats) -> Floats:
    """AUC of each replicate of a block; positives [G, P], negatives [2G+1, P], weights [P, R]."""
    drawn_positives = positives @ weights  # [G, R]
    drawn_negatives = negatives @ weights  # [2G+1, R]
    between, tied = drawn_negatives[0::2], drawn_negatives[1::2]
    below = np.cumsum(between[:-1] + np.vstack([np.zeros_like(tied[:1]), tied[:-1]]), axis=0)
    won = np.einsum("gr,gr->r", drawn_positives, below + tied / 2)
    pairs = drawn_positives.sum(axis=0) * drawn_negatives.sum(axis=0)
    areas = np.full(pairs.shape, np.nan)
    np.divide(won, pairs, out=areas, where=pairs > 0)
    return areas
