import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_curve

from thorax.evaluation import calibration


def scores(images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets whose true probability is sigmoid(2 logit - 3)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=images)
    return (rng.random(images) < expit(2 * logits - 3)).astype(np.int8), logits


def test_a_fit_finds_the_scale_and_bias_that_made_the_targets() -> None:
    affine = calibration.fit_affine(*scores(100_000, seed=1))
    assert affine.reason == ""
    assert affine.scale == pytest.approx(2, abs=0.05)
    assert affine.bias == pytest.approx(-3, abs=0.05)


def test_a_fit_equals_unpenalised_logistic_regression_on_many_images() -> None:
    y_true, logits = scores(20_000, seed=2)
    affine = calibration.fit_affine(y_true, logits)
    model = LogisticRegression(C=1e10, tol=1e-10).fit(logits[:, None], y_true)
    expected = model.predict_proba(logits[:, None])[:, 1]
    np.testing.assert_allclose(affine.probabilities(logits), expected, atol=2e-3)


def test_calibration_lowers_both_errors_of_shifted_logits() -> None:
    y_true, logits = scores(5_000, seed=3)
    raw, fitted = expit(logits), calibration.fit_affine(y_true, logits).probabilities(logits)
    error = calibration.calibration_error
    assert error(y_true, fitted, bins=10) < 0.2 * error(y_true, raw, bins=10)
    assert calibration.brier_loss(y_true, fitted) < calibration.brier_loss(y_true, raw)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-8, 8)), min_size=3, max_size=40),
    st.sampled_from([1e-4, 1.0, 1e4]),
    st.sampled_from([-500.0, 0.0, 500.0]),
)
def test_a_fit_is_finite_and_keeps_the_ranking(
    sample: list[tuple[bool, int]], scale: float, offset: float
) -> None:
    y_true = np.array([label for label, _ in sample], dtype=np.int8)
    logits = np.array([score for _, score in sample]) * scale + offset
    affine = calibration.fit_affine(y_true, logits)
    assert np.isfinite([affine.scale, affine.bias]).all()
    assert affine.scale > 0
    if affine.reason:
        assert (affine.scale, affine.bias) == (1.0, 0.0)
    order = np.argsort(logits, kind="stable")
    assert (np.diff(affine.probabilities(logits)[order]) >= 0).all()


def test_separated_classes_are_fitted_and_stay_below_certainty() -> None:
    affine = calibration.fit_affine([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0])
    assert affine.reason == ""
    probabilities = affine.probabilities([-2.0, 2.0])
    assert 0.05 < probabilities[0] < 0.5 < probabilities[1] < 0.95


@pytest.mark.parametrize(
    ("y_true", "logits", "reason"),
    [
        ([], [], "no image has a known label"),
        ([0, 0], [1.0, 2.0], "no positive image"),
        ([1, 1], [1.0, 2.0], "no negative image"),
        ([0, 1], [3.0, 3.0], "all logits are equal"),
        ([0, 1], [3.0, np.inf], "a logit is not finite"),
        ([1, 1, 0, 0], [1.0, 2.0, 3.0, 4.0], "the logits do not rise with the finding"),
    ],
)
def test_what_cannot_be_fitted_stays_as_it_is_and_says_why(
    y_true: list[int], logits: list[float], reason: str
) -> None:
    affine = calibration.fit_affine(y_true, logits)
    assert (affine.scale, affine.bias, affine.reason) == (1.0, 0.0, reason)


def test_youden_threshold_lies_between_the_classes() -> None:
    assert calibration.youden_threshold([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]) == pytest.approx(0.4)


def test_youden_threshold_reaches_the_best_sum_of_sensitivity_and_specificity() -> None:
    y_true, logits = scores(2_000, seed=4)
    probabilities = expit(logits).round(2)
    found = probabilities >= calibration.youden_threshold(y_true, probabilities)
    reached = found[y_true == 1].mean() - found[y_true == 0].mean()
    false, true, _ = roc_curve(y_true, probabilities)
    assert reached == pytest.approx(np.max(true - false), abs=1e-12)


@pytest.mark.parametrize(
    ("y_true", "probabilities"),
    [([], []), ([1, 1], [0.2, 0.9]), ([0, 0], [0.2, 0.9]), ([1, 0], [0.1, 0.9]), ([1, 0], [5, 5])],
)
def test_youden_threshold_is_nan_when_none_beats_chance(
    y_true: list[int], probabilities: list[float]
) -> None:
    assert np.isnan(calibration.youden_threshold(y_true, probabilities))


def test_calibration_error_of_a_case_counted_by_hand() -> None:
    # Two bins: three images of mean 0.2 and share 1/3, one of 0.9 and share 1.
    error = calibration.calibration_error([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], bins=2)
    assert error == pytest.approx((3 * (1 / 3 - 0.2) + 1 * 0.1) / 4)


def test_brier_loss_equals_scikit_learn() -> None:
    y_true, logits = scores(500, seed=5)
    expected = brier_score_loss(y_true, expit(logits))
    assert calibration.brier_loss(y_true, expit(logits)) == pytest.approx(expected)


def test_errors_of_no_image_are_nan() -> None:
    assert np.isnan(calibration.brier_loss([], []))
    assert np.isnan(calibration.calibration_error([], [], bins=10))


def test_certain_probabilities_lie_in_the_outer_bins() -> None:
    table = calibration.reliability([0, 1, 1], [0.0, 1.0, 1.0], bins=4)
    assert table.images.tolist() == [1, 2]
    assert table.share.tolist() == [0.0, 1.0]


def test_a_temperature_finds_the_scale_that_made_the_targets() -> None:
    rng = np.random.default_rng(6)
    logits = rng.normal(size=50_000)
    y_true = rng.random(logits.size) < expit(0.4 * logits)
    fitted = calibration.fit_temperature(y_true, logits)
    assert fitted.reason == ""
    assert fitted.scale == pytest.approx(0.4, abs=0.03)
    assert fitted.bias == 0


def test_a_temperature_that_would_turn_the_ranking_is_refused() -> None:
    fitted = calibration.fit_temperature([1, 1, 0, 0], [-3.0, -2.0, 2.0, 3.0])
    assert (fitted.scale, fitted.bias) == (1.0, 0.0)
    assert fitted.reason.startswith("no temperature above 0 fits")
