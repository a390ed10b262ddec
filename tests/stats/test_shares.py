"""Exact bounds against scipy's, and the tolerance factor against published tables."""

import numpy as np
import pytest
from scipy.stats import binomtest

from thorax.stats import shares


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (3, 7), (5, 5), (29, 29), (190, 200)])
def test_bounds_are_those_of_clopper_and_pearson(hits: int, trials: int) -> None:
    both = binomtest(hits, trials).proportion_ci(0.95, method="exact")
    assert shares.interval(hits / trials, trials, confidence=0.95) == pytest.approx(both)
    one = binomtest(hits, trials, alternative="greater").proportion_ci(0.95, method="exact")
    bound = shares.lower_bound(hits / trials, trials, confidence=0.95)
    assert float(bound) == pytest.approx(one.low)


@pytest.mark.parametrize(
    ("share", "confidence", "needed"), [(0.9, 0.95, 29), (0.95, 0.95, 59), (0.9, 0.9, 22)]
)
def test_trials_needed_are_the_textbook_ones(share: float, confidence: float, needed: int) -> None:
    assert shares.trials_needed(share, confidence=confidence) == needed
    assert shares.lower_bound(1.0, needed, confidence=confidence) >= share
    assert shares.lower_bound(1.0, needed - 1, confidence=confidence) < share


@pytest.mark.parametrize(("values", "factor"), [(5, 3.407), (10, 2.355), (20, 1.926)])
def test_tolerance_factors_are_the_published_ones(values: int, factor: float) -> None:
    found = shares.tolerance_factor(0.9, values, confidence=0.95)
    assert found == pytest.approx(factor, abs=1e-3)
    assert shares.tolerance_factor(0.9, 1, confidence=0.95) == np.inf
