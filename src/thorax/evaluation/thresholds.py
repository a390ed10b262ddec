"""Thresholds for a named aim: the sensitivity or the specificity that must be reached.

A probability at or above the threshold counts as found. It lies midway between two neighbouring
observed ones, as Youden's does (`calibration.py`). Of all thresholds that reach the aim the one
that costs least of the other measure is taken. One finding at a time; nothing is said of other
images than those given.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Measure = Literal["sensitivity", "specificity"]


@dataclass(frozen=True)
class Point:
    """A threshold and what it gives on the images that it was chosen on.

    Attributes:
        threshold, sensitivity, specificity: NaN when there is none.
        positives, negatives: how many images it rests on.
        reason: why there is none; else empty.
    """

    threshold: float
    sensitivity: float
    specificity: float
    positives: int
    negatives: int
    reason: str = ""


def choose(
    y_true: ArrayLike, probabilities: ArrayLike, *, measure: Measure, at_least: float
) -> Point:
    """The threshold that reaches `at_least` of `measure` and loses least of the other.

    Args:
        y_true: [N], 1 present, 0 absent; known targets only.
        probabilities: [N].
        measure: what must be reached.
        at_least: how much, in (0, 1).

    Returns:
        The point; without a threshold when a class is missing, or when the aim is reached only by
        calling every image positive (sensitivity) or none (specificity).
    """
    present = np.asarray(y_true) == 1
    scores = np.asarray(probabilities, dtype=np.float64)
    positives, negatives = int(present.sum()), int((~present).sum())

    def without(reason: str) -> Point:
        return Point(np.nan, np.nan, np.nan, positives, negatives, reason)

    if positives == 0 or negatives == 0:
        missing = "positive" if positives == 0 else "negative"
        return without("no image has a known label" if present.size == 0 else f"no {missing} image")
    distinct, found, false = _reaching(present, scores)
    sensitivity, specificity = found / positives, (negatives - false) / negatives
    reached = np.flatnonzero((sensitivity if measure == "sensitivity" else specificity) >= at_least)
    if measure == "sensitivity":
        if reached[-1] == 0 or specificity[reached[-1]] == 0:
            return without(f"sensitivity {at_least:g} is reached only by calling all positive")
        place = int(reached[-1])
    else:
        if reached.size == 0 or reached[0] == 0 or sensitivity[reached[0]] == 0:
            return without(f"specificity {at_least:g} is reached only by calling none positive")
        place = int(reached[0])
    threshold = float((distinct[place - 1] + distinct[place]) / 2)
    return Point(
        threshold, float(sensitivity[place]), float(specificity[place]), positives, negatives
    )


def _reaching(
    present: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Distinct scores [K], rising, and the positives and negatives that reach each."""
    distinct, level = np.unique(scores, return_inverse=True)
    found = np.bincount(level, weights=present, minlength=distinct.size)[::-1].cumsum()[::-1]
    false = np.bincount(level, weights=~present, minlength=distinct.size)[::-1].cumsum()[::-1]
    return distinct, found, false
