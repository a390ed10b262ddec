import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from thorax.evaluation.calibration import smoothed
from thorax.evaluation.isotonic import fit_isotonic

SAMPLES = st.lists(st.tuples(st.booleans(), st.integers(-6, 6)), min_size=2, max_size=60)


@given(SAMPLES)
def test_the_fit_is_scikit_learns_on_smoothed_targets(sample: list[tuple[bool, int]]) -> None:
    present = np.array([label for label, _ in sample])
    logits = np.array([score for _, score in sample], np.float64)
    fit = fit_isotonic(present, logits)
    if fit.reason:
        return
    peer = IsotonicRegression(out_of_bounds="clip").fit(logits, smoothed(present))
    asked = np.linspace(-8, 8, 41)
    ours = np.interp(asked, fit.knots_logit, fit.knots_probability)
    np.testing.assert_allclose(ours, peer.predict(asked), atol=1e-9)


@given(SAMPLES)
def test_probabilities_never_fall_with_the_logit_nor_are_certain(
    sample: list[tuple[bool, int]],
) -> None:
    fit = fit_isotonic([label for label, _ in sample], [score for _, score in sample])
    if fit.reason:
        assert fit.knots_logit.size == 0
        return
    assert (np.diff(fit.knots_logit) > 0).all()
    assert (np.diff(fit.knots_probability) >= 0).all()
    assert 0 < fit.knots_probability[0] < fit.knots_probability[-1] < 1


@pytest.mark.parametrize(
    ("y_true", "logits", "reason"),
    [
        ([0, 0], [1.0, 2.0], "no positive image"),
        ([1, 1, 0, 0], [1.0, 2.0, 3.0, 4.0], "the logits do not rise with the finding"),
        ([0, 1], [1.0, np.nan], "a logit is not finite"),
    ],
)
def test_what_cannot_be_fitted_says_why(
    y_true: list[int], logits: list[float], reason: str
) -> None:
    assert fit_isotonic(y_true, logits).reason == reason
