import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thorax.evaluation.thresholds import choose

Y_TRUE = [0, 0, 1, 0, 1, 0, 1, 1]
SCORES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9]


@pytest.mark.parametrize(
    ("measure", "at_least", "threshold", "sensitivity", "specificity"),
    [
        ("sensitivity", 0.75, 0.45, 0.75, 0.75),
        ("sensitivity", 0.76, 0.25, 1.0, 0.5),
        ("sensitivity", 0.5, 0.65, 0.5, 1.0),
        ("specificity", 0.75, 0.45, 0.75, 0.75),
        ("specificity", 0.76, 0.65, 0.5, 1.0),
        ("specificity", 0.5, 0.25, 1.0, 0.5),
    ],
)
def test_points_of_a_case_counted_by_hand(
    measure: str, at_least: float, threshold: float, sensitivity: float, specificity: float
) -> None:
    point = choose(Y_TRUE, SCORES, measure=measure, at_least=at_least)  # type: ignore[arg-type]
    assert point.threshold == pytest.approx(threshold)
    assert (point.sensitivity, point.specificity) == (sensitivity, specificity)
    assert (point.positives, point.negatives, point.reason) == (4, 4, "")


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=60),
    st.sampled_from(["sensitivity", "specificity"]),
    st.sampled_from([0.2, 0.5, 0.9, 0.99]),
)
def test_a_point_reaches_its_aim_and_no_threshold_costs_less(
    sample: list[tuple[bool, int]], measure: str, at_least: float
) -> None:
    y_true = np.array([label for label, _ in sample])
    scores = np.array([score for _, score in sample]) / 10
    point = choose(y_true, scores, measure=measure, at_least=at_least)  # type: ignore[arg-type]
    if point.reason:
        assert np.isnan([point.threshold, point.sensitivity, point.specificity]).all()
        return
    rates = {
        limit: (float((scores >= limit)[y_true].mean()), float((scores < limit)[~y_true].mean()))
        for limit in [*np.unique(scores), point.threshold]
    }
    assert rates[point.threshold] == pytest.approx((point.sensitivity, point.specificity))
    aim = ["sensitivity", "specificity"].index(measure)
    assert rates[point.threshold][aim] >= at_least
    best = max(both[1 - aim] for both in rates.values() if both[aim] >= at_least)
    assert rates[point.threshold][1 - aim] == pytest.approx(best)


@pytest.mark.parametrize(
    ("y_true", "scores", "measure", "reason"),
    [
        ([], [], "sensitivity", "no image has a known label"),
        ([0, 0], [0.1, 0.2], "sensitivity", "no positive image"),
        ([1, 1], [0.1, 0.2], "specificity", "no negative image"),
        ([1, 0], [0.1, 0.2], "sensitivity", "sensitivity 0.9 is reached only by calling all"),
        ([1, 0], [0.1, 0.2], "specificity", "specificity 0.9 is reached only by calling none"),
    ],
)
def test_what_cannot_be_reached_has_no_threshold_and_says_why(
    y_true: list[int], scores: list[float], measure: str, reason: str
) -> None:
    point = choose(y_true, scores, measure=measure, at_least=0.9)  # type: ignore[arg-type]
    assert np.isnan(point.threshold)
    assert point.reason.startswith(reason)
