"""Confident learning: which labels the images contradict, and how often labels are wrong.

Northcutt, Jiang and Chuang, JAIR 2021 (arXiv 1911.00068), by cleanlab, one finding at a time, since
not every label is known. It counts, for labels of each kind, how many images look more like the
other kind than the average image of that other kind does. That needs probabilities that mean what
they say: where a finding is rare or hard to see, images that have it look absent, and its share of
present findings that are called absent comes out too high. Reports, where they are news, mend that
(`weigh`).
"""

from dataclasses import dataclass

import numpy as np
from cleanlab.count import compute_confident_joint, estimate_latent
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST = 5  # labels of each kind of a finding, below which nothing is estimated


@dataclass(frozen=True)
class Confident:
    """What confident learning says of N x F labels.

    Attributes:
        issues: labels that it calls wrong, bool [N, F].
        called_present: share of absent findings that are labelled present, [F]; NaN: no estimate.
        called_absent: share of present findings that are labelled absent, [F].
        reasons: why there is no estimate, by column; empty where there is one, [F].
    """

    issues: NDArray[np.bool_]
    called_present: Floats
    called_absent: Floats
    reasons: tuple[str, ...]


def learn(given: Floats, targets: NDArray[np.int8], known: NDArray[np.bool_]) -> Confident:
    """Estimate from out-of-fold probabilities.

    Args:
        given: the probability that the label is given as present, [N, F].
        targets: the labels [N, F].
        known: whether there is one [N, F].
    """
    issues = np.zeros(targets.shape, bool)
    rates = np.full((2, targets.shape[1]), np.nan)
    reasons = []
    for column in range(targets.shape[1]):
        rows = np.flatnonzero(known[:, column])
        labels = targets[rows, column].astype(np.int64)
        reason = _too_few(labels)
        reasons.append(reason)
        if not reason:
            both = np.column_stack([1 - given[rows, column], given[rows, column]])  # [n, 2]
            rates[:, column] = _rates(labels, both)
            issues[rows, column] = find_label_issues(labels, both, n_jobs=1)
    return Confident(issues, rates[0], rates[1], tuple(reasons))


def _too_few(labels: NDArray[np.int64]) -> str:
    present, absent = int(labels.sum()), int((labels == 0).sum())
    if min(present, absent) >= _FEWEST:
        return ""
    return f"{present} labels of present and {absent} of absent; {_FEWEST} of each are needed"


def _rates(labels: NDArray[np.int64], both: Floats) -> tuple[float, float]:
    joint = compute_confident_joint(labels, both)
    _, noise, _ = estimate_latent(joint, labels)  # noise[given, true]
    return float(noise[1, 0]), float(noise[0, 1])
