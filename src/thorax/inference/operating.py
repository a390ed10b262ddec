"""Calibration, thresholds and operating points, fitted on validation, one finding at a time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thorax.evaluation import selection, thresholds
from thorax.evaluation.calibration import Affine, fit_affine, fit_temperature, youden_threshold
from thorax.evaluation.isotonic import fit_isotonic
from thorax.evaluation.metrics import undefined_reasons
from thorax.evaluation.thresholds import Demand
from thorax.inference.predictor import (
    Calibration,
    CalibrationMethod,
    OperatingAim,
    OperatingPoint,
    calibrated,
)
from thorax.inference.settings import InferenceConfig


@dataclass(frozen=True)
class Validation:
    """The images that everything here is fitted on.

    Attributes:
        y_true: [N, F].
        known: [N, F]; targets that may be used.
        patients: [N], the patient of each image.
        findings: the F findings.
    """

    y_true: NDArray[np.int8]
    known: NDArray[np.bool_]
    patients: NDArray[np.object_]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Fitted:
    """The Youden threshold and the calibration of each finding, and why one is missing.

    Attributes:
        calibration: the identity with a reason where none ships.
        thresholds: on the calibrated probability; None where undefined.
        reasons: finding -> why it has no threshold.
    """

    calibration: dict[str, Calibration] = field(default_factory=dict)
    thresholds: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def fit(images: Validation, logits: NDArray[np.float32], settings: InferenceConfig) -> Fitted:
    """Calibration and Youden threshold of each finding; logits: [N, F]."""
    fitted = Fitted()
    for column, finding in enumerate(images.findings):
        usable = images.known[:, column]
        present, scores = images.y_true[usable, column], logits[usable, column]
        calibration = _calibration(present, scores, images.patients[usable], settings)
        threshold = youden_threshold(present, calibrated(scores[:, None], [calibration])[:, 0])
        fitted.calibration[finding] = calibration
        fitted.thresholds[finding] = None if math.isnan(threshold) else threshold
        if math.isnan(threshold):
            missing = undefined_reasons(present[:, None])[0]
            fitted.reasons[finding] = missing or "no threshold beats chance"
    return fitted


def fit_points(
    images: Validation, probabilities: NDArray[np.float32], settings: InferenceConfig
) -> dict[str, OperatingAim]:
    """The operating point of each finding for each named aim; probabilities: [N, F]."""
    fitted: dict[str, OperatingAim] = {}
    for name, aim in settings.operating_points.items():
        demand = Demand(
            aim.measure, aim.at_least, settings.operating_points_confidence,
            settings.operating_points_positives_min,
        )  # fmt: skip
        fitted[name] = OperatingAim(
            measure=aim.measure,
            at_least=aim.at_least,
            confidence=demand.confidence,
            findings={
                finding: _point(images, probabilities, column, demand)
                for column, finding in enumerate(images.findings)
            },
        )
    return {
        name: _below_rule_in(fitted, aim, images, probabilities) for name, aim in fitted.items()
    }


def _point(
    images: Validation, probabilities: NDArray[np.float32], column: int, demand: Demand
) -> OperatingPoint:
    usable = images.known[:, column]
    point = thresholds.choose(
        images.y_true[usable, column], probabilities[usable, column], demand,
        patients=images.patients[usable],
    )  # fmt: skip
    return OperatingPoint(
        threshold=_defined(point.threshold),
        sensitivity=_defined(point.sensitivity),
        specificity=_defined(point.specificity),
        positives=point.positives,
        negatives=point.negatives,
        positive_patients=point.positive_patients,
        negative_patients=point.negative_patients,
        method=point.method,
        reason=point.reason,
    )


def _below_rule_in(
    fitted: Mapping[str, OperatingAim], aim: OperatingAim, images: Validation,
    probabilities: NDArray[np.float32],
) -> OperatingAim:  # fmt: skip
    """Lower the thresholds of a sensitivity to the lowest of those of a specificity.

    Where classes hardly overlap, the highest threshold that finds enough lies above the lowest one
    that spares enough: an image would be ruled in that screening left out. At the lower one both
    aims hold.
    """
    if aim.measure != "sensitivity":
        return aim
    points = dict(aim.findings)
    for column, (finding, point) in enumerate(aim.findings.items()):
        others = {
            name: limit
            for name, other in fitted.items()
            if other.measure == "specificity"
            and (limit := other.findings[finding].threshold) is not None
        }
        if point.threshold is None or not others or point.threshold <= min(others.values()):
            continue
        name = min(others, key=lambda each: others[each])
        usable = images.known[:, column]
        present = images.y_true[usable, column] == 1
        called = probabilities[usable, column] >= others[name]
        points[finding] = point.model_copy(
            update={
                "threshold": others[name],
                "sensitivity": float(called[present].mean()),
                "specificity": float((~called[~present]).mean()),
                "note": f"lowered from {point.threshold:.4g} to the threshold of {name}",
            }
        )
    return aim.model_copy(update={"findings": points})


def _calibration(
    present: NDArray[np.int8], scores: NDArray[np.float32], patients: NDArray[np.object_],
    settings: InferenceConfig,
) -> Calibration:  # fmt: skip
    method = settings.calibration
    if method == "none":
        return Calibration(method="none", reason="calibration is switched off")
    if method == "isotonic":
        steps = fit_isotonic(present, scores)
        if steps.reason:
            return Calibration(method="none", reason=steps.reason)
        return Calibration(
            method="isotonic",
            knots_logit=tuple(steps.knots_logit.tolist()),
            knots_probability=tuple(steps.knots_probability.tolist()),
        )
    if method == "auto":
        return _selected(present, scores, patients, settings)
    if method == "affine":
        return _line(fit_affine(present, scores), "affine")
    return _line(fit_temperature(present, scores), "temperature")


def _selected(
    present: NDArray[np.int8], scores: NDArray[np.float32], patients: NDArray[np.object_],
    settings: InferenceConfig,
) -> Calibration:  # fmt: skip
    """None, the affine fit, or a part of it, whichever cross-validation by patient supports."""
    chosen = selection.select(
        present, scores.astype(np.float64), patients,
        folds=settings.calibration_folds, seed=settings.seed,
    )  # fmt: skip
    note = ""
    if chosen.share:
        part = "the affine fit" if chosen.share == 1 else f"{chosen.share:g} of the affine fit"
        note = (
            f"{part}: cross-validated log loss {chosen.log_loss:.4f}, "
            f"{chosen.log_loss_none:.4f} without"
        )
    return _line(chosen.affine, "affine").model_copy(update={"note": note})


def _line(line: Affine, method: CalibrationMethod) -> Calibration:
    return Calibration(
        method="none" if line.reason else method,
        scale=line.scale, bias=line.bias, reason=line.reason,
    )  # fmt: skip


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
