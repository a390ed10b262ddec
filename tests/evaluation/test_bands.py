import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_curve

from thorax.evaluation import bands, intervals

Y_TRUE = np.array([0, 0, 1, 0, 1, 0, 1, 1])
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9])


def test_points_of_a_curve_counted_by_hand() -> None:
    curve = bands.replicate(Y_TRUE, SCORES, bands.whole(8))
    assert curve.sensitivity_at([0.99, 0.75, 0.7, 0.5, 0.1])[0].tolist() == [0.5, 0.75, 0.75, 1, 1]
    assert curve.specificity_at([0.5, 0.51, 0.75, 0.99])[0].tolist() == [1, 0.75, 0.75, 0.5]
    assert curve.precision_at([0.5, 0.75, 1])[0].tolist() == [1, 0.75, 4 / 6]


def test_every_replicate_reads_its_own_curve() -> None:
    rng = np.random.default_rng(1)
    patient = rng.integers(40, size=300)
    y_true = rng.random(300) < 0.3
    y_score = (rng.normal(size=300) + y_true).round(1)  # ties
    resampling = intervals.resample(patient, replicates=60, seed=2)
    curves = bands.replicate(y_true, y_score, resampling)
    sensitivity = curves.sensitivity_at([0.9, 0.6])
    specificity = curves.specificity_at([0.9, 0.6])
    precision = curves.average_precision()
    for draw in range(0, 60, 7):
        rows = np.repeat(
            np.arange(300), resampling.weights[patient_rows(patient), draw].astype(int)
        )
        false, found, _ = roc_curve(y_true[rows], y_score[rows], drop_intermediate=False)
        for column, limit in enumerate((0.9, 0.6)):
            best = found[1 - false >= limit - 1e-12].max()
            assert sensitivity[draw, column] == pytest.approx(best)
            best = (1 - false)[found >= limit - 1e-12].max()
            assert specificity[draw, column] == pytest.approx(best)
        expected = average_precision_score(y_true[rows], y_score[rows])
        assert precision[draw] == pytest.approx(expected)


def patient_rows(patient: np.ndarray) -> np.ndarray:
    return np.unique(patient, return_inverse=True)[1]


def test_a_replicate_without_a_class_has_no_curve() -> None:
    y_true, y_score = np.array([1, 0, 0]), np.array([0.3, 0.1, 0.2])
    resampling = intervals.resample(np.arange(3), replicates=200, seed=3)
    without = (resampling.weights[0] == 0) | (resampling.weights[0] == 3)
    curves = bands.replicate(y_true, y_score, resampling)
    for values in (
        curves.sensitivity_at([0.5])[:, 0],
        curves.specificity_at([0.5])[:, 0],
        curves.precision_at([0.5])[:, 0],
        curves.average_precision(),
    ):
        assert np.isnan(values).tolist() == without.tolist()
