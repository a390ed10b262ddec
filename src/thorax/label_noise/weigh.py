"""How likely each given label is right, from the image's probability and what reports say.

Two witnesses who may both err: the given label and, where it is news, the report (Dawid and Skene,
Applied Statistics 1979, with the image's probability in the place of the prior). How often each
errs is estimated by expectation and maximisation, per finding for the label and over all findings
for the report's states. Where no report is news, images alone cannot tell how often labels err; a
label's quality is then the probability of the label itself (self-confidence: Northcutt et al.,
JAIR 2021, arXiv 1911.00068), which ranks by the image alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thorax.label_noise.report_evidence import ReportEvidence

Floats = NDArray[np.float64]

_ROUNDS = 30
_PRIOR_CASES = 20.0  # what the assumed share of wrong labels weighs, in labels
_SURE = 1e-3  # no image is surer than this


@dataclass(frozen=True)
class Weighed:
    """What is thought of N x F labels.

    Attributes:
        present: the probability that the finding is there, [N, F].
        quality: of the given label, up is good, [N, F].
        called_present: share of absent findings that are labelled present, [F].
        called_absent: share of present findings that are labelled absent, [F].
        reports: whether reports had a say.
    """

    present: Floats
    quality: Floats
    called_present: Floats
    called_absent: Floats
    reports: bool


def weigh(
    given: Floats, targets: NDArray[np.int8], known: NDArray[np.bool_], evidence: ReportEvidence, *,
    expected_wrong_share: float,
) -> Weighed:  # fmt: skip
    """Weigh all witnesses.

    Args:
        given: the probability that the label is given as present, from images, [N, F].
        targets: the labels [N, F].
        known: whether there is one [N, F].
        evidence: what reports say; its news counts.
        expected_wrong_share: before anything is known.
    """
    news = evidence.news & known
    wrong = np.full((2, targets.shape[1]), expected_wrong_share)  # called present, called absent
    spoken = np.zeros_like(given)  # log likelihood ratio of present by the report
    present = _present(given, targets, known, wrong, spoken)
    for _ in range(_ROUNDS if news.any() else 0):
        spoken = _by_state(present, evidence.states, news)
        wrong = _rates(present, targets, known, expected_wrong_share)
        present = _present(given, targets, known, wrong, spoken)
    quality = (
        np.where(targets == 1, present, 1 - present)
        if news.any()
        else np.where(targets == 1, given, 1 - given)
    )
    return Weighed(present, quality, wrong[0], wrong[1], bool(news.any()))


def _present(
    given: Floats, targets: NDArray[np.int8], known: NDArray[np.bool_], wrong: Floats,
    spoken: Floats,
) -> Floats:  # fmt: skip
    """The probability [N, F] that the finding is there."""
    called_present, called_absent = wrong
    there = (given - called_present) / (1 - called_present - called_absent)
    there = there.clip(_SURE, 1 - _SURE)
    says_present = np.log((1 - called_absent) / called_present)
    says_absent = np.log(called_absent / (1 - called_present))
    witness = np.where(targets == 1, says_present, says_absent) * known
    return np.asarray(1 / (1 + np.exp(-(np.log(there / (1 - there)) + witness + spoken))))


def _by_state(present: Floats, states: NDArray[np.object_], news: NDArray[np.bool_]) -> Floats:
    """How much each report's state speaks for presence: a log ratio [N, F], 0 where no news."""
    names = np.unique(states[news].astype(str))
    there, absent = present[news].sum(), (1 - present[news]).sum()
    ratios = np.zeros_like(present)
    for name in names:
        here = news & (states == name)
        of_there = (present[here].sum() + 1) / (there + len(names))
        of_absent = ((1 - present[here]).sum() + 1) / (absent + len(names))
        ratios[here] = np.log(of_there / of_absent)
    return ratios


def _rates(
    present: Floats, targets: NDArray[np.int8], known: NDArray[np.bool_], expected: float
) -> Floats:
    """Called present and called absent, [2, F], held near what is expected while cases are few."""
    absent = (1 - present) * known
    there = present * known
    prior = expected * _PRIOR_CASES
    called_present = ((absent * (targets == 1)).sum(axis=0) + prior) / (
        absent.sum(axis=0) + _PRIOR_CASES
    )
    called_absent = ((there * (targets == 0)).sum(axis=0) + prior) / (
        there.sum(axis=0) + _PRIOR_CASES
    )
    return np.stack([called_present, called_absent]).clip(_SURE, 0.45)
