"""Calibration and thresholds per finding, and what happens where none can be fitted."""

import numpy as np
import pytest

from thorax.inference import operating
from thorax.inference.predictor import Calibration, calibrated
from thorax.inference.settings import Aim

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


@pytest.mark.parametrize("method", ["affine", "temperature", "isotonic", "none"])
def test_every_calibration_keeps_the_ranking_and_travels_as_json(method: str) -> None:
    y_true, logits, known = fitted()
    logits -= 5  # a temperature cannot shift them
    chosen, _ = operating.fit(y_true, logits, known=known, findings=FINDINGS, method=method)
    back = [Calibration.model_validate_json(each.model_dump_json()) for each in chosen.values()]
    probabilities = calibrated(logits, back)
    np.testing.assert_array_equal(probabilities, calibrated(logits, list(chosen.values())))
    assert probabilities.dtype == np.float32
    for column in range(3):
        rising = probabilities[np.argsort(logits[:, column], kind="stable"), column]
        assert (np.diff(rising) >= 0).all()
    assert {each.method for each in back[:2]} == {method}
    assert (back[2].method, back[2].scale, back[2].bias) == ("none", 1.0, 0.0)
    assert back[2].reason


def test_isotonic_probabilities_are_as_frequent_as_they_say() -> None:
    y_true, logits, known = fitted()
    chosen, _ = operating.fit(y_true, logits, known=known, findings=FINDINGS, method="isotonic")
    probabilities = calibrated(logits, list(chosen.values()))
    high = probabilities[:, 0] > 0.5
    assert y_true[high, 0].mean() == pytest.approx(probabilities[high, 0].mean(), abs=0.02)


def test_operating_points_reach_their_aims_where_they_were_fitted() -> None:
    y_true, logits, known = fitted()
    chosen, _ = operating.fit(y_true, logits, known=known, findings=FINDINGS)
    probabilities = calibrated(logits, list(chosen.values()))
    aims = {"screening": Aim(sensitivity=0.95), "rule-in": Aim(specificity=0.99)}
    points = operating.fit_points(y_true, probabilities, known=known, findings=FINDINGS, aims=aims)
    for name, measure, wanted in (("screening", 1, 0.95), ("rule-in", 0, 0.99)):
        point = points[name].findings["Mass"]
        found = probabilities[:, 0] >= point.threshold
        reached = (found == (measure == 1))[y_true[:, 0] == measure].mean()
        assert reached >= wanted
        assert reached == getattr(point, points[name].measure)
        assert points[name].findings["Hernia"].threshold is None
        assert points[name].findings["Hernia"].reason == "no positive image"


@pytest.mark.parametrize("values", [{}, {"sensitivity": 0.9, "specificity": 0.9}])
def test_an_aim_names_one_measure(values: dict) -> None:
    with pytest.raises(ValueError, match="and not both"):
        Aim(**values)


def test_knots_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="never fall"):
        Calibration(method="isotonic", knots_logit=(0, 1), knots_probability=(0.6, 0.5))
    with pytest.raises(ValueError, match="as many"):
        Calibration(method="isotonic")
