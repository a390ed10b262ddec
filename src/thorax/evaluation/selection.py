"""Which calibration ships: none, the affine fit, or the affine fit shrunk towards none.

Two numbers fitted to few positives can make probabilities worse than the network's own. Candidates
lie on the line from the identity (share 0) to the maximum-likelihood fit (share 1), compared by the
log loss of cross-validation by patient. The one-standard-error rule (Breiman et al. 1984)
takes the least departure from the identity whose loss is within one paired standard error of the
best; a departure whose cross-validated Brier loss is above the identity's is out.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thorax.evaluation.calibration import Affine, fit_affine

Floats = NDArray[np.float64]
SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_REPEATS: Final = 4  # dealings of the patients into folds, over which losses are averaged


@dataclass(frozen=True)
class Selected:
    """The calibration of one finding, and what speaks for it.

    Attributes:
        affine: what ships; the identity with a reason when none does.
        share: how far it went from the identity (0) to the fit (1).
        log_loss: cross-validated, of what ships; NaN without a comparison.
        log_loss_none: of the bare logits.
    """

    affine: Affine
    share: float
    log_loss: float = float("nan")
    log_loss_none: float = float("nan")


def select(
    y_true: NDArray[np.int8], logits: NDArray[np.float64], patients: NDArray[Any],
    *, folds: int, seed: int,
) -> Selected:  # fmt: skip
    """Choose for one finding.

    Args:
        y_true: [N], known targets.
        logits: [N].
        patients: [N], the patient of each image.
        folds: of the cross-validation.
        seed: of the dealing into folds.
    """
    fit = fit_affine(y_true, logits)
    if fit.reason:
        return Selected(fit, 0.0)
    _, patient = np.unique(patients, return_inverse=True)
    probabilities = _cross_fitted(y_true, logits, patient, folds=folds, seed=seed)  # [R, W, N]
    present = y_true == 1
    losses = -np.log(np.where(present, probabilities, 1 - probabilities)).mean(axis=0)  # [W, N]
    brier = ((probabilities - present) ** 2).mean(axis=(0, 2))
    means = losses.mean(axis=1)
    allowed = brier <= brier[0]
    best = int(np.argmin(np.where(allowed, means, np.inf)))
    close = [
        place
        for place in np.flatnonzero(allowed)
        if means[place] - means[best] <= _standard_error(losses[place] - losses[best], patient)
    ]
    share, place = SHARES[close[0]], close[0]
    if share == 0:
        reason = (
            f"the bare logits are as good: cross-validated log loss {means[0]:.4f}, "
            f"{means[-1]:.4f} with the fit"
        )
        return Selected(Affine(1.0, 0.0, reason), 0.0, float(means[0]), float(means[0]))
    return Selected(shrink(fit, share), share, float(means[place]), float(means[0]))


def shrink(fit: Affine, share: float) -> Affine:
    """The calibration that lies `share` of the way from the identity to the fit."""
    return Affine(1 + share * (fit.scale - 1), share * fit.bias, "")


def _cross_fitted(
    y_true: NDArray[np.int8], logits: NDArray[np.float64], patient: NDArray[np.int64],
    *, folds: int, seed: int,
) -> Floats:  # fmt: skip
    """Each image's probability by fits on other patients: [repeats, shares, N]."""
    found = np.empty((_REPEATS, len(SHARES), y_true.size))
    for repeat in range(_REPEATS):
        fold = deal_by_class(y_true, patient, folds=folds, seed=seed + repeat)
        for number in range(folds):
            mine = fold == number
            fit = fit_affine(y_true[~mine], logits[~mine])
            for place, share in enumerate(SHARES):
                line = shrink(fit, 0.0 if fit.reason else share)
                found[repeat, place, mine] = expit(line.scale * logits[mine] + line.bias)
    return np.clip(found, 1e-12, 1 - 1e-12)


def deal_by_class(
    y_true: NDArray[np.int8], patient: NDArray[np.int64], *, folds: int, seed: int
) -> NDArray[np.int64]:
    """The fold [N] of each image: patients (0 to P - 1), those with a positive dealt out first."""
    positives = np.bincount(patient, weights=y_true == 1)
    order = np.random.default_rng(seed).permutation(positives.size)
    order = order[np.argsort(positives[order] == 0, kind="stable")]
    fold_of = np.empty(positives.size, np.int64)
    fold_of[order] = np.arange(positives.size) % folds
    return fold_of[patient]


def _standard_error(difference: Floats, patient: NDArray[np.int64]) -> float:
    """Of the mean of `difference` [N], with images clustered by patient."""
    sums = np.bincount(patient, weights=difference - difference.mean())
    return float(np.sqrt(sums.size / max(sums.size - 1, 1) * np.sum(sums**2)) / difference.size)
