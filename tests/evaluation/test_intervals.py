import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from thorax.evaluation import intervals, metrics
from thorax.evaluation.intervals import Resampling


def sample(
    patients: int, images: int, seed: int, *, shift: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images whose labels and scores depend on their patient: patient, y_true, y_score [N, 2]."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(patients, size=images)
    leaning = rng.normal(size=(patients, 2))[patient]
    y_true = (leaning + rng.normal(size=(images, 2)) > 0.8).astype(np.int8)
    y_score = shift * y_true + 0.7 * leaning + rng.normal(size=(images, 2))
    return patient, y_true, y_score


def test_each_replicate_equals_scikit_learn_on_the_images_drawn() -> None:
    patient, y_true, y_score = sample(30, 200, seed=2)
    y_score = y_score.round(1)  # ties
    resampling = intervals.resample(patient, replicates=300, seed=3)
    replicates = intervals.auc_replicates(y_true, y_score, resampling)
    for replicate in range(0, 300, 29):
        times = resampling.weights[resampling.patient, replicate].astype(int)
        drawn = np.repeat(np.arange(200), times)
        for column in range(2):
            expected = roc_auc_score(y_true[drawn, column], y_score[drawn, column])
            assert replicates[replicate, column] == pytest.approx(expected, abs=1e-12)


def test_known_targets_alone_enter_a_replicate() -> None:
    patient, y_true, y_score = sample(20, 150, seed=4)
    known = np.random.default_rng(5).random(y_true.shape) < 0.6
    resampling = intervals.resample(patient, replicates=100, seed=6)
    masked = intervals.auc_replicates(y_true, y_score, resampling, known=known)
    rows = known[:, 0]
    alone = intervals.auc_replicates(y_true[rows][:, :1], y_score[rows][:, :1], resampling.of(rows))
    np.testing.assert_allclose(masked[:, :1], alone)


def test_drawing_every_patient_once_gives_the_auc_itself() -> None:
    patient, y_true, y_score = sample(25, 100, seed=7)
    names, rows = np.unique(patient, return_inverse=True)
    once = Resampling(rows, np.ones((names.size, 1)))
    replicate = intervals.auc_replicates(y_true, y_score, once)[0]
    np.testing.assert_allclose(replicate, metrics.auc(y_true, y_score), atol=1e-12)


def test_the_same_seed_draws_the_same_and_as_many_patients_as_there_are() -> None:
    patients = np.array(["b", "a", "b", "c", "a"])
    one = intervals.resample(patients, replicates=50, seed=1)
    two = intervals.resample(patients, replicates=50, seed=1)
    other = intervals.resample(patients, replicates=50, seed=2)
    np.testing.assert_array_equal(one.weights, two.weights)
    assert not np.array_equal(one.weights, other.weights)
    assert one.weights.shape == (3, 50)
    assert (one.weights.sum(axis=0) == 3).all()
    assert one.patient.tolist() == [1, 0, 1, 2, 0]


def test_replicates_without_a_class_are_dropped_and_counted() -> None:
    y_true = np.array([[1], [0], [0], [0]])
    resampling = intervals.resample(np.arange(4), replicates=2000, seed=8)
    replicates = intervals.auc_replicates(y_true, np.arange(4.0)[:, None], resampling)[:, 0]
    without = (resampling.weights[0] == 0) | (resampling.weights[0] == 4)
    assert np.isnan(replicates).tolist() == without.tolist()
    interval = intervals.percentile(replicates, confidence=0.95, min_share=0.5)
    assert interval.replicates == 2000 - without.sum()
    assert (interval.low, interval.high) == (0.0, 0.0)
    scarce = intervals.percentile(replicates, confidence=0.95, min_share=0.9)
    assert np.isnan([scarce.low, scarce.high]).all()
    assert scarce.replicates == interval.replicates


def test_a_finding_without_a_class_has_no_replicate_and_leaves_the_mean() -> None:
    patient, y_true, y_score = sample(20, 120, seed=9)
    y_true[:, 1] = 0
    resampling = intervals.resample(patient, replicates=100, seed=10)
    replicates = intervals.auc_replicates(y_true, y_score, resampling)
    assert np.isnan(replicates[:, 1]).all()
    np.testing.assert_array_equal(intervals.mean_replicates(replicates), replicates[:, 0])


def test_a_replicate_averages_over_the_findings_that_it_defines() -> None:
    replicates = np.array([[0.6, 0.8], [0.75, np.nan], [np.nan, np.nan]])
    means = intervals.mean_replicates(replicates)
    np.testing.assert_allclose(means, [0.7, 0.75, np.nan])
    assert np.isnan(intervals.mean_replicates(np.full((3, 2), np.nan))).all()


def test_scores_that_do_not_differ_have_no_difference() -> None:
    patient, y_true, y_score = sample(30, 200, seed=11)
    resampling = intervals.resample(patient, replicates=100, seed=12)
    difference = intervals.auc_difference_replicates(y_true, y_score, 2 * y_score + 1, resampling)
    assert (difference == 0).all()


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    patient, y_true, y_score = sample(60, 500, seed=13)
    noisier = y_score + np.random.default_rng(14).normal(scale=0.2, size=y_score.shape)
    draws = [intervals.resample(patient, replicates=400, seed=seed) for seed in (15, 16)]
    paired = intervals.auc_difference_replicates(y_true, y_score, noisier, draws[0])
    unpaired = intervals.auc_replicates(y_true, y_score, draws[0]) - intervals.auc_replicates(
        y_true, noisier, draws[1]
    )
    assert (paired.std(axis=0) < 0.5 * unpaired.std(axis=0)).all()


def test_intervals_cover_the_true_auc_about_as_often_as_they_say() -> None:
    """Four images of each patient; the truth is the AUC over very many patients."""
    truth = metrics.auc(*_population(200_000, seed=17)[1:])[0]
    covered, ignored = 0, 0
    for trial in range(200):
        patient, y_true, y_score = _population(80, seed=100 + trial)
        covered += _covers(truth, patient, y_true, y_score)
        ignored += _covers(truth, np.arange(patient.size), y_true, y_score)
    assert 0.88 <= covered / 200 <= 0.99
    assert ignored < covered  # resampling images as if they were patients is too sure


def _population(patients: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 4)
    ill = (rng.random(patients) < 0.4)[patient]
    mood = rng.normal(size=patients)[patient]
    score = ill + mood + 0.5 * rng.normal(size=patient.size)
    return patient, ill.astype(np.int8)[:, None], score[:, None]


def _covers(truth: float, patient: np.ndarray, y_true: np.ndarray, y_score: np.ndarray) -> bool:
    resampling = intervals.resample(patient, replicates=300, seed=18)
    replicates = intervals.auc_replicates(y_true, y_score, resampling)[:, 0]
    interval = intervals.percentile(replicates, confidence=0.95, min_share=0.5)
    return interval.low <= truth <= interval.high
