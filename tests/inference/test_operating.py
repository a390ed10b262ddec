"""Calibration and thresholds per finding, and what happens where none can be fitted."""

import numpy as np
import pytest

from thorax.inference import operating

FINDINGS = ("Mass", "Nodule", "Hernia")


def fitted() -> tuple:
    chance = np.random.default_rng(1)
    y_true = (chance.random((400, 3)) < 0.3).astype(np.int8)
    y_true[:, 2] = 0
    logits = (3 * y_true + chance.normal(0, 1, (400, 3)) + 4).astype(np.float32)
    known = np.ones((400, 3), bool)
    return y_true, logits, known


def test_calibrated_probabilities_average_to_the_prevalence() -> None:
    y_true, logits, known = fitted()
    calibration, thresholds = operating.fit(y_true, logits, known=known, findings=FINDINGS)
    for column, finding in enumerate(FINDINGS[:2]):
        affine = calibration[finding]
        probabilities = 1 / (1 + np.exp(-(affine.scale * logits[:, column] + affine.bias)))
        assert probabilities.mean() == pytest.approx(y_true[:, column].mean(), abs=0.02)
        assert 0 < thresholds[finding] < 1
        assert affine.reason == ""


def test_a_finding_without_a_positive_keeps_its_logits_and_has_no_threshold() -> None:
    y_true, logits, known = fitted()
    calibration, thresholds = operating.fit(y_true, logits, known=known, findings=FINDINGS)
    assert (calibration["Hernia"].scale, calibration["Hernia"].bias) == (1.0, 0.0)
    assert "no positive" in calibration["Hernia"].reason
    assert thresholds["Hernia"] is None


def test_unknown_targets_do_not_count() -> None:
    y_true, logits, known = fitted()
    known[:100, 0] = False
    y_true[:100, 0] = 1 - y_true[:100, 0]
    whole = operating.fit(y_true, logits, known=known, findings=FINDINGS)
    part = operating.fit(y_true[100:], logits[100:], known=known[100:], findings=FINDINGS)
    assert whole[0]["Mass"] == part[0]["Mass"]
    assert whole[1]["Mass"] == part[1]["Mass"]
