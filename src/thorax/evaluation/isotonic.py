"""Isotonic calibration of one finding: the best never-falling step from logit to probability.

Pool adjacent violators (Zadrozny & Elkan, KDD 2002) on Platt's smoothed targets, so that no
probability is 0 or 1 however few the images. Where one step ends and the next begins the curve is
linear in the logit. Images within a step tie; rankings by logit do not change.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from thorax.evaluation.calibration import FALLING, cannot_fit, smoothed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Isotonic:
    """Probability by linear interpolation between knots, level beyond them.

    Attributes:
        knots_logit: [K], rising.
        knots_probability: [K], never falling.
        reason: why there is no fit, and then no knot; empty for a fit.
    """

    knots_logit: Floats
    knots_probability: Floats
    reason: str


def fit_isotonic(y_true: ArrayLike, logits: ArrayLike) -> Isotonic:
    """Fit one finding.

    Args:
        y_true: [N], 1 present, 0 absent; known targets only.
        logits: [N].

    Returns:
        The fit; no knots and a reason when a class is missing, a logit is not finite, or the
        finding does not grow with the logit at all.
    """
    present = np.asarray(y_true) == 1
    scores = np.asarray(logits, dtype=np.float64)
    if reason := cannot_fit(present, scores):
        return Isotonic(np.empty(0), np.empty(0), reason)
    distinct, level = np.unique(scores, return_inverse=True)
    images = np.bincount(level)
    means = np.bincount(level, weights=smoothed(present)) / images
    fit = isotonic_regression(means, weights=images)
    if fit.blocks.size == 2:  # one step
        return Isotonic(np.empty(0), np.empty(0), FALLING)
    knots = np.unique(np.concatenate([fit.blocks[:-1], fit.blocks[1:] - 1]))
    return Isotonic(distinct[knots], np.maximum.accumulate(fit.x[knots]), "")
