import numpy as np
import pandas as pd

from thorax.localization.intervals import Resampled, lack, mean_replicates, rated, scored
from thorax.localization.settings import LocalizationConfig

CONFIG = LocalizationConfig(replicates=400)


def test_a_replicate_counts_a_patient_s_boxes_as_often_as_the_patient_was_drawn() -> None:
    hits = np.array([[True], [False], [True]])
    drawn = np.array([[1.0, 2.0, 0.0, 0.0], [1.0, 0.0, 2.0, 0.0]])
    shares = Resampled(np.array([0, 0, 1]), drawn, CONFIG).replicates(hits)[:, 0]
    np.testing.assert_array_equal(shares, [2 / 3, 1 / 2, 1.0, np.nan])


def test_boxes_of_one_patient_are_drawn_together_so_the_interval_is_wider() -> None:
    hits = np.repeat([True, False, True, False], 10)[:, None]
    alone = pd.Series([str(number) for number in range(40)])
    together = pd.Series(np.repeat(list("abcd"), 10))
    spread = {
        name: Resampled.by_patient(patients, CONFIG).replicates(hits).std()
        for name, patients in (("alone", alone), ("together", together))
    }
    assert 2 < spread["together"] / spread["alone"] < 4.5  # sqrt(10) = 3.16


def test_parts_of_the_rows_see_the_same_draws() -> None:
    resampled = Resampled.by_patient(pd.Series(list("aabbc")), CONFIG)
    chosen = np.array([True, False, True, False, True])
    part = resampled.of(chosen)
    assert (resampled.count, part.count) == (3, 3)
    assert resampled.of(np.array([True, True, False, False, False])).count == 1
    np.testing.assert_array_equal(part.drawn, resampled.drawn)


def test_too_few_replicates_give_no_interval() -> None:
    few = np.full(400, np.nan)
    few[:199] = 0.5  # min_share is 0.5
    few[:100] = 0.6
    assert np.isnan(scored("acc", 0.5, few, CONFIG, patients=9)["acc_low"])
    few[199] = 0.5
    assert scored("acc", 0.55, few, CONFIG, patients=9) == {
        "acc_score": 0.55, "acc_low": 0.5, "acc_high": 0.6, "acc_replicates": 200,
    }  # fmt: skip
    assert np.isnan(mean_replicates([], CONFIG)).all()


def test_boxes_of_too_few_patients_have_no_interval_and_all_hit_is_not_certain() -> None:
    all_hit = np.ones(400)
    assert np.isnan(scored("acc", 1.0, all_hit, CONFIG, patients=4)["acc_low"])
    assert lack(1, CONFIG) == "interval not estimable: 1 patient with a true box, 5 are needed"
    cell = scored("acc", 1.0, all_hit, CONFIG, patients=20)
    assert cell["acc_high"] == 1
    assert 0.8 < cell["acc_low"] < 0.85  # 0.025 ** (1 / 20)
    assert np.isnan(rated("afp", 0.0, np.zeros(400), CONFIG, patients=20)["afp_high"])
