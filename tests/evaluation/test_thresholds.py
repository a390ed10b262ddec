import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from thorax.evaluation.thresholds import Demand, choose

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
    point = choose(Y_TRUE, SCORES, Demand(measure, at_least))  # type: ignore[arg-type]
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
    point = choose(y_true, scores, Demand(measure, at_least))  # type: ignore[arg-type]
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
        (
            [1, 0],
            [0.1, 0.2],
            "sensitivity",
            "sensitivity at least 0.9 is reached only by calling all",
        ),
        (
            [1, 0],
            [0.1, 0.2],
            "specificity",
            "specificity at least 0.9 is reached only by calling none",
        ),
    ],
)
def test_what_cannot_be_reached_has_no_threshold_and_says_why(
    y_true: list[int], scores: list[float], measure: str, reason: str
) -> None:
    point = choose(y_true, scores, Demand(measure, 0.9))  # type: ignore[arg-type]
    assert np.isnan(point.threshold)
    assert point.reason.startswith(reason)


SCREENING = Demand("sensitivity", 0.9, confidence=0.95, positives_min=10)


def test_with_29_patients_found_the_exact_bound_is_at_the_lowest_positive() -> None:
    """0.95 confidence that 0.9 of all positives are found takes 29 of 29: 0.9 ** 29 < 0.05."""
    y_true = np.repeat([1, 0], [29, 30])
    scores = np.concatenate([np.linspace(0.5, 0.9, 29), np.linspace(0.1, 0.6, 30)])
    point = choose(y_true, scores, SCREENING)
    assert (point.method, point.sensitivity) == ("exact", 1.0)
    below = scores[y_true == 0][scores[y_true == 0] < 0.5].max()
    assert point.threshold == pytest.approx((0.5 + below) / 2)
    assert point.low == pytest.approx(0.05 ** (1 / 29))


def test_images_of_one_patient_count_as_one_trial() -> None:
    y_true = np.repeat([1, 0], [60, 60])
    scores = np.concatenate([np.linspace(0.5, 0.9, 60), np.linspace(0.1, 0.6, 60)])
    alone = choose(y_true, scores, SCREENING)
    pairs = choose(y_true, scores, SCREENING, patients=np.arange(120) // 2)
    fours = choose(y_true, scores, SCREENING, patients=np.arange(120) // 4)
    assert alone.threshold > pairs.threshold > fours.threshold
    assert (pairs.positive_patients, fours.positive_patients) == (30, 15)
    assert fours.method == "normal"


def test_with_few_patients_the_threshold_lies_below_every_positive() -> None:
    y_true = np.repeat([1, 0], [12, 100])
    logits = np.concatenate([np.linspace(0, 2, 12), np.linspace(-9, 1, 100)])
    point = choose(y_true, 1 / (1 + np.exp(-logits)), SCREENING)
    assert point.method == "normal"
    assert point.sensitivity == 1
    # Factor 2.21 for 12 values: see tables of one-sided normal tolerance limits.
    expected = 1 - 2.210 * np.linspace(0, 2, 12).std(ddof=1)
    assert point.threshold == pytest.approx(1 / (1 + np.exp(-expected)), abs=1e-3)


@pytest.mark.parametrize(
    ("positives", "reason"),
    [(1, "only 1 positive image, 10 are needed"), (9, "only 9 positive images, 10 are needed")],
)
def test_too_few_positives_give_no_threshold(positives: int, reason: str) -> None:
    y_true = np.repeat([1, 0], [positives, 50])
    scores = np.random.default_rng(1).random(y_true.size)
    point = choose(y_true, scores, SCREENING)
    assert np.isnan(point.threshold)
    assert point.reason == reason


def test_one_patient_gives_no_bound() -> None:
    y_true = np.repeat([1, 0], [12, 50])
    scores = np.linspace(0.9, 0.1, 62)
    point = choose(y_true, scores, SCREENING, patients=np.repeat([0, 1], [12, 50]))
    assert np.isnan(point.threshold)
    assert "one patient" in point.reason


@pytest.mark.parametrize("measure", ["sensitivity", "specificity"])
@pytest.mark.parametrize("patients", [12, 25, 60, 200])
def test_new_patients_reach_the_aim_as_often_as_promised(measure: str, patients: int) -> None:
    """Both classes are normal, 2.5 apart, of a patient each; the true rates are known."""
    rng = np.random.default_rng(8)
    reached = []
    for _ in range(150):
        y_true = np.repeat([1, 0], patients)
        logits = rng.normal(size=2 * patients) + 2.5 * y_true
        demand = Demand(measure, 0.9, confidence=0.95, positives_min=10)  # type: ignore[arg-type]
        point = choose(y_true, 1 / (1 + np.exp(-logits)), demand)
        if not np.isnan(point.threshold):
            limit = float(np.log(point.threshold / (1 - point.threshold)))
            true = norm.sf(limit - 2.5) if measure == "sensitivity" else norm.cdf(limit)
            reached.append(true >= 0.9)
    assert len(reached) > 100
    assert np.mean(reached) > 0.9
