"""What metrics.json says: per finding and on average, for all images of a split or for a slice.

Ranking metrics use logits, so that saturated probabilities tie nothing; Brier and calibration error
use the calibrated probabilities, which are what is served. Undefined is NaN with a reason.
"""

import itertools
from typing import Any

import numpy as np
import pandas as pd

from thorax.evaluation import intervals, metrics
from thorax.evaluation.calibration import brier_loss, calibration_error
from thorax.evaluation.intervals import Interval, Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import CHESTX_RAY8

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
        interval = _interval(replicates[:, column], config)
        findings[finding] = {
            **_auc(float(scores[column]), interval, reasons[column], config),
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


def slices(scored: Scored, resampling: Resampling, config: EvaluationConfig) -> list[Summary]:
    """One summary per sex, age band, view, and first or later film; each names slice and value."""
    about = scored.about
    labels = {
        "sex": _named(about["sex"]),
        "age": _age_bands(about["age_years"], config.age_bands_years),
        "view": _named(about["view"]),
        "follow-up": _films(about["follow_up"], config.later_from),
    }
    rows = []
    for name, column in labels.items():
        for value in pd.unique(column.sort_values()):
            chosen = (column == value).to_numpy(bool)
            part = summarise(scored.of(chosen), resampling.of(chosen), config)
            rows.append({"slice": name, "value": str(value), **part})
    return rows


def _auc(
    score: float, interval: Interval, undefined: str | None, config: EvaluationConfig
) -> Summary:
    reason = undefined or ""
    if not reason and np.isnan(interval.low):
        reason = (
            f"no interval: only {interval.replicates} of {config.replicates} replicates "
            "hold both classes"
        )
    return {
        "auc_score": score,
        "auc_low": interval.low,
        "auc_high": interval.high,
        "auc_replicates": interval.replicates,
        "reason": reason,
    }


def _interval(replicates: intervals.Floats, config: EvaluationConfig) -> Interval:
    return intervals.percentile(
        replicates, confidence=config.confidence, min_share=config.min_share
    )


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
        return {**_auc(np.nan, Interval(np.nan, np.nan, 0), "no finding has both classes", config),
                "average_precision_score": np.nan, "brier_loss": np.nan,
                "calibration_error": np.nan, "findings": 0}  # fmt: skip
    averages = {
        name: float(np.mean([entry[name] for entry in defined]))
        for name in ("auc_score", "average_precision_score", "brier_loss", "calibration_error")
    }
    score = averages.pop("auc_score")
    auc = _auc(score, _interval(replicates, config), None, config)
    if auc["reason"]:
        auc["reason"] += " of every finding"
    return {**auc, **averages, "findings": len(defined)}


def _mean_of(
    chosen: tuple[str, ...], findings: dict[str, Summary], replicates: intervals.Floats,
    config: EvaluationConfig,
) -> Summary:  # fmt: skip
    """The mean over the `chosen` findings; replicates [R, F] are in the order of `findings`."""
    columns = [place for place, name in enumerate(findings) if name in chosen]
    entries = {name: entry for name, entry in findings.items() if name in chosen}
    return _mean(entries, intervals.mean_replicates(replicates[:, columns]), config)


def _named(column: pd.Series) -> pd.Series:
    return column.fillna("").astype(str).replace("", "unknown")


def _films(follow_up: pd.Series, later_from: int) -> pd.Series:
    """`first film` below the number `later_from`, `later film` from it on."""
    numbers = follow_up.to_numpy(np.float64, na_value=np.nan)
    names = np.where(numbers >= later_from, "later film", "first film")
    return pd.Series(np.where(np.isnan(numbers), "unknown", names), index=follow_up.index)


def _age_bands(ages: pd.Series, bands: tuple[float, ...]) -> pd.Series:
    """`18-39` and so on; a band begins at its first age in years and ends before the next."""
    if not bands:
        return pd.Series("all", index=ages.index)
    starts = [f"{start:g}" for start in bands]
    middle = [f"{a:g}-{b - 1:g}" for a, b in itertools.pairwise(bands)]
    names = np.array([f"under {starts[0]}", *middle, f"{starts[-1]} and over", "unknown"])
    place = np.searchsorted(np.asarray(bands), ages.to_numpy(np.float64, na_value=np.nan), "right")
    place[ages.isna().to_numpy()] = len(bands) + 1
    order = pd.CategoricalDtype(list(names), ordered=True)
    return pd.Series(names[place], index=ages.index).astype(order)
