"""Bounds on a share that few trials gave, and on a quantile that few values gave.

Shares: the exact binomial bounds of Clopper & Pearson (Biometrika 1934). Where trials come in
clusters, as the images of one patient do, pass the number of clusters as `trials` and the share
over all trials: the bound of Korn & Graubard (Survey Methodology 1998) with the least effective
sample size there can be. Quantiles: the one-sided tolerance factor of a normal sample.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta, nct, norm


def lower_bound(share: ArrayLike, trials: int, *, confidence: float) -> NDArray[np.float64]:
    """What the true share exceeds with `confidence`, one-sided; 0 where the share is 0."""
    share = np.asarray(share, np.float64)
    hits = share * trials
    bounds = beta.ppf(1 - confidence, np.maximum(hits, 1e-12), trials - hits + 1)
    return np.where(share > 0, bounds, 0.0)


def interval(share: float, trials: int, *, confidence: float) -> tuple[float, float]:
    """The two-sided interval of a share."""
    side = (1 + confidence) / 2
    low = float(lower_bound(share, trials, confidence=side))
    return low, 1 - float(lower_bound(1 - share, trials, confidence=side))


def trials_needed(share: float, *, confidence: float) -> int:
    """How many trials, all of them hits, put the lower bound at `share`."""
    return math.ceil(math.log(1 - confidence) / math.log(share) - 1e-9)


def tolerance_factor(share: float, values: int, *, confidence: float) -> float:
    """How many standard deviations below the mean a `share` of a normal population lies above.

    Mean and deviation are those of `values` drawn values; the statement holds with `confidence`.
    Infinite for fewer than two.
    """
    if values < 2:
        return math.inf
    root = math.sqrt(values)
    return float(nct.ppf(confidence, values - 1, norm.ppf(share) * root)) / root


def lack(patients: int, least: int, name: str) -> str:
    """`interval not estimable: 1 patient with the finding, 5 are needed`; empty when enough."""
    if patients >= least:
        return ""
    word = "patient" if patients == 1 else "patients"
    return f"interval not estimable: {patients} {word} {name}, {least} are needed"
