"""What metrics.json says beyond AUC and its interval: the rest of each finding's entry.

DeLong's interval beside the bootstrap's, the interval of the average precision, sensitivity at
fixed specificity and the reverse (each replicate reads its own curve), and Brier and calibration
error of the bare sigmoid of the logits, to compare with those of the calibrated probabilities.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thorax.evaluation import bands, delong, estimable
from thorax.evaluation.bands import Replicated
from thorax.evaluation.calibration import brier_loss, calibration_error
from thorax.evaluation.estimable import Support
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
        support = _support(scored, column, resampling)
        error = np.nan if support.lack(config.interval_patients_min) else float(errors[column])
        low, high = delong.interval(entry["auc_score"], error, confidence=config.confidence)
        if low == high:  # no variance among these images is not certainty about others
            low = high = np.nan
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


def _support(scored: Scored, column: int, resampling: Resampling) -> Support:
    return estimable.count(scored.targets[:, column], resampling.patient, scored.known[:, column])


def _fixed(
    scored: Scored, column: int, resampling: Resampling, config: EvaluationConfig
) -> Summary:
    """Sensitivity at fixed specificities and the reverse, and the average precision's interval."""
    curves = curves_of(scored, column, resampling)
    support = _support(scored, column, resampling)
    lacking = support.lack(config.interval_patients_min)
    one, drawn = curves or (None, None)

    def cells(limits: tuple[float, ...], read: str, trials: int) -> Summary:
        if one is None or drawn is None:
            return {
                f"{limit:g}": dict.fromkeys(("score", "low", "high"), np.nan) for limit in limits
            }
        scores, replicates = getattr(one, read)(limits), getattr(drawn, read)(limits)
        found = {}
        for place, limit in enumerate(limits):
            ends = estimable.interval(replicates[:, place], config, trials=trials, lacking=lacking)
            found[f"{limit:g}"] = {
                "score": float(scores[0, place]), "low": ends.low, "high": ends.high
            }  # fmt: skip
        return found

    empty = np.full(1, np.nan)
    precision = drawn.average_precision() if drawn else empty
    ends = estimable.interval(precision, config, lacking=lacking)
    return {
        "sensitivity_at_specificity": cells(
            config.fixed_specificities, "sensitivity_at", support.positive_patients
        ),
        "specificity_at_sensitivity": cells(
            config.fixed_sensitivities, "specificity_at", support.negative_patients
        ),
        "average_precision_low": ends.low,
        "average_precision_high": ends.high,
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
