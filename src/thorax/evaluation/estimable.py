"""Whether so few patients allow an interval at all, and the interval where they do.

A bootstrap over three patients knows three patients: an interval of 95% then covers the true AUC in
two of three simulations, and where all replicates agree it shrinks to a point. So an interval needs
`evaluation.interval_patients_min` patients of each class that it speaks of, and where all
replicates give 0 or 1 the exact binomial interval is taken instead (`stats.shares`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from thorax.evaluation import intervals
from thorax.evaluation.intervals import Floats, Interval
from thorax.evaluation.settings import EvaluationConfig
from thorax.stats import shares

Needs = Literal["both", "positives", "negatives"]


@dataclass(frozen=True)
class Support:
    """The patients behind the numbers of one finding.

    Attributes:
        positive_patients, negative_patients: with an image of that class; some have both.
        patients: with either.
    """

    positive_patients: int
    negative_patients: int
    patients: int

    @property
    def pairs(self) -> int:
        """How many pairs of a positive and a negative share no patient.

        When all pairs are ranked right, at least these are independent, so that an AUC below A
        would have given that with a probability of at most A to the power of their number.
        """
        return min(self.positive_patients, self.negative_patients, self.patients // 2)

    def lack(self, least: int, needs: Needs = "both") -> str:
        """Why no interval can be estimated; empty when it can."""
        for count, kind, name in (
            (self.positive_patients, "positives", "with the finding"),
            (self.negative_patients, "negatives", "without the finding"),
        ):
            if needs in ("both", kind) and count < least:
                return shares.lack(count, least, name)
        return ""


def count(y_true: ArrayLike, patient: ArrayLike, known: ArrayLike) -> Support:
    """The support of one finding: targets, patients and whether they may be used, [N] each."""
    present, who, usable = np.asarray(y_true) == 1, np.asarray(patient), np.asarray(known, bool)
    positive, negative = who[usable & present], who[usable & ~present]
    sizes = (np.unique(each).size for each in (positive, negative, who[usable]))
    return Support(*map(int, sizes))


def interval(
    replicates: Floats, config: EvaluationConfig, *, trials: int = 0, lacking: str = ""
) -> Interval:
    """The interval of a metric that lies between 0 and 1.

    Args:
        replicates: [R], NaN where a replicate does not define the metric.
        config: confidence, and the least share of replicates.
        trials: independent trials behind the value, for the exact interval where all replicates
            are 0 or all are 1; 0 where the metric is no share of trials.
        lacking: from `Support.lack`; with a reason there is no interval.

    Returns:
        Ends of NaN with a reason where none can be estimated.
    """
    ends = intervals.percentile(
        replicates, confidence=config.confidence, min_share=config.min_share
    )
    if lacking:
        return _without(ends, lacking)
    if np.isnan(ends.low):
        few = f"only {ends.replicates} of {replicates.size} replicates define it"
        return _without(ends, f"interval not estimable: {few}")
    if ends.low < ends.high:
        return ends
    if trials and ends.low in (0, 1):
        low, high = shares.interval(ends.low, trials, confidence=config.confidence)
        return Interval(low, high, ends.replicates)
    return _without(ends, "interval not estimable: all replicates give the same value")


def _without(ends: Interval, reason: str) -> Interval:
    return Interval(float("nan"), float("nan"), ends.replicates, reason)
