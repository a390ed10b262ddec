"""Calibration, thresholds and operating points, fitted on validation, one finding at a time."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from thorax.evaluation import thresholds
from thorax.evaluation.calibration import fit_affine, fit_temperature, youden_threshold
from thorax.evaluation.isotonic import fit_isotonic
from thorax.inference.predictor import (
    Calibration,
    CalibrationMethod,
    OperatingAim,
    OperatingPoint,
    calibrated,
)
from thorax.inference.settings import Aim


def fit(
    y_true: NDArray[np.int8], logits: NDArray[np.float32], *, known: NDArray[np.bool_],
    findings: tuple[str, ...], method: CalibrationMethod = "affine",
) -> tuple[dict[str, Calibration], dict[str, float | None]]:  # fmt: skip
    """The calibration and the Youden threshold of each finding.

    Args:
        y_true: [N, F].
        logits: [N, F].
        known: [N, F]; targets that may be used.
        findings: the F findings.
        method: how probabilities are calibrated.

    Returns:
        Calibrations (the identity with a reason where none can be fitted), and thresholds on the
        calibrated probability (None where undefined).
    """
    calibrations: dict[str, Calibration] = {}
    youden: dict[str, float | None] = {}
    for column, finding in enumerate(findings):
        usable = known[:, column]
        present, scores = y_true[usable, column], logits[usable, column]
        calibration = _calibration(present, scores, method)
        threshold = youden_threshold(present, calibrated(scores[:, None], [calibration])[:, 0])
        calibrations[finding] = calibration
        youden[finding] = None if math.isnan(threshold) else threshold
    return calibrations, youden


def fit_points(
    y_true: NDArray[np.int8], probabilities: NDArray[np.float32], *, known: NDArray[np.bool_],
    findings: tuple[str, ...], aims: Mapping[str, Aim],
) -> dict[str, OperatingAim]:  # fmt: skip
    """The operating point of each finding for each named aim; arrays [N, F] as in `fit`."""
    fitted: dict[str, OperatingAim] = {}
    for name, aim in aims.items():
        measure, at_least = aim.measure, aim.at_least
        points = {}
        for column, finding in enumerate(findings):
            usable = known[:, column]
            point = thresholds.choose(
                y_true[usable, column], probabilities[usable, column],
                measure=measure, at_least=at_least,
            )  # fmt: skip
            points[finding] = OperatingPoint(
                threshold=_defined(point.threshold),
                sensitivity=_defined(point.sensitivity),
                specificity=_defined(point.specificity),
                positives=point.positives,
                negatives=point.negatives,
                reason=point.reason,
            )
        fitted[name] = OperatingAim(measure=measure, at_least=at_least, findings=points)
    return fitted


def _calibration(
    present: NDArray[np.int8], scores: NDArray[np.float32], method: CalibrationMethod
) -> Calibration:
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
    line = (fit_affine if method == "affine" else fit_temperature)(present, scores)
    return Calibration(
        method="none" if line.reason else method,
        scale=line.scale, bias=line.bias, reason=line.reason,
    )  # fmt: skip


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
