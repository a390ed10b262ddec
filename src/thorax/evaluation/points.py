"""What fixed thresholds give: sensitivity, specificity, PPV and NPV with patient intervals.

The thresholds were chosen on other images (validation), and are read from `predictor.json`; they
stay the same in every replicate. Where all replicates agree (0 or all of the images), the interval
is the exact binomial one over the patients (Clopper & Pearson 1934). `youden` is the threshold that
the predictor uses by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thorax import artifacts
from thorax.errors import BadInput
from thorax.evaluation import intervals
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.evaluation.thresholds import Measure

Summary = dict[str, Any]
YOUDEN: Final = "youden"
_RATES: Final = {  # the share: of which counts, among which; counts are tp, fn, fp, tn
    "sensitivity": (0, (0, 1)),
    "specificity": (3, (2, 3)),
    "ppv": (0, (0, 2)),
    "npv": (3, (1, 3)),
}


@dataclass(frozen=True)
class Thresholds:
    """One named set of thresholds.

    Attributes:
        aim: what they were chosen for, in words.
        of: finding -> threshold; None where there is none.
        reasons: finding -> why there is none.
        measure: the measure aimed at, and `at_least` how much of it; None for Youden's.
    """

    aim: str
    of: Mapping[str, float | None]
    reasons: Mapping[str, str]
    measure: Measure | None = None
    at_least: float = float("nan")


def shipped(description: Mapping[str, Any]) -> dict[str, Thresholds]:
    """The sets that `predictor.json` carries, Youden's first."""
    none = "no threshold could be fitted on validation"
    sets = {YOUDEN: Thresholds("most sensitivity + specificity", description["thresholds"], {})}
    for name, aim in description.get("operating_points", {}).items():
        points = aim["findings"]
        sets[name] = Thresholds(
            f"{aim['measure']} at least {aim['at_least']:g}",
            {finding: point["threshold"] for finding, point in points.items()},
            {finding: point["reason"] or none for finding, point in points.items()},
            aim["measure"],
            float(aim["at_least"]),
        )
    return sets


def read(path: Path) -> dict[str, Thresholds]:
    """The sets of the `predictor.json` at `path`; `BadInput` when it is none."""
    try:
        return shipped(artifacts.read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} describes no predictor ({error}): run inference again") from None


def summarise(
    scored: Scored, resampling: Resampling, sets: Mapping[str, Thresholds], config: EvaluationConfig
) -> Summary:
    """Per set: its aim, and per finding what its threshold gives."""
    summary: Summary = {}
    for name, thresholds in sets.items():
        findings = {}
        for column, finding in enumerate(scored.findings):
            limit = thresholds.of.get(finding)
            called = scored.probabilities[:, column] >= (np.nan if limit is None else limit)
            entry = rates(
                scored.targets[:, column], called, resampling, config, known=scored.known[:, column]
            )
            if limit is None:
                given = thresholds.reasons.get(finding) or "it could not be fitted"
                entry = undefined(entry, f"no threshold: {given}")
            findings[finding] = {"threshold": np.nan if limit is None else limit, **entry}
        summary[name] = {"aim": thresholds.aim, "findings": findings}
    return summary


def rates(
    y_true: NDArray[np.int8], called: NDArray[np.bool_], resampling: Resampling,
    config: EvaluationConfig, *, known: NDArray[np.bool_],
) -> Summary:  # fmt: skip
    """The four shares of one finding with intervals, and the counts behind them.

    Args:
        y_true: [N].
        called: [N], whether the finding counts as found.
        resampling: over the same N images.
        config: confidence and least share of replicates.
        known: [N].

    Returns:
        `*_score`, `*_low`, `*_high` for each share, `tp`, `fn`, `fp`, `tn`, and a reason for what
        is NaN.
    """
    per_patient = _per_patient(y_true, called, resampling, known)
    drawn, counts = per_patient @ resampling.weights, per_patient.sum(axis=1)
    entry: Summary = dict(zip(("tp", "fn", "fp", "tn"), map(int, counts), strict=True))
    reasons = []
    for name, (part, whole) in _RATES.items():
        total = counts[list(whole)].sum()
        entry[f"{name}_score"] = float(counts[part] / total) if total else np.nan
        with np.errstate(invalid="ignore"):
            shares = drawn[part] / drawn[list(whole)].sum(axis=0)
        ends = intervals.percentile(
            shares, confidence=config.confidence, min_share=config.min_share
        )
        low, high = ends.low, ends.high
        if low == high:
            patients = int((per_patient[list(whole)].sum(axis=0) > 0).sum())
            low, high = _all_alike(low, patients, config.confidence)
        entry[f"{name}_low"], entry[f"{name}_high"] = low, high
        if not total:
            reasons.append(f"no {name}: {_MISSING[name]}")
    return {**entry, "reason": "; ".join(reasons)}


_MISSING: Final = {
    "sensitivity": "no positive image",
    "specificity": "no negative image",
    "ppv": "no image is called positive",
    "npv": "no image is called negative",
}


def undefined(entry: Summary, reason: str) -> Summary:
    """The same keys without values."""
    counts = dict.fromkeys(("tp", "fn", "fp", "tn"), 0)
    return {**dict.fromkeys(entry, np.nan), **counts, "reason": reason}


def _all_alike(share: float, patients: int, confidence: float) -> tuple[float, float]:
    """The exact binomial interval of 0 or all of `patients`, of which no bootstrap knows more.

    NaN for another share: then a single patient's images are all that there is.
    """
    if share not in (0, 1):
        return float("nan"), float("nan")
    reach = ((1 - confidence) / 2) ** (1 / patients)
    return (reach, share) if share == 1 else (share, 1 - reach)


def _per_patient(
    y_true: NDArray[np.int8], called: NDArray[np.bool_], resampling: Resampling,
    known: NDArray[np.bool_],
) -> NDArray[np.float64]:  # fmt: skip
    """tp, fn, fp, tn of every patient: [4, P]."""
    present = y_true == 1
    patients = len(resampling.weights)
    return np.stack(
        [
            np.bincount(resampling.patient[cell & known], minlength=patients)
            for cell in (present & called, present & ~called, ~present & called, ~present & ~called)
        ]
    ).astype(np.float64)
