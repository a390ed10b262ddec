"""Calibration and thresholds per finding, and what happens where none can be fitted."""

import numpy as np
import pytest

from thorax.inference import operating
from thorax.inference.operating import Fitted, Validation
from thorax.inference.predictor import Calibration, calibrated
from thorax.inference.settings import Aim, InferenceConfig

FINDINGS = ("Mass", "Nodule", "Hernia")


def fitted() -> tuple:
    chance = np.random.default_rng(1)
    y_true = (chance.random((400, 3)) < 0.3).astype(np.int8)
    y_true[:, 2] = 0
    logits = (3 * y_true + chance.normal(0, 1, (400, 3)) + 4).astype(np.float32)
    known = np.ones((400, 3), bool)
    return y_true, logits, known


def fit(
    y_true: np.ndarray, logits: np.ndarray, known: np.ndarray, method: str = "affine"
) -> Fitted:
    return operating.fit(images(y_true, known), logits, InferenceConfig(calibration=method))  # type: ignore[arg-type]


def images(y_true: np.ndarray, known: np.ndarray) -> Validation:
    """Two images of each patient."""
    patients = (np.arange(len(y_true)) // 2).astype(str).astype(object)
    return Validation(y_true, known, patients, FINDINGS)


def test_calibrated_probabilities_average_to_the_prevalence() -> None:
    y_true, logits, known = fitted()
    found = fit(y_true, logits, known)
    calibration, thresholds = found.calibration, found.thresholds
    for column, finding in enumerate(FINDINGS[:2]):
        affine = calibration[finding]
        probabilities = 1 / (1 + np.exp(-(affine.scale * logits[:, column] + affine.bias)))
        assert probabilities.mean() == pytest.approx(y_true[:, column].mean(), abs=0.02)
        assert 0 < thresholds[finding] < 1
        assert affine.reason == ""


def test_a_finding_without_a_positive_keeps_its_logits_and_has_no_threshold() -> None:
    y_true, logits, known = fitted()
    found = fit(y_true, logits, known)
    calibration, thresholds = found.calibration, found.thresholds
    assert (calibration["Hernia"].scale, calibration["Hernia"].bias) == (1.0, 0.0)
    assert "no positive" in calibration["Hernia"].reason
    assert thresholds["Hernia"] is None
    assert found.reasons == {"Hernia": "no positive image"}


def test_unknown_targets_do_not_count() -> None:
    y_true, logits, known = fitted()
    known[:100, 0] = False
    y_true[:100, 0] = 1 - y_true[:100, 0]
    whole = fit(y_true, logits, known)
    part = fit(y_true[100:], logits[100:], known[100:])
    assert whole.calibration["Mass"] == part.calibration["Mass"]
    assert whole.thresholds["Mass"] == part.thresholds["Mass"]


@pytest.mark.parametrize("method", ["affine", "temperature", "isotonic", "none"])
def test_every_calibration_keeps_the_ranking_and_travels_as_json(method: str) -> None:
    y_true, logits, known = fitted()
    logits -= 5  # a temperature cannot shift them
    chosen = fit(y_true, logits, known, method).calibration
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
    chosen = fit(y_true, logits, known, "isotonic").calibration
    probabilities = calibrated(logits, list(chosen.values()))
    high = probabilities[:, 0] > 0.5
    assert y_true[high, 0].mean() == pytest.approx(probabilities[high, 0].mean(), abs=0.02)


AIMS = {"screening": Aim(sensitivity=0.95), "rule-in": Aim(specificity=0.99)}


def test_operating_points_reach_their_aims_where_they_were_fitted() -> None:
    y_true, logits, known = fitted()
    probabilities = calibrated(logits, list(fit(y_true, logits, known).calibration.values()))
    settings = InferenceConfig(operating_points=AIMS)
    points = operating.fit_points(images(y_true, known), probabilities, settings)
    for name, measure, wanted in (("screening", 1, 0.95), ("rule-in", 0, 0.99)):
        point = points[name].findings["Mass"]
        found = probabilities[:, 0] >= point.threshold
        reached = (found == (measure == 1))[y_true[:, 0] == measure].mean()
        assert reached >= wanted
        assert reached == getattr(point, points[name].measure)
        assert points[name].findings["Hernia"].threshold is None
        assert points[name].findings["Hernia"].reason == "no positive image"
        assert points[name].confidence == 0.95
        assert 50 < point.positive_patients < point.positives


@pytest.mark.parametrize("distance", [0.5, 1.5, 3.0, 6.0, 12.0])
@pytest.mark.parametrize("size", [30, 80, 400])
def test_screening_never_lies_above_rule_in(distance: float, size: int) -> None:
    chance = np.random.default_rng(4)
    y_true = (chance.random((size, 3)) < 0.4).astype(np.int8)
    known = np.ones((size, 3), bool)
    logits = chance.normal(0, 1, (size, 3)) + distance * y_true - 2
    probabilities = calibrated(logits.astype(np.float32), [Calibration(method="none")] * 3)
    settings = InferenceConfig(operating_points=AIMS)
    points = operating.fit_points(images(y_true, known), probabilities, settings)
    for finding in FINDINGS:
        low, high = (points[name].findings[finding] for name in AIMS)
        if low.threshold is not None and high.threshold is not None:
            assert low.threshold <= high.threshold
            assert (low.sensitivity or 0) >= (high.sensitivity or 0)
        for point in (low, high):
            assert (point.threshold is None) == bool(point.reason)


def test_a_screening_threshold_that_was_lowered_says_so() -> None:
    """Far apart classes: the lowest positive lies above what rules in."""
    y_true = np.zeros((400, 3), np.int8)
    y_true[:100] = 1
    logits = np.where(y_true == 1, 5.0, -5.0) + np.linspace(-1, 1, 400)[:, None]
    probabilities = calibrated(logits.astype(np.float32), [Calibration(method="none")] * 3)
    known = np.ones((400, 3), bool)
    settings = InferenceConfig(
        operating_points={"screening": Aim(sensitivity=0.9), "rule-in": Aim(specificity=0.9)}
    )
    points = operating.fit_points(images(y_true, known), probabilities, settings)
    screening, rule_in = (points[name].findings["Mass"] for name in ("screening", "rule-in"))
    assert screening.threshold == rule_in.threshold
    assert "to the threshold of rule-in" in screening.note
    assert screening.sensitivity == 1


def test_calibration_ships_only_what_cross_validation_supports() -> None:
    chance = np.random.default_rng(2)
    logits = chance.normal(-2, 1.5, (300, 3))
    y_true = (chance.random((300, 3)) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    logits[:, 1] += 4  # a loss that weighs positives shifts them so
    found = fit(y_true, logits.astype(np.float32), np.ones((300, 3), bool), "auto").calibration
    assert (found["Mass"].method, found["Mass"].scale, found["Mass"].bias) == ("none", 1, 0)
    assert found["Mass"].reason.startswith("the bare logits are as good: cross-validated log loss")
    assert found["Nodule"].method == "affine"
    assert found["Nodule"].bias == pytest.approx(-4, abs=1.5)
    assert "of the affine fit" in found["Nodule"].note or "the affine fit" in found["Nodule"].note


@pytest.mark.parametrize("values", [{}, {"sensitivity": 0.9, "specificity": 0.9}])
def test_an_aim_names_one_measure(values: dict) -> None:
    with pytest.raises(ValueError, match="and not both"):
        Aim(**values)


def test_knots_that_fall_are_refused() -> None:
    with pytest.raises(ValueError, match="never fall"):
        Calibration(method="isotonic", knots_logit=(0, 1), knots_probability=(0.6, 0.5))
    with pytest.raises(ValueError, match="as many"):
        Calibration(method="isotonic")
