import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from thorax.evaluation import metrics

# Few distinct scores, so that ties abound.
SAMPLES = st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=2, max_size=60).filter(
    lambda sample: len({label for label, _ in sample}) == 2
)


def columns(sample: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = zip(*sample, strict=True)
    return np.array(labels, dtype=np.int8)[:, None], np.array(scores, dtype=np.float32)[:, None]


@pytest.mark.parametrize(
    ("y_true", "y_score", "expected"),
    [
        ([0, 0, 1, 1], [1, 2, 3, 4], 1.0),
        ([1, 1, 0, 0], [1, 2, 3, 4], 0.0),
        ([0, 1, 0, 1], [5, 5, 5, 5], 0.5),
        ([0, 1, 1], [1, 1, 2], 0.75),  # of two pairs one is won and one is tied
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
    ],
)
def test_auc_of_cases_counted_by_hand(
    y_true: list[int], y_score: list[float], expected: float
) -> None:
    assert metrics.auc(np.array(y_true)[:, None], np.array(y_score)[:, None])[0] == expected


@given(SAMPLES)
def test_auc_and_average_precision_equal_scikit_learn_with_ties(
    sample: list[tuple[bool, int]],
) -> None:
    y_true, y_score = columns(sample)
    expected = reference.roc_auc_score(y_true[:, 0], y_score[:, 0])
    assert metrics.auc(y_true, y_score)[0] == pytest.approx(expected, abs=1e-12)
    expected = reference.average_precision_score(y_true[:, 0], y_score[:, 0])
    assert metrics.average_precision(y_true, y_score)[0] == pytest.approx(expected, abs=1e-12)


@given(SAMPLES)
def test_auc_stays_under_a_rising_transform(sample: list[tuple[bool, int]]) -> None:
    y_true, y_score = columns(sample)
    risen = np.exp(3 * y_score.astype(np.float64) + 1)
    assert metrics.auc(y_true, y_score)[0] == metrics.auc(y_true, risen)[0]


@given(SAMPLES)
def test_auc_of_turned_labels_or_scores_is_the_complement(sample: list[tuple[bool, int]]) -> None:
    y_true, y_score = columns(sample)
    area = metrics.auc(y_true, y_score)[0]
    assert metrics.auc(1 - y_true, y_score)[0] == pytest.approx(1 - area, abs=1e-12)
    assert metrics.auc(y_true, -y_score)[0] == pytest.approx(1 - area, abs=1e-12)


@given(SAMPLES, st.integers(2, 4))
def test_auc_stays_when_every_image_is_repeated(sample: list[tuple[bool, int]], times: int) -> None:
    y_true, y_score = columns(sample)
    again = metrics.auc(np.tile(y_true, (times, 1)), np.tile(y_score, (times, 1)))[0]
    assert again == pytest.approx(metrics.auc(y_true, y_score)[0], abs=1e-12)


@given(SAMPLES)
def test_unknown_targets_count_as_if_they_were_not_there(sample: list[tuple[bool, int]]) -> None:
    y_true, y_score = columns(sample)
    more_true = np.concatenate([y_true, y_true])
    more_score = np.concatenate([y_score, -y_score])
    known = np.concatenate([np.ones_like(y_true), np.zeros_like(y_true)]).astype(bool)
    assert metrics.auc(more_true, more_score, known=known) == metrics.auc(y_true, y_score)
    assert metrics.average_precision(
        more_true, more_score, known=known
    ) == metrics.average_precision(y_true, y_score)


def test_many_findings_at_once_equal_one_at_a_time() -> None:
    rng = np.random.default_rng(1)
    y_true, y_score = rng.integers(0, 2, (300, 5)), rng.normal(size=(300, 5))
    known = rng.random((300, 5)) < 0.7
    together = metrics.auc(y_true, y_score, known=known)
    for column in range(5):
        rows = known[:, column]
        alone = reference.roc_auc_score(y_true[rows, column], y_score[rows, column])
        assert together[column] == pytest.approx(alone, abs=1e-12)


def test_a_missing_class_gives_nan_and_names_why() -> None:
    y_true = np.array([[0, 1, 0, 1], [0, 1, 1, 0]])
    known = np.array([[True, True, False, True], [True, True, False, True]])
    areas = metrics.auc(y_true, np.zeros((2, 4)), known=known)
    assert np.isnan(areas).tolist() == [True, True, True, False]
    assert metrics.undefined_reasons(y_true, known=known) == [
        "no positive image",
        "no negative image",
        "no image has a known label",
        None,
    ]


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_scores_of_every_kind_are_ranked_as_numbers(kind: type) -> None:
    rng = np.random.default_rng(2)
    y_true = rng.integers(0, 2, (400, 3))
    y_score = (rng.normal(size=(400, 3)) * 10 + y_true * 5).round().astype(kind)
    if kind is not np.int64:
        y_score[:4, 0] = [-0.0, 0.0, np.inf, -np.inf]
        y_score[4:, 1] *= kind(1 + 2**-20)  # neighbours that only all bits tell apart
    for column, area in enumerate(metrics.auc(y_true, y_score)):
        finite = np.nan_to_num(y_score[:, column], posinf=1e9, neginf=-1e9)
        expected = reference.roc_auc_score(y_true[:, column], finite)
        assert area == pytest.approx(expected, abs=1e-12)


def test_a_nan_score_counts_for_nothing_where_the_target_is_unknown() -> None:
    y_true, y_score = np.array([[0], [1], [1]]), np.array([[0.1], [0.3], [np.nan]])
    assert metrics.auc(y_true, y_score, known=np.array([[1], [1], [0]]))[0] == 1


def test_a_nan_score_is_an_error_and_not_a_rank() -> None:
    with pytest.raises(ValueError, match="NaN in column 1"):
        metrics.auc(np.array([[0, 0], [1, 1]]), np.array([[0.1, 0.2], [0.3, np.nan]]))


def test_arrays_of_other_shapes_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\[N, F\]"):
        metrics.auc(np.zeros((3, 2)), np.zeros((3, 1)))


@given(SAMPLES)
def test_curves_equal_scikit_learn(sample: list[tuple[bool, int]]) -> None:
    y_true, y_score = columns(sample)
    truth, scores = y_true[:, 0], y_score[:, 0]
    false, found, thresholds = reference.roc_curve(truth, scores, drop_intermediate=False)
    curve = metrics.roc_curve(truth, scores)
    np.testing.assert_allclose(curve.x, false)
    np.testing.assert_allclose(curve.y, found)
    np.testing.assert_allclose(curve.thresholds, thresholds)
    precision, recall, _ = reference.precision_recall_curve(truth, scores)
    curve = metrics.pr_curve(truth, scores)
    np.testing.assert_allclose(curve.x[1:], recall[:-1][::-1])
    np.testing.assert_allclose(curve.y[1:], precision[:-1][::-1])


@given(SAMPLES)
def test_the_area_under_the_roc_curve_is_the_auc(sample: list[tuple[bool, int]]) -> None:
    y_true, y_score = columns(sample)
    curve = metrics.roc_curve(y_true[:, 0], y_score[:, 0])
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(metrics.auc(y_true, y_score)[0])
