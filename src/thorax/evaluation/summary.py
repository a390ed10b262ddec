"""What metrics.json says: per finding and on average, for all images of a split or for a part.

Ranking metrics use logits, so that saturated probabilities tie nothing; Brier and calibration error
use the calibrated probabilities, which are what is served. Undefined is NaN with a reason.
"""

from typing import Any

import numpy as np

from thorax.evaluation import estimable, intervals, metrics
from thorax.evaluation.calibration import brier_loss, calibration_error
from thorax.evaluation.intervals import Interval, Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import CHESTX_RAY8
from thorax.schemas.estimate import Estimate

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
        "mean": _mean(findings, intervals.mean_replicates(replicates), config),
        "mean_chestx_ray8": _mean_of(CHESTX_RAY8, findings, replicates, config),
    }


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
    findings: dict[str, Summary], replicates: intervals.Floats, config: EvaluationConfig
) -> Summary:
    """The mean over the findings whose AUC is defined; `findings` says how many those are."""
    defined = [entry for entry in findings.values() if not np.isnan(entry["auc_score"])]
    if not defined:
        return {**_auc(np.nan, Interval(np.nan, np.nan, 0), "no finding has both classes"),
                "average_precision_score": np.nan, "brier_loss": np.nan,
                "calibration_error": np.nan, "findings": 0}  # fmt: skip
    averages = {
        name: float(np.mean([entry[name] for entry in defined]))
        for name in ("auc_score", "average_precision_score", "brier_loss", "calibration_error")
    }
    score = averages.pop("auc_score")
    auc = _auc(score, estimable.interval(replicates, config), None)
    return {**auc, **averages, "findings": len(defined)}


def _mean_of(
    chosen: tuple[str, ...], findings: dict[str, Summary], replicates: intervals.Floats,
    config: EvaluationConfig,
) -> Summary:  # fmt: skip
    """The mean over the `chosen` findings; replicates [R, F] are in the order of `findings`."""
    columns = [place for place, name in enumerate(findings) if name in chosen]
    entries = {name: entry for name, entry in findings.items() if name in chosen}
    return _mean(entries, intervals.mean_replicates(replicates[:, columns]), config)
