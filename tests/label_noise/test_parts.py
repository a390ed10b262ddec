"""The parts that judge: folds, gradients, ridge, context, each by a property."""

import numpy as np
import pandas as pd
import pytest

from thorax.errors import BadInput
from thorax.label_noise import context, gradients, ridge
from thorax.label_noise.context import Known
from thorax.label_noise.folds import patient_folds
from thorax.label_noise.settings import GradientsConfig, LabelNoiseConfig

CHANCE = np.random.default_rng(5)
IMAGES = 120
PATIENTS = pd.Series([f"p{number // 2}" for number in range(IMAGES)])


def test_a_patient_is_in_one_part_and_parts_are_of_one_size() -> None:
    parts = patient_folds(PATIENTS, 5, seed=8)
    assert pd.Series(parts).groupby(PATIENTS).nunique().eq(1).all()
    assert set(np.bincount(parts)) == {IMAGES // 5}


def test_the_order_of_rows_moves_nobody() -> None:
    parts = pd.Series(patient_folds(PATIENTS, 5, seed=8), index=PATIENTS)
    turned = pd.Series(patient_folds(PATIENTS[::-1], 5, seed=8), index=PATIENTS[::-1])
    assert parts.groupby(level=0).first().equals(turned.groupby(level=0).first())


def test_fewer_patients_than_parts_is_said() -> None:
    with pytest.raises(BadInput, match=r"label_noise.folds is 5.*2 patients"):
        patient_folds(pd.Series(["a", "b", "b"]), 5, seed=8)


def test_gradients_do_not_see_brightness_and_do_see_direction() -> None:
    settings = GradientsConfig(blurs_px=(0.0,))
    ramp = np.tile(np.arange(96, dtype=np.uint8), (96, 1))
    same = gradients.histograms(ramp + np.uint8(40), settings)
    np.testing.assert_allclose(gradients.histograms(ramp, settings), same, atol=1e-6)
    assert not np.allclose(gradients.histograms(np.ascontiguousarray(ramp.T), settings), same)


def test_a_flat_image_has_finite_gradients() -> None:
    assert np.isfinite(gradients.histograms(np.zeros((40, 50), np.uint8), GradientsConfig())).all()


@pytest.mark.parametrize("width", [20, 300])
def test_ridge_is_that_of_the_normal_equations_in_primal_and_dual(width: int) -> None:
    features = CHANCE.normal(size=(IMAGES, width)).astype(np.float32) / np.sqrt(width)
    aims = CHANCE.random((IMAGES, 3))
    parts = patient_folds(PATIENTS, 4, seed=1)
    known = np.ones(aims.shape, bool)
    found = ridge.out_of_fold(features, aims, parts, penalties=[0.7], known=known).scores
    fit = parts != 2
    wide = features.astype(np.float64)
    left = wide[fit].T @ wide[fit] + 0.7 * np.eye(width)
    weights = np.linalg.solve(left, wide[fit].T @ (aims[fit] - aims[fit].mean(axis=0)))
    expected = wide[~fit] @ weights + aims[fit].mean(axis=0)
    np.testing.assert_allclose(found[~fit], expected, atol=1e-4)


def test_a_part_is_scored_without_its_own_labels() -> None:
    features = CHANCE.normal(size=(IMAGES, 10)).astype(np.float32)
    aims = CHANCE.random((IMAGES, 2))
    parts = patient_folds(PATIENTS, 4, seed=1)
    known = np.ones(aims.shape, bool)
    other = np.where((parts == 3)[:, None], 1 - aims, aims)
    first, second = (
        ridge.out_of_fold(features, each, parts, penalties=[1.0], known=known).scores
        for each in (aims, other)
    )
    np.testing.assert_array_equal(first[parts == 3], second[parts == 3])
    assert not np.allclose(first[parts != 3], second[parts != 3])


def test_unknown_aims_teach_nothing() -> None:
    features = CHANCE.normal(size=(IMAGES, 10)).astype(np.float32)
    aims = CHANCE.random((IMAGES, 2))
    parts = patient_folds(PATIENTS, 4, seed=1)
    known = CHANCE.random(aims.shape) < 0.8
    first, second = (
        ridge.out_of_fold(features, each, parts, penalties=[1.0], known=known).scores
        for each in (aims, np.where(known, aims, 9.0))
    )
    np.testing.assert_array_equal(first, second)


def about(targets: np.ndarray, patients: pd.Series = PATIENTS) -> Known:
    rows = pd.DataFrame({"patient": patients, "age_years": np.nan, "sex": "M", "view": "PA"})
    parts = patient_folds(patients, 4, seed=1)
    return Known(rows, targets, np.ones(targets.shape, bool), parts)


def test_an_image_s_own_label_is_no_input_of_its_probability() -> None:
    alone = pd.Series([f"p{number}" for number in range(IMAGES)])
    targets = CHANCE.integers(0, 2, (IMAGES, 3)).astype(np.int8)
    scores = CHANCE.normal(size=(IMAGES, 3))
    first = context.probabilities([scores], about(targets, alone), penalty=20.0)
    part = about(targets, alone).folds
    swapped = targets.copy()
    one, other = (
        np.flatnonzero((part == 0) & (targets[:, 1] == 1))[0],
        np.flatnonzero((part == 0) & (targets[:, 1] == 0))[0],
    )  # swapped, so that base rates stay
    swapped[[one, other], 1] = swapped[[other, one], 1]
    second = context.probabilities([scores], about(swapped, alone), penalty=20.0)
    np.testing.assert_allclose(first[[one, other], 1], second[[one, other], 1], atol=1e-9)


def test_another_film_of_the_patient_speaks_for_what_it_shows() -> None:
    targets = np.zeros((IMAGES, 2), np.int8)
    targets[: IMAGES // 2, 0] = 1  # patients have a finding on both films or on none
    scores = CHANCE.normal(size=(IMAGES, 2))
    found = context.probabilities([scores], about(targets), penalty=1.0)
    assert found[: IMAGES // 2, 0].min() > 0.9
    assert found[IMAGES // 2 :, 0].max() < 0.1


def test_a_finding_without_a_positive_gets_a_small_finite_probability() -> None:
    targets = np.zeros((IMAGES, 2), np.int8)
    found = context.probabilities([CHANCE.normal(size=(IMAGES, 2))], about(targets), penalty=1.0)
    assert (found > 0).all()
    assert (found < 0.05).all()


def test_choosing_an_epoch_by_the_judged_images_is_refused() -> None:
    with pytest.raises(ValueError, match="kept must be last"):
        LabelNoiseConfig.model_validate({"network": {"kept": "best"}})
