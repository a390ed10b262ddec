"""A subgroup on which the model ranks worse is found, with the gap and its interval."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from thorax.evaluation import intervals, subgroups
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig

CONFIG = EvaluationConfig(replicates=200, age_bands_years=(40,))


def scored(images: int, *, young_signal: float) -> Scored:
    """One image a patient; findings score with signal 2, below 40 years with `young_signal`."""
    rng = np.random.default_rng(3)
    ages = rng.uniform(20, 79, images)
    targets = (rng.random((images, 2)) < 0.3).astype(np.int8)
    signal = np.where(ages < 40, young_signal, 2.0)[:, None]
    logits = rng.normal(size=(images, 2)) + signal * targets
    about = pd.DataFrame(
        {
            "patient": np.arange(images),
            "sex": rng.choice(["F", "M"], images),
            "age_years": ages,
            "view": "PA",
            "follow_up": 0,
        }
    )
    known = np.ones((images, 2), bool)
    return Scored(("Edema", "Mass"), about, targets, known, logits, expit(logits))


def parts_of(images: Scored) -> list[dict]:
    resampling = intervals.resample(images.about["patient"], replicates=200, seed=1)
    return subgroups.slices(images, resampling, CONFIG)


def test_the_worst_part_and_its_gap_are_named() -> None:
    brief = subgroups.brief(parts_of(scored(600, young_signal=0.3)))
    worst = brief["worst"]
    assert (worst["slice"], worst["value"]) == ("age", "under 40")
    gap = worst["gap"]
    assert gap["difference_score"] == pytest.approx(gap["auc_score"] - gap["rest_auc_score"])
    assert gap["difference_high"] < -0.1
    assert gap["findings"] == 2
    assert {part["value"] for part in brief["parts"]} >= {"F", "M", "under 40", "40 and over"}


def test_a_part_that_is_everything_has_nothing_to_be_compared_with() -> None:
    whole = next(part for part in parts_of(scored(200, young_signal=2.0)) if part["value"] == "PA")
    assert np.isnan(whole["gap"]["difference_score"])
    assert whole["gap"]["reason"] == (
        "not compared: no finding has both classes here and elsewhere"
    )


def test_few_images_have_no_worst_part() -> None:
    assert subgroups.brief(parts_of(scored(8, young_signal=2.0)))["worst"] is None
