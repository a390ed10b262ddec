"""What metrics.json says beyond AUC and its interval: the rest of each finding's entry.

DeLong's interval beside the bootstrap's, the interval of the average precision, sensitivity at
fixed specificity and the reverse (each replicate reads its own curve), and Brier and calibration
error of the bare sigmoid of the logits, to compare with those of the calibrated probabilities.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thorax.evaluation import bands, delong, intervals
from thorax.evaluation.bands import Replicated
from thorax.evaluation.calibration import brier_loss, calibration_error
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig

Summary = dict[str, Any]
Floats = NDArray[np.float64]


def deepen(
    whole: Summary, scored: Scored, resampling: Resampling, config: EvaluationConfig
) -> Summary:
    """`whole`, with more in every finding's entry and in the mean's."""
    errors = delong.standard_errors(scored.targets, scored.logits, known=scored.known)
    findings = {}
    for column, finding in enumerate(scored.findings):
        entry = whole["findings"][finding]
        low, high = delong.interval(
            entry["auc_score"], float(errors[column]), confidence=config.confidence
        )
        findings[finding] = {
            **entry,
            "auc_delong_low": low,
            "auc_delong_high": high,
            **_before(scored, column, config),
            **_fixed(scored, column, resampling, config),
        }
    defined = [each for each in findings.values() if not np.isnan(each["auc_score"])]
    before = {
        name: float(np.mean([each[name] for each in defined])) if defined else np.nan
        for name in ("brier_before_loss", "calibration_before_error")
    }
    return {**whole, "findings": findings, "mean": {**whole["mean"], **before}}


def _before(scored: Scored, column: int, config: EvaluationConfig) -> Summary:
    known = scored.known[:, column]
    targets, bare = scored.targets[known, column], expit(scored.logits[known, column])
    return {
        "brier_before_loss": brier_loss(targets, bare),
        "calibration_before_error": calibration_error(targets, bare, bins=config.calibration_bins),
    }


def _fixed(
    scored: Scored, column: int, resampling: Resampling, config: EvaluationConfig
) -> Summary:
    curves = curves_of(scored, column, resampling)
    sensitivities, specificities = config.fixed_sensitivities, config.fixed_specificities
    if curves is None:
        empty = np.full((2, 1), np.nan)
        return {
            "sensitivity_at_specificity": {
                f"{c:g}": _cell(empty[0], empty[1], config) for c in specificities
            },
            "specificity_at_sensitivity": {
                f"{c:g}": _cell(empty[0], empty[1], config) for c in sensitivities
            },
            **_named("average_precision", empty[1], config),
        }
    one, drawn = curves
    at_specificity = one.sensitivity_at(specificities), drawn.sensitivity_at(specificities)
    at_sensitivity = one.specificity_at(sensitivities), drawn.specificity_at(sensitivities)
    return {
        "sensitivity_at_specificity": {
            f"{limit:g}": _cell(at_specificity[0][:, k], at_specificity[1][:, k], config)
            for k, limit in enumerate(specificities)
        },
        "specificity_at_sensitivity": {
            f"{limit:g}": _cell(at_sensitivity[0][:, k], at_sensitivity[1][:, k], config)
            for k, limit in enumerate(sensitivities)
        },
        **_named("average_precision", drawn.average_precision(), config),
    }


def curves_of(
    scored: Scored, column: int, resampling: Resampling
) -> tuple[Replicated, Replicated] | None:
    """One finding's curves on all its images, and in every replicate; None without both classes."""
    known = scored.known[:, column]
    y_true, y_score = scored.targets[known, column], scored.logits[known, column]
    if y_true.size == 0 or y_true.all() or not y_true.any():
        return None
    one = bands.replicate(y_true, y_score, bands.whole(y_true.size))
    return one, bands.replicate(y_true, y_score, resampling.of(known))


def _cell(score: Floats, replicates: Floats, config: EvaluationConfig) -> Summary:
    ends = intervals.percentile(
        replicates, confidence=config.confidence, min_share=config.min_share
    )
    return {"score": float(score[0]), "low": ends.low, "high": ends.high}


def _named(name: str, replicates: Floats, config: EvaluationConfig) -> Summary:
    ends = intervals.percentile(
        replicates, confidence=config.confidence, min_share=config.min_share
    )
    return {f"{name}_low": ends.low, f"{name}_high": ends.high}
