"""Thresholds and calibration refitted on a site's own labelled images, cross-fitted by patient.

The patients are dealt into folds; what is told of a fold's images comes from thresholds (and a
calibration) fitted on the other folds, so that no image judges a number that it helped to choose.
The threshold that the site would use is then fitted on all images. Nothing of the shipped
predictor changes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thorax.evaluation import metrics, points, thresholds
from thorax.evaluation.calibration import (
    brier_loss,
    calibration_error,
    fit_affine,
    youden_threshold,
)
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.points import Thresholds
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig

Summary = dict[str, Any]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def deal(patient: NDArray[np.int64], *, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold [N] of each image: patients (0 to P - 1 in `patient` [N]) dealt out evenly."""
    patients = int(patient.max()) + 1 if patient.size else 0
    order = np.random.default_rng(seed).permutation(patients)
    fold_of = np.empty(patients, np.int64)
    fold_of[order] = np.arange(patients) % folds
    return fold_of[patient]


def refit(
    scored: Scored, resampling: Resampling, sets: Mapping[str, Thresholds],
    config: EvaluationConfig, *, folds: int,
) -> Summary:  # fmt: skip
    """Per named set and finding: the threshold fitted on all, and cross-fitted rates.

    Args:
        scored: the site's images.
        resampling: over the same images.
        sets: what the predictor ships; the aims are taken from it, not the thresholds.
        config: confidence, bins, seed.
        folds: how many.

    Returns:
        `operating_points` in the shape of `points.summarise`, and `calibration`: Brier and
        calibration error of each finding after a cross-fitted affine calibration.
    """
    fold = deal(resampling.patient, folds=folds, seed=config.seed)
    return {
        "folds": folds,
        "operating_points": {
            name: {
                "aim": aim.aim,
                "findings": {
                    finding: _point(scored, column, fold, resampling, aim, config)
                    for column, finding in enumerate(scored.findings)
                },
            }
            for name, aim in sets.items()
        },
        "calibration": {
            finding: _calibration(scored, column, fold, config)
            for column, finding in enumerate(scored.findings)
        },
    }


def _point(
    scored: Scored, column: int, fold: NDArray[np.int64], resampling: Resampling,
    aim: Thresholds, config: EvaluationConfig,
) -> Summary:  # fmt: skip
    known, patient = scored.known[:, column], resampling.patient
    y_true, probabilities = scored.targets[:, column], scored.probabilities[:, column]

    def choose(rows: Bools) -> tuple[float, str]:
        return _threshold(y_true[rows], probabilities[rows], patient[rows], aim)

    def fit(rows: Bools) -> float:
        return choose(rows)[0]

    limit, reason = choose(known)

    limits = _cross(fold, known, fit)
    judged = known & ~np.isnan(limits)
    entry = points.rates(y_true, probabilities >= limits, resampling, config, known=judged)
    if reason or not judged.any():
        entry = points.undefined(entry, f"no threshold: {reason or 'too few images to cross-fit'}")
    elif left := int((known & ~judged).sum()):
        said = f"{left:,} images are in folds without a threshold"
        entry["reason"] = "; ".join(filter(None, [said, entry["reason"]]))
    return {"threshold": limit, **entry, "note": ""}


def _threshold(
    y_true: NDArray[np.int8], probabilities: Floats, patient: NDArray[np.int64], aim: Thresholds
) -> tuple[float, str]:
    if aim.demand is None:
        limit = youden_threshold(y_true, probabilities)
        missing = metrics.undefined_reasons(y_true[:, None])[0]
        return limit, (missing or "none beats chance") if np.isnan(limit) else ""
    point = thresholds.choose(y_true, probabilities, aim.demand, patients=patient)
    return point.threshold, point.reason


def _cross(fold: NDArray[np.int64], known: Bools, fit: Callable[[Bools], float]) -> Floats:
    """What `fit` gives on the known images of the other folds: [N]."""
    values = np.full(fold.size, np.nan)
    for number in np.unique(fold):
        values[fold == number] = fit(known & (fold != number))
    return values


def _calibration(
    scored: Scored, column: int, fold: NDArray[np.int64], config: EvaluationConfig
) -> Summary:
    known = scored.known[:, column]
    y_true, logits = scored.targets[:, column], scored.logits[:, column]
    probabilities = np.full(fold.size, np.nan)
    reason = fit_affine(y_true[known], logits[known]).reason
    for number in np.unique(fold):
        rest, mine = known & (fold != number), known & (fold == number)
        affine = fit_affine(y_true[rest], logits[rest])
        if not affine.reason:
            probabilities[mine] = affine.probabilities(logits[mine])
    judged = known & ~np.isnan(probabilities)
    if reason or not judged.any():
        return {"brier_loss": np.nan, "calibration_error": np.nan,
                "reason": reason or "too few images to cross-fit"}  # fmt: skip
    chosen = y_true[judged], probabilities[judged]
    error = calibration_error(*chosen, bins=config.calibration_bins)
    return {"brier_loss": brier_loss(*chosen), "calibration_error": error, "reason": ""}
