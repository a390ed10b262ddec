"""From images and labels to what is thought of every label: scores, probabilities, weights.

Pure but for the scorers, which read pixels. Rounds: the first fit of the gradients aims at the
given labels, later ones at what the round before says is there, so that wrong labels teach less.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thorax.label_noise import context, ridge
from thorax.label_noise.context import Known
from thorax.label_noise.report_evidence import ReportEvidence
from thorax.label_noise.settings import LabelNoiseConfig
from thorax.label_noise.weigh import Weighed, weigh

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """What is thought of N x F labels.

    Attributes:
        probabilities: that the label is given as present, out of fold, [N, F].
        weighed: with reports, where they are news.
        penalty: of the ridge regression in its last round; NaN without one.
    """

    probabilities: Floats
    weighed: Weighed
    penalty: float


def judge(
    about: Known, evidence: ReportEvidence, settings: LabelNoiseConfig, *,
    features: NDArray[np.float32] | None, network: Callable[[], Floats] | None,
) -> Judged:  # fmt: skip
    """Judge every label.

    Args:
        about: the images and their labels.
        evidence: what reports say.
        settings: how.
        features: of the gradients [N, D]; None: not asked for.
        network: gives out-of-fold logits [N, F]; None: not asked for.
    """
    fixed = [network()] if network is not None else []
    given = about.targets.astype(np.float64)
    aims, penalty = given, float("nan")
    for _ in range(settings.rounds if features is not None else 1):
        scores = list(fixed)
        if features is not None:
            fitted = ridge.out_of_fold(
                features, aims, about.folds, penalties=settings.gradients.penalties,
                known=about.known, judged_by=given,
            )  # fmt: skip
            scores.append(fitted.scores)
            penalty = fitted.penalty
        found = context.probabilities(scores, about, penalty=settings.context_penalty)
        weighed = weigh(
            found, about.targets, about.known, evidence,
            expected_wrong_share=settings.expected_wrong_share,
        )  # fmt: skip
        aims = weighed.present
    return Judged(found, weighed, penalty)
