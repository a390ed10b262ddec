"""No interval where too few patients allow one, and none that is a point."""

import numpy as np
import pytest
from scipy.stats import binomtest

from thorax.evaluation import estimable, intervals
from thorax.evaluation.estimable import Support
from thorax.evaluation.settings import EvaluationConfig

CONFIG = EvaluationConfig(replicates=200)


def auc_interval(positives: int, *, gap: float) -> intervals.Interval:
    """Of `positives` patients with the finding and 40 without, scores apart by `gap`."""
    y_true = np.repeat([1, 0], [positives, 40])
    scores = np.concatenate([np.linspace(0, 1, positives) + gap, np.linspace(0, 1, 40)])
    patient = np.arange(y_true.size)
    resampling = intervals.resample(patient, replicates=200, seed=1)
    drawn = intervals.auc_replicates(y_true[:, None], scores[:, None], resampling)[:, 0]
    support = estimable.count(y_true, patient, np.ones(y_true.size, bool))
    lacking = support.lack(CONFIG.interval_patients_min)
    return estimable.interval(drawn, CONFIG, trials=support.pairs, lacking=lacking)


def test_one_positive_has_no_interval() -> None:
    ends = auc_interval(1, gap=2)
    assert np.isnan([ends.low, ends.high]).all()
    assert ends.reason == "interval not estimable: 1 patient with the finding, 5 are needed"


@pytest.mark.parametrize("positives", [5, 12, 30])
def test_a_perfect_ranking_is_not_certain(positives: int) -> None:
    """All of n independent pairs ranked right: the exact bound of n hits of n."""
    ends = auc_interval(positives, gap=2)
    exact = binomtest(positives, positives).proportion_ci(0.95, method="exact")
    assert (ends.low, ends.high) == pytest.approx(exact)
    assert ends.low < 1


def test_an_ordinary_ranking_keeps_its_percentiles() -> None:
    ends = auc_interval(12, gap=0.4)
    assert 0.5 < ends.low < ends.high <= 1
    assert ends.reason == ""


def test_pairs_share_no_patient() -> None:
    assert Support(positive_patients=8, negative_patients=8, patients=8).pairs == 4
    assert Support(positive_patients=3, negative_patients=20, patients=23).pairs == 3


def test_replicates_that_all_agree_are_no_interval_for_another_metric() -> None:
    ends = estimable.interval(np.full(100, 1.0), CONFIG)
    assert np.isnan(ends.low)
    assert "all replicates give the same value" in ends.reason
    scarce = estimable.interval(np.array([np.nan] * 90 + [0.5] * 10), CONFIG)
    assert scarce.reason == "interval not estimable: only 10 of 100 replicates define it"
