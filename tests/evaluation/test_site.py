import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from thorax.evaluation import intervals, site
from thorax.evaluation.calibration import youden_threshold
from thorax.evaluation.points import Thresholds
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.evaluation.thresholds import Demand

CONFIG = EvaluationConfig(replicates=200)
SETS = {
    "youden": Thresholds("most of both", {}, {}),
    "screening": Thresholds("sensitivity", {}, {}, Demand("sensitivity", 0.9)),
}


def a_site(images: int, *, signal: float, seed: int = 1) -> Scored:
    """Two images of each patient; Edema is scored with `signal`, Hernia has no positive."""
    rng = np.random.default_rng(seed)
    targets = np.zeros((images, 2), np.int8)
    targets[:, 0] = rng.random(images) < 0.3
    logits = rng.normal(size=(images, 2)) + signal * targets + 2
    about = pd.DataFrame({"patient": np.arange(images) // 2})
    known = np.ones((images, 2), bool)
    return Scored(("Edema", "Hernia"), about, targets, known, logits, expit(logits))


def refit(scored: Scored) -> dict:
    resampling = intervals.resample(scored.about["patient"], replicates=200, seed=2)
    return site.refit(scored, resampling, SETS, CONFIG, folds=5)


def test_a_patient_is_in_one_fold_and_folds_are_even() -> None:
    patient = np.repeat(np.arange(23), 3)
    fold = site.deal(patient, folds=5, seed=1)
    assert all(len(set(fold[patient == number])) == 1 for number in range(23))
    sizes = [len(set(patient[fold == number])) for number in range(5)]
    assert max(sizes) - min(sizes) <= 1
    assert (fold == site.deal(patient, folds=5, seed=1)).all()


def test_the_threshold_is_that_of_all_images_and_the_rates_are_not_its_own() -> None:
    """Where scores say nothing, a threshold looks good on the images that it was chosen on."""
    own, crossed = [], []
    for seed in range(20):
        scored = a_site(60, signal=0.0, seed=seed)
        y_true, probabilities = scored.targets[:, 0], scored.probabilities[:, 0]
        entry = refit(scored)["operating_points"]["youden"]["findings"]["Edema"]
        if entry["reason"]:  # not one threshold beats chance, here or in a fold
            continue
        assert entry["threshold"] == youden_threshold(y_true, probabilities)
        found = probabilities >= entry["threshold"]
        own.append(found[y_true == 1].mean() - found[y_true == 0].mean())
        crossed.append(entry["sensitivity_score"] + entry["specificity_score"] - 1)
    assert len(own) > 10
    assert np.mean(own) > 0.15
    assert abs(np.mean(crossed)) < 0.12


def test_an_aim_is_about_reached_on_images_that_did_not_choose_it() -> None:
    summary = refit(a_site(2_000, signal=2.0))
    entry = summary["operating_points"]["screening"]["findings"]["Edema"]
    assert entry["sensitivity_score"] == pytest.approx(0.9, abs=0.03)
    assert entry["sensitivity_low"] < 0.9 < entry["sensitivity_high"]


def test_a_refitted_calibration_is_as_good_as_the_shift_that_it_undoes() -> None:
    scored = a_site(2_000, signal=2.0)
    shipped = np.abs(scored.probabilities[:, 0].mean() - scored.targets[:, 0].mean())
    assert shipped > 0.3
    assert refit(scored)["calibration"]["Edema"]["calibration_error"] < 0.05


def test_a_finding_without_positives_says_so_everywhere() -> None:
    summary = refit(a_site(80, signal=1.0))
    for points in summary["operating_points"].values():
        entry = points["findings"]["Hernia"]
        assert np.isnan([entry["threshold"], entry["sensitivity_score"], entry["npv_low"]]).all()
        assert entry["reason"] == "no threshold: no positive image"
    assert summary["calibration"]["Hernia"]["reason"] == "no positive image"


def test_images_whose_fold_had_no_threshold_are_counted() -> None:
    scored = a_site(80, signal=4.0)
    scored.targets[:, 0] = 0
    scored.targets[:2, 0] = 1  # one patient's: its own fold is judged by a fit without a positive
    entry = refit(scored)["operating_points"]["screening"]["findings"]["Edema"]
    assert np.isnan(entry["sensitivity_score"])
    assert entry["reason"].startswith("16 images are in folds without a threshold")
