"""Calibration and thresholds, fitted on the validation images, one finding at a time."""

import math

import numpy as np
from numpy.typing import NDArray

from thorax.evaluation.calibration import fit_affine, youden_threshold
from thorax.inference.predictor import Calibration, calibrated


def fit(
    y_true: NDArray[np.int8], logits: NDArray[np.float32], *, known: NDArray[np.bool_],
    findings: tuple[str, ...],
) -> tuple[dict[str, Calibration], dict[str, float | None]]:  # fmt: skip
    """The calibration and the Youden threshold of each finding.

    Args:
        y_true: [N, F].
        logits: [N, F].
        known: [N, F]; targets that may be used.
        findings: the F findings.

    Returns:
        Calibrations (the identity with a reason where none can be fitted), and thresholds on the
        calibrated probability (None where undefined).
    """
    calibrations: dict[str, Calibration] = {}
    thresholds: dict[str, float | None] = {}
    for column, finding in enumerate(findings):
        usable = known[:, column]
        present, scores = y_true[usable, column], logits[usable, column]
        affine = fit_affine(present, scores)
        calibration = Calibration(scale=affine.scale, bias=affine.bias, reason=affine.reason)
        threshold = youden_threshold(present, calibrated(scores[:, None], [calibration])[:, 0])
        calibrations[finding] = calibration
        thresholds[finding] = None if math.isnan(threshold) else threshold
    return calibrations, thresholds
