"""From logits to probabilities, and how well they fit: affine and temperature, ECE, Brier, Youden.

`fit_affine` is Platt's scaling with his smoothed targets, which keep the fit finite when the
classes separate (Platt 1999; Lin, Lin & Weng 2007); `fit_temperature` (Guo et al. 2017) is the same
without the bias. The expected calibration error is that of Guo et al.
for the probability of "present", over bins of equal width. One finding at a time; isotonic
calibration is in `isotonic.py`; no correction for prevalence.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

FALLING: Final = "the logits do not rise with the finding"


@dataclass(frozen=True)
class Affine:
    """Calibrated probability = sigmoid(scale * logit + bias).

    Attributes:
        scale: above 0, so that the ranking and the AUC stay.
        bias: added after scaling.
        reason: why this is the identity and not a fit; empty for a fit.
    """

    scale: float
    bias: float
    reason: str

    def probabilities(self, logits: ArrayLike) -> Floats:
        """The calibrated probabilities of logits of any shape."""
        return np.asarray(expit(self.scale * np.asarray(logits, dtype=np.float64) + self.bias))


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width over the probabilities; empty bins are left out.

    Attributes:
        probability: [K], mean probability in the bin.
        share: [K], share of the bin's images that show the finding.
        images: [K], images in the bin.
    """

    probability: Floats
    share: Floats
    images: NDArray[np.int64]


def fit_affine(y_true: ArrayLike, logits: ArrayLike) -> Affine:
    """Fit scale and bias of one finding by maximum likelihood.

    Args:
        y_true: [N], 1 present, 0 absent; known targets only.
        logits: [N].

    Returns:
        The fit; the identity with a reason when a class is missing, a logit is not finite, or the
        fit would turn the ranking round.
    """
    present = np.asarray(y_true) == 1
    scores = np.asarray(logits, dtype=np.float64)
    if reason := cannot_fit(present, scores):
        return Affine(1.0, 0.0, reason)
    centre, spread = float(scores.mean()), float(scores.std())
    slope, offset = _regress((scores - centre) / spread, smoothed(present), has_bias=True)
    if slope <= 0:
        return Affine(1.0, 0.0, FALLING)
    return Affine(slope / spread, offset - slope * centre / spread, "")


def fit_temperature(y_true: ArrayLike, logits: ArrayLike) -> Affine:
    """Fit the scale alone (1 over the temperature) of one finding by maximum likelihood.

    Arguments and refusals as in `fit_affine`. Logits that are all off to one side stay so: where
    prevalence or loss shifted them, affine is the better choice.
    """
    present = np.asarray(y_true) == 1
    scores = np.asarray(logits, dtype=np.float64)
    if reason := cannot_fit(present, scores):
        return Affine(1.0, 0.0, reason)
    size = float(np.abs(scores).max())
    slope, _ = _regress(scores / size, smoothed(present), has_bias=False)
    if slope <= 0:
        return Affine(1.0, 0.0, "no temperature above 0 fits: the logits need a bias as well")
    return Affine(slope / size, 0.0, "")


def cannot_fit(present: NDArray[np.bool_], scores: Floats) -> str:
    """Why no calibration can be fitted to these images [N]; empty when one can."""
    if present.size == 0:
        return "no image has a known label"
    if not np.isfinite(scores).all():
        return "a logit is not finite"
    if not present.any():
        return "no positive image"
    if present.all():
        return "no negative image"
    return "all logits are equal" if np.ptp(scores) == 0 else ""


def smoothed(present: NDArray[np.bool_]) -> Floats:
    """Platt's targets [N]: a little above 0 and below 1, the less so the more images there are."""
    positives, negatives = int(present.sum()), int((~present).sum())
    return np.where(present, (positives + 1) / (positives + 2), 1 / (negatives + 2))


def _regress(scores: Floats, targets: Floats, *, has_bias: bool) -> tuple[float, float]:
    """Slope and bias of the logistic regression of `targets` in (0, 1) on `scores`: [N] each.

    A target of 0.9 is a positive of weight 0.9 and a negative of weight 0.1.
    """
    model = LogisticRegression(
        C=np.inf, fit_intercept=has_bias, solver="newton-cholesky", tol=1e-6, max_iter=200
    )
    classes = np.repeat([1, 0], scores.size)
    weights = np.concatenate([targets, 1 - targets])
    model.fit(np.tile(scores, 2)[:, None], classes, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0]) if has_bias else 0.0


def youden_threshold(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """The threshold with the largest sensitivity + specificity - 1 (Youden 1950).

    A probability at or above it counts as found. It lies midway between two neighbouring observed
    probabilities, so that rounding moves no image across; of equally good ones it is the highest.

    Args:
        y_true: [N], 1 present, 0 absent; known targets only.
        probabilities: [N].

    Returns:
        The threshold; NaN when a class is missing or no threshold beats chance.
    """
    present = np.asarray(y_true) == 1
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if present.all() or not present.any():
        return float("nan")
    distinct, level = np.unique(probabilities, return_inverse=True)
    found = np.bincount(level, weights=present, minlength=distinct.size)[::-1].cumsum()[::-1]
    false = np.bincount(level, weights=~present, minlength=distinct.size)[::-1].cumsum()[::-1]
    youden = found / present.sum() - false / (~present).sum()
    best = distinct.size - 1 - int(np.argmax(youden[::-1]))
    if best == 0 or youden[best] <= 0:
        return float("nan")
    return float((distinct[best - 1] + distinct[best]) / 2)


def brier_loss(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared distance of probabilities [N] from targets [N]; NaN without images."""
    distance = np.asarray(probabilities, dtype=np.float64) - (np.asarray(y_true) == 1)
    return float(np.mean(distance**2)) if distance.size else float("nan")


def reliability(y_true: ArrayLike, probabilities: ArrayLike, *, bins: int) -> Reliability:
    """Mean probability against the share with the finding, in `bins` bins of equal width."""
    present = np.asarray(y_true) == 1
    probabilities = np.asarray(probabilities, dtype=np.float64)
    place = np.clip((probabilities * bins).astype(np.int64), 0, bins - 1)
    images = np.bincount(place, minlength=bins)
    used = images > 0
    probability = np.bincount(place, weights=probabilities, minlength=bins)[used] / images[used]
    share = np.bincount(place, weights=present, minlength=bins)[used] / images[used]
    return Reliability(probability, share, images[used])


def calibration_error(y_true: ArrayLike, probabilities: ArrayLike, *, bins: int) -> float:
    """Expected calibration error: mean distance of probability and share, weighted by images."""
    table = reliability(y_true, probabilities, bins=bins)
    total = int(table.images.sum())
    if total == 0:
        return float("nan")
    return float(np.sum(table.images * np.abs(table.probability - table.share)) / total)
