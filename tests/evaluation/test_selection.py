"""What ships is a calibration that cross-validation supports, and otherwise none."""

import numpy as np
import pytest
from scipy.special import expit

from thorax.evaluation.calibration import Affine, brier_loss, fit_affine
from thorax.evaluation.selection import deal_by_class, select, shrink


def images(patients: int, seed: int, *, shift: float = 0.0) -> tuple[np.ndarray, ...]:
    """Two images a patient; sigmoid(logit - shift) is the true probability."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-3, 1.6, 2 * patients)
    y_true = (rng.random(logits.size) < expit(logits)).astype(np.int8)
    return y_true, logits + shift, np.arange(logits.size) // 2


def test_few_positives_do_not_make_good_logits_worse() -> None:
    """The affine fit to about ten positives is worse on new images; what ships is not."""
    new_true, new_logits, _ = images(10_000, seed=99)
    none = brier_loss(new_true, expit(new_logits))
    fitted, shipped = [], []
    for seed in range(12):
        y_true, logits, patients = images(75, seed)
        affine = fit_affine(y_true, logits)
        chosen = select(y_true, logits, patients, folds=5, seed=1).affine
        fitted.append(brier_loss(new_true, affine.probabilities(new_logits)) - none)
        shipped.append(brier_loss(new_true, chosen.probabilities(new_logits)) - none)
    assert np.mean(fitted) > 1e-3
    assert np.mean(shipped) < 2e-4


def test_shifted_logits_are_calibrated() -> None:
    chosen = select(*images(150, 3, shift=4.0), folds=5, seed=1)
    assert chosen.share >= 0.75
    assert chosen.log_loss < chosen.log_loss_none
    assert chosen.affine.bias < -2


def test_the_identity_says_why() -> None:
    chosen = select(*images(75, 1), folds=5, seed=1)
    assert (chosen.affine.scale, chosen.affine.bias, chosen.share) == (1, 0, 0)
    assert chosen.affine.reason.startswith("the bare logits are as good")
    nothing = select(np.zeros(10, np.int8), np.arange(10.0), np.arange(10), folds=5, seed=1)
    assert nothing.affine.reason == "no positive image"


@pytest.mark.parametrize("positives", [1, 2, 3])
def test_one_or_two_positives_are_no_crash(positives: int) -> None:
    y_true = np.zeros(40, np.int8)
    y_true[:positives] = 1
    logits = np.linspace(2, -2, 40)
    chosen = select(y_true, logits, np.arange(40), folds=5, seed=1)
    assert np.isfinite([chosen.affine.scale, chosen.affine.bias]).all()


def test_shrinking_goes_straight_from_the_identity_to_the_fit() -> None:
    fit = Affine(3.0, -2.0, "")
    assert shrink(fit, 0.0) == Affine(1.0, 0.0, "")
    assert shrink(fit, 0.5) == Affine(2.0, -1.0, "")
    assert shrink(fit, 1.0) == fit


def test_positive_patients_are_spread_over_the_folds() -> None:
    patient = np.repeat(np.arange(50), 2)
    y_true = (patient < 10).astype(np.int8)
    fold = deal_by_class(y_true, patient, folds=5, seed=3)
    assert all(len(set(fold[patient == number])) == 1 for number in range(50))
    assert [len(set(patient[(fold == k) & (y_true == 1)])) for k in range(5)] == [2] * 5
