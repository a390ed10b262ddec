"""Ridge regression by parts of the patients: every image is scored by a fit without its patient.

In the dual where there are fewer images than features, else in the primal; both give the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OutOfFold:
    """Scores [N, F] of the best penalty, and which that was."""

    scores: Floats
    penalty: float


def out_of_fold(
    features: NDArray[np.float32], aims: Floats, folds: NDArray[np.int64], *,
    penalties: Sequence[float], known: NDArray[np.bool_], judged_by: Floats | None = None,
) -> OutOfFold:  # fmt: skip
    """Fit `aims` [N, F] on `features` [N, D] without each part, and score that part.

    Args:
        features: standardised.
        aims: what is fitted, 0 to 1; any number where not known.
        folds: the part of each image [N].
        penalties: those that are tried.
        known: bool [N, F]; an aim that is not known counts as the mean of its finding.
        judged_by: the best penalty has the least squared error from these; default: `aims`.
    """
    judges = aims if judged_by is None else judged_by
    fitted = [_scores(features, aims, folds, penalty, known) for penalty in penalties]
    errors = [float(((scores - judges)[known] ** 2).mean()) for scores in fitted]
    best = int(np.argmin(errors))
    return OutOfFold(fitted[best], penalties[best])


def _scores(
    features: NDArray[np.float32], aims: Floats, folds: NDArray[np.int64], penalty: float,
    known: NDArray[np.bool_],
) -> Floats:  # fmt: skip
    scores = np.empty_like(aims)
    for number in np.unique(folds):
        held = folds == number
        counts = known[~held]
        mean = (aims[~held] * counts).sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
        residual = np.where(counts, aims[~held] - mean, 0)  # [n, F]
        weights = _solve(features[~held], residual, penalty)  # [D, F]
        scores[held] = features[held] @ weights + mean
    return scores


def _solve(features: NDArray[np.float32], residual: Floats, penalty: float) -> Floats:
    """The weights [D, F] of one fit."""
    images, width = features.shape
    if images < width:
        gram = (features @ features.T).astype(np.float64)  # [n, n]
        gram[np.diag_indices(images)] += penalty
        return np.asarray(features.T @ np.linalg.solve(gram, residual))
    gram = (features.T @ features).astype(np.float64)  # [D, D]
    gram[np.diag_indices(width)] += penalty
    return np.asarray(np.linalg.solve(gram, features.T @ residual))
