"""The ROC and PR curves of one finding in every bootstrap replicate, and points read off them.

A curve changes its sensitivity only at the scores of positives, so a replicate is two counts at
each of those: the drawn positives and negatives that reach it. The draws are those of
`intervals.py`, so patients are resampled. What a threshold gives that was chosen elsewhere is in
`points.py`; here every replicate chooses its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from thorax.evaluation.intervals import Resampling

Floats = NDArray[np.float64]
_ROUNDING = 1e-12  # shares of counts that are equal on paper


@dataclass(frozen=True)
class Replicated:
    """Curves in R replicates, from the strictest of G thresholds to the loosest.

    Attributes:
        found: [R, G], drawn positives that reach each threshold.
        false: [R, G], drawn negatives that do.
        negatives: [R], drawn negatives.
    """

    found: Floats
    false: Floats
    negatives: Floats

    def sensitivity_at(self, specificities: ArrayLike) -> Floats:
        """The best sensitivity at each specificity [K] or more: [R, K]."""
        limits = 1 - np.asarray(specificities, np.float64) + _ROUNDING
        with np.errstate(invalid="ignore"):
            sensitivity = _with_zero(self.found / self.found[:, -1:])
            costs = _with_zero(self.false / self.negatives[:, None])
        places = [np.searchsorted(cost, limits, side="right") - 1 for cost in costs]
        return self._defined(np.take_along_axis(sensitivity, np.stack(places), axis=1))

    def specificity_at(self, sensitivities: ArrayLike) -> Floats:
        """The best specificity at each sensitivity [K] or more: [R, K]."""
        with np.errstate(invalid="ignore"):
            specificity = 1 - self.false / self.negatives[:, None]
        return self._defined(np.take_along_axis(specificity, self._reach(sensitivities), axis=1))

    def precision_at(self, sensitivities: ArrayLike) -> Floats:
        """The precision where each sensitivity [K] is first reached: [R, K]."""
        places = self._reach(sensitivities)
        found, false = (np.take_along_axis(each, places, axis=1) for each in _pair(self))
        with np.errstate(invalid="ignore"):
            return self._defined(found / (found + false))

    def average_precision(self) -> Floats:
        """The average precision: [R]."""
        gained = np.diff(self.found, axis=1, prepend=0)
        with np.errstate(invalid="ignore"):
            precision = np.nan_to_num(self.found / (self.found + self.false))
            values = (gained * precision).sum(axis=1) / self.found[:, -1]
        return self._defined(values[:, None])[:, 0]

    def _reach(self, sensitivities: ArrayLike) -> NDArray[np.int64]:
        wanted = np.maximum(np.asarray(sensitivities, np.float64) - _ROUNDING, _ROUNDING)
        counts = self.found[:, -1:] * wanted
        places = [np.searchsorted(f, c) for f, c in zip(self.found, counts, strict=True)]
        return np.asarray(np.minimum(np.stack(places), self.found.shape[1] - 1), np.int64)

    def _defined(self, values: Floats) -> Floats:
        lacking = (self.found[:, -1] == 0) | (self.negatives == 0)
        return np.where(lacking[:, None], np.nan, values)


def replicate(y_true: ArrayLike, y_score: ArrayLike, resampling: Resampling) -> Replicated:
    """The curves of one finding.

    Args:
        y_true: [N], known targets with both classes.
        y_score: [N].
        resampling: over the same N images.
    """
    present, scores = np.asarray(y_true) == 1, np.asarray(y_score)
    patients = resampling.weights.shape[0]
    levels, level = np.unique(scores[present], return_inverse=True)
    reached = np.searchsorted(levels, scores[~present], side="right")  # 0: reaches none
    found = _counts(level, resampling.patient[present], (levels.size, patients))
    false = _counts(reached, resampling.patient[~present], (levels.size + 1, patients))
    drawn_false = (false @ resampling.weights)[::-1].cumsum(axis=0)
    drawn_found = (found @ resampling.weights)[::-1].cumsum(axis=0)
    return Replicated(
        np.ascontiguousarray(drawn_found.T),
        np.ascontiguousarray(drawn_false[:-1].T),
        np.asarray(drawn_false[-1]),
    )


def whole(images: int) -> Resampling:
    """The one draw that takes every image once: what is read off it is the estimate itself."""
    return Resampling(np.zeros(images, np.int64), np.ones((1, 1)))


def _counts(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    return sparse.csr_matrix((np.ones(rows.size), (rows, columns)), shape=shape)


def _with_zero(shares: Floats) -> Floats:
    """A threshold above all scores in front, which nothing reaches."""
    return np.concatenate([np.zeros((len(shares), 1)), shares], axis=1)


def _pair(curves: Replicated) -> tuple[Floats, Floats]:
    return curves.found, curves.false
