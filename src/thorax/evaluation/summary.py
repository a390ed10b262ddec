"""What metrics.json says: per finding and on average, for all images of a split or for a part.

Ranking metrics use logits, so that saturated probabilities tie nothing; Brier and calibration error
use the calibrated probabilities, which are what is served. Undefined is NaN with a reason.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thorax.evaluation import estimable, intervals, metrics
from thorax.evaluation.calibration import brier_loss, calibration_error
from thorax.evaluation.intervals import Interval, Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import CHESTX_RAY8
from thorax.schemas.estimate import Estimate
from thorax.stats import shares

Summary = dict[str, Any]


def summarise(scored: Scored, resampling: Resampling, config: EvaluationConfig) -> Summary:
    """Images, patients, and every metric per finding and on average."""
    scores = metrics.auc(scored.targets, scored.logits, known=scored.known)
    precisions = metrics.average_precision(scored.targets, scored.logits, known=scored.known)
    reasons = metrics.undefined_reasons(scored.targets, known=scored.known)
    replicates = intervals.auc_replicates(
        scored.targets, scored.logits, resampling, known=scored.known
    )
    findings = {}
    for column, finding in enumerate(scored.findings):
        support = estimable.count(
            scored.targets[:, column], resampling.patient, scored.known[:, column]
        )
        interval = estimable.interval(
            replicates[:, column], config, trials=support.pairs,
            lacking=support.lack(config.interval_patients_min),
        )  # fmt: skip
        findings[finding] = {
            **_auc(float(scores[column]), interval, reasons[column]),
            "average_precision_score": precisions[column],
            **_counts(scored, column),
            **_calibration(scored, column, config),
        }
    return {
        "images": len(scored.about),
        "patients": scored.patients,
        "replicates": config.replicates,
        "findings": findings,
        "mean": _mean(findings, scored.findings, (scored, resampling), replicates, config),
        "mean_chestx_ray8": _mean(findings, CHESTX_RAY8, (scored, resampling), replicates, config),
    }


def lack_together(
    images: tuple[Scored, Resampling], columns: NDArray[np.bool_], config: EvaluationConfig
) -> str:
    """Why too few patients with any of some findings [F] give their mean no interval, or empty."""
    scored, resampling = images
    present = ((scored.targets == 1) & scored.known)[:, columns].any(axis=1)
    patients = int(np.unique(resampling.patient[present]).size)
    return shares.lack(patients, config.interval_patients_min, "with any finding")


def _auc(score: float, interval: Interval, undefined: str | None) -> Summary:
    return {
        **Estimate(score, interval.low, interval.high).entry("auc"),
        "auc_replicates": interval.replicates,
        "reason": undefined or interval.reason,
    }


def _counts(scored: Scored, column: int) -> Summary:
    known = scored.known[:, column]
    positive = known & (scored.targets[:, column] == 1)
    return {
        "positives": int(positive.sum()),
        "negatives": int(known.sum() - positive.sum()),
        "positive_patients": int(scored.about.loc[positive, "patient"].nunique()),
    }


def _calibration(scored: Scored, column: int, config: EvaluationConfig) -> Summary:
    known = scored.known[:, column]
    targets, probabilities = scored.targets[known, column], scored.probabilities[known, column]
    return {
        "brier_loss": brier_loss(targets, probabilities),
        "calibration_error": calibration_error(
            targets, probabilities, bins=config.calibration_bins
        ),
    }


def _mean(
    findings: dict[str, Summary], chosen: tuple[str, ...], images: tuple[Scored, Resampling],
    replicates: intervals.Floats, config: EvaluationConfig,
) -> Summary:  # fmt: skip
    """The mean over the `chosen` findings whose AUC is defined; `findings` says how many.

    Replicates [R, F] are in the order of `findings`.
    """
    columns = np.array(
        [name in chosen and not np.isnan(each["auc_score"]) for name, each in findings.items()]
    )
    defined = [entry for entry, taken in zip(findings.values(), columns, strict=True) if taken]
    if not defined:
        return {**_auc(np.nan, Interval(np.nan, np.nan, 0), "no finding has both classes"),
                "average_precision_score": np.nan, "brier_loss": np.nan,
                "calibration_error": np.nan, "findings": 0}  # fmt: skip
    averages = {
        name: float(np.mean([entry[name] for entry in defined]))
        for name in ("auc_score", "average_precision_score", "brier_loss", "calibration_error")
    }
    ends = estimable.interval(
        intervals.mean_replicates(replicates[:, columns]), config,
        lacking=lack_together(images, columns, config),
    )  # fmt: skip
    auc = _auc(averages.pop("auc_score"), ends, None)
    return {**auc, **averages, "findings": len(defined)}
