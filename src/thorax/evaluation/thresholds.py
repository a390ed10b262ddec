"""Thresholds for a named aim: the sensitivity or the specificity that new images must reach.

A share that few images gave says little about new ones, so what must reach the aim is not the share
but its one-sided lower bound at a stated confidence, with patients as the trials (`stats.shares`).
With enough patients the bound is exact and assumes nothing of the scores. With fewer no observed
score can be low enough; the threshold is then the tolerance limit of a normal sample, on logits,
and never above the lowest positive (for specificity: never below the highest negative).

A probability at or above the threshold counts as found. An exact threshold lies midway between two
neighbouring observed ones, as Youden's does (`calibration.py`); of all that reach the aim it is the
one that costs least of the other measure. One finding at a time.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from thorax.stats import shares

Measure = Literal["sensitivity", "specificity"]
Method = Literal["exact", "normal"]
Floats = NDArray[np.float64]
_CLIP = 1e-7  # about the least difference of two served probabilities (float32)


@dataclass(frozen=True)
class Point:
    """A threshold and what it gives on the images that it was chosen on.

    Attributes:
        threshold, sensitivity, specificity: NaN when there is none.
        positives, negatives: how many images it rests on.
        positive_patients, negative_patients: the patients of those.
        low: lower bound of the measure aimed at; NaN without one.
        method: how the threshold was bounded; None without a confidence.
        reason: why there is none; else empty.
    """

    threshold: float
    sensitivity: float
    specificity: float
    positives: int
    negatives: int
    positive_patients: int = 0
    negative_patients: int = 0
    low: float = float("nan")
    method: Method | None = None
    reason: str = ""


@dataclass(frozen=True)
class Demand:
    """What a threshold is asked for.

    Attributes:
        measure: what must be reached.
        at_least: how much, in (0, 1).
        confidence: of the lower bound that must reach it; None: the observed share must.
        positives_min: positive images below which there is no threshold.
    """

    measure: Measure
    at_least: float
    confidence: float | None = None
    positives_min: int = 0

    @property
    def text(self) -> str:
        """Such as `sensitivity at least 0.9 with 95% confidence`."""
        level = "" if self.confidence is None else f" with {self.confidence:.0%} confidence"
        return f"{self.measure} at least {self.at_least:g}{level}"


def choose(
    y_true: ArrayLike, probabilities: ArrayLike, demand: Demand,
    *, patients: ArrayLike | None = None,
) -> Point:  # fmt: skip
    """The threshold that meets the demand and loses least of the other measure.

    Args:
        y_true: [N], 1 present, 0 absent; known targets only.
        probabilities: [N].
        demand: what must be reached.
        patients: [N], the patient of each image; None: each its own.

    Returns:
        The point; without a threshold when a class is missing, when there are too few positives,
        or when the aim is reached only by calling every image positive (sensitivity) or none.
    """
    present = np.asarray(y_true) == 1
    scores = np.asarray(probabilities, dtype=np.float64)
    who = np.arange(present.size) if patients is None else np.asarray(patients)
    empty = Point(
        np.nan, np.nan, np.nan, int(present.sum()), int((~present).sum()),
        int(np.unique(who[present]).size), int(np.unique(who[~present]).size),
    )  # fmt: skip
    if reason := _lack(empty, demand):
        return replace(empty, reason=reason)
    seeks_positives = demand.measure == "sensitivity"
    trials = empty.positive_patients if seeks_positives else empty.negative_patients
    if demand.confidence is None or trials >= shares.trials_needed(
        demand.at_least, confidence=demand.confidence
    ):
        return _exact(present, scores, demand, empty, trials)
    return _normal(present, scores, demand, empty, trials)


def _lack(counts: Point, demand: Demand) -> str:
    if counts.positives == 0 or counts.negatives == 0:
        missing = "positive" if counts.positives == 0 else "negative"
        nothing = counts.positives + counts.negatives == 0
        return "no image has a known label" if nothing else f"no {missing} image"
    if counts.positives < demand.positives_min:
        images = "positive image" if counts.positives == 1 else "positive images"
        return f"only {counts.positives} {images}, {demand.positives_min} are needed"
    return ""


def _exact(
    present: NDArray[np.bool_], scores: Floats, demand: Demand, empty: Point, trials: int
) -> Point:
    """Of the places between observed scores, the cheapest whose bound reaches the aim."""
    distinct, found, false = _reaching(present, scores)
    sensitivity = found / empty.positives
    specificity = (empty.negatives - false) / empty.negatives
    seeks_positives = demand.measure == "sensitivity"
    share = sensitivity if seeks_positives else specificity
    method: Method | None = None if demand.confidence is None else "exact"
    bounds = share
    if demand.confidence is not None:
        bounds = shares.lower_bound(share, trials, confidence=demand.confidence)
    reached = np.flatnonzero(bounds >= demand.at_least)
    place = int(reached[-1 if seeks_positives else 0]) if reached.size else 0
    if place == 0 or (specificity if seeks_positives else sensitivity)[place] == 0:
        return replace(empty, reason=_useless(demand))
    return replace(
        empty,
        threshold=float((distinct[place - 1] + distinct[place]) / 2),
        sensitivity=float(sensitivity[place]),
        specificity=float(specificity[place]),
        low=float(bounds[place]) if method else float("nan"),
        method=method,
    )


def _normal(
    present: NDArray[np.bool_], scores: Floats, demand: Demand, empty: Point, trials: int
) -> Point:
    """The tolerance limit of the logits of the class that the aim speaks of."""
    sign = 1.0 if demand.measure == "sensitivity" else -1.0
    own = sign * logit(np.clip(scores[present == (sign > 0)], _CLIP, 1 - _CLIP))
    confidence = demand.confidence or 0.0
    factor = shares.tolerance_factor(demand.at_least, trials, confidence=confidence)
    if not np.isfinite(factor):
        return replace(empty, reason="the images of one patient give no bound")
    bound = min(float(own.mean() - factor * own.std(ddof=1)), float(own.min()))
    # A hair to the safe side: a score equal to the limit must not fall to the wrong one.
    threshold = float(expit(sign * bound)) - sign * _CLIP
    called = scores >= threshold
    sensitivity, specificity = float(called[present].mean()), float((~called[~present]).mean())
    if min(sensitivity, specificity) == 0:
        return replace(empty, reason=_useless(demand))
    return replace(
        empty, threshold=threshold, sensitivity=sensitivity, specificity=specificity,
        low=demand.at_least, method="normal",
    )  # fmt: skip


def _useless(demand: Demand) -> str:
    called = "all" if demand.measure == "sensitivity" else "none"
    return f"{demand.text} is reached only by calling {called} positive"


def _reaching(present: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Distinct scores [K], rising, and the positives and negatives that reach each."""
    distinct, level = np.unique(scores, return_inverse=True)
    found = np.bincount(level, weights=present, minlength=distinct.size)[::-1].cumsum()[::-1]
    false = np.bincount(level, weights=~present, minlength=distinct.size)[::-1].cumsum()[::-1]
    return distinct, found, false
