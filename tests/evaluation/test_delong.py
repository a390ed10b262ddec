import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from thorax.evaluation import delong, intervals, metrics

SAMPLES = st.lists(
    st.tuples(st.booleans(), st.integers(-4, 4), st.integers(-4, 4)), min_size=4, max_size=40
).filter(lambda rows: 2 <= sum(row[0] for row in rows) <= len(rows) - 2)


def by_definition(present: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """DeLong's covariance [K, K] from all pairs, as in the paper of 1988."""
    positive, negative = scores[present], scores[~present]  # [m, K], [n, K]
    psi = (positive[:, None] > negative[None]) + 0.5 * (positive[:, None] == negative[None])
    by_positive, by_negative = psi.mean(axis=1), psi.mean(axis=0)  # [m, K], [n, K]

    def spread(parts: np.ndarray) -> np.ndarray:
        centred = parts - psi.mean(axis=(0, 1))
        return centred.T @ centred / (len(parts) - 1) / len(parts)

    return spread(by_positive) + spread(by_negative)


@given(SAMPLES)
def test_errors_equal_the_definition_over_all_pairs(rows: list[tuple[bool, int, int]]) -> None:
    present = np.array([row[0] for row in rows])
    scores = np.array([row[1:] for row in rows], np.float64)
    covariance = by_definition(present, scores)
    y_true = np.stack([present, present], axis=1)
    errors = delong.standard_errors(y_true, scores)
    np.testing.assert_allclose(errors**2, np.diag(covariance), atol=1e-12)
    result = delong.compare(y_true[:, :1], scores[:, :1], scores[:, 1:])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    np.testing.assert_allclose(result.standard_error[0] ** 2, max(variance, 0), atol=1e-12)
    areas = metrics.auc(y_true, scores)
    assert result.difference[0] == pytest.approx(areas[0] - areas[1], abs=1e-12)


def test_a_comparison_of_equal_rankings_is_sure_of_nothing() -> None:
    rng = np.random.default_rng(3)
    y_true, y_score = rng.integers(0, 2, (200, 1)), rng.normal(size=(200, 1))
    result = delong.compare(y_true, y_score, np.exp(y_score))
    assert (result.difference[0], result.standard_error[0]) == (0, pytest.approx(0, abs=1e-9))
    assert result.p_value[0] == 1


def test_p_values_of_no_difference_are_spread_evenly() -> None:
    rng = np.random.default_rng(4)
    y_true = rng.integers(0, 2, (120, 300))
    truth = y_true + rng.normal(size=y_true.shape)
    one, other = (truth + rng.normal(size=y_true.shape) for _ in range(2))
    p_values = delong.compare(y_true, one, other).p_value
    assert 0.01 < (p_values < 0.05).mean() < 0.1
    assert 0.4 < (p_values < 0.5).mean() < 0.6


def test_a_bootstrap_of_single_image_patients_agrees() -> None:
    rng = np.random.default_rng(5)
    y_true = rng.integers(0, 2, (400, 2))
    y_score = rng.normal(size=y_true.shape) + y_true
    resampling = intervals.resample(np.arange(400), replicates=800, seed=1)
    spread = intervals.auc_replicates(y_true, y_score, resampling).std(axis=0)
    np.testing.assert_allclose(delong.standard_errors(y_true, y_score), spread, rtol=0.1)


def test_one_image_of_a_class_has_no_error() -> None:
    y_true, y_score = np.array([[1], [0], [0]]), np.array([[0.3], [0.1], [0.2]])
    assert np.isnan(delong.standard_errors(y_true, y_score)[0])
    known = np.array([[False], [False], [False]])
    assert np.isnan(delong.compare(y_true, y_score, y_score, known=known).difference[0])


def test_an_interval_is_normal_and_stays_within_zero_and_one() -> None:
    low, high = delong.interval(0.8, 0.05, confidence=0.9)
    assert (low, high) == pytest.approx((0.8 - norm.ppf(0.95) * 0.05, 0.8 + norm.ppf(0.95) * 0.05))
    assert delong.interval(0.99, 0.05, confidence=0.95)[1] == 1
