"""What fixed thresholds give: sensitivity, specificity, PPV and NPV with patient intervals.

The thresholds were chosen on other images (validation), and are read from `predictor.json`; they
stay the same in every replicate. What a point was promised to reach stands beside what it reached.
Intervals are those of `estimable.py`. `youden` is the threshold that the predictor uses by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from thorax import artifacts
from thorax.errors import BadInput
from thorax.evaluation import estimable
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.evaluation.thresholds import Demand
from thorax.schemas.estimate import Estimate
from thorax.stats import shares

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
        demand: what was asked of each; None for Youden's.
        notes: finding -> what must be known of its threshold.
    """

    aim: str
    of: Mapping[str, float | None]
    reasons: Mapping[str, str]
    demand: Demand | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


def shipped(description: Mapping[str, Any]) -> dict[str, Thresholds]:
    """The sets that `predictor.json` carries, Youden's first."""
    none = "no threshold could be fitted on validation"
    reasons = description.get("threshold_reasons", {})
    sets = {
        YOUDEN: Thresholds("most sensitivity + specificity", description["thresholds"], reasons)
    }
    for name, aim in description.get("operating_points", {}).items():
        points = aim["findings"]
        demand = Demand(aim["measure"], float(aim["at_least"]), aim.get("confidence"))
        sets[name] = Thresholds(
            demand.text,
            {finding: point["threshold"] for finding, point in points.items()},
            {finding: point["reason"] or none for finding, point in points.items()},
            demand,
            {finding: _chosen_on(point) for finding, point in points.items()},
        )
    return sets


def _chosen_on(point: Mapping[str, Any]) -> str:
    """On how many positives a threshold was chosen, and how; empty where that is not recorded."""
    if point["threshold"] is None or not point.get("positives"):
        return ""
    patients = point.get("positive_patients", 0)
    parts = [f"chosen on {point['positives']:,} positive images of {patients:,} patients"]
    parts += ["by a normal limit, as they are few"] if point.get("method") == "normal" else []
    return "; ".join(filter(None, [", ".join(parts), point.get("note", "")]))


def read(path: Path) -> dict[str, Thresholds]:
    """The sets of the `predictor.json` at `path`; `BadInput` when it is none."""
    try:
        return shipped(artifacts.read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} describes no predictor ({error}): run inference again") from None


def calibrations(path: Path) -> dict[str, Summary]:
    """How each finding of the `predictor.json` at `path` is calibrated, and what speaks for it."""
    try:
        described = artifacts.read_json(path).get("calibration", {})
        return {
            finding: {"method": each.get("method", "affine"), "note": _why(each)}
            for finding, each in described.items()
        }
    except (TypeError, AttributeError) as error:
        raise BadInput(f"{path} describes no predictor ({error}): run inference again") from None


def _why(calibration: Mapping[str, Any]) -> str:
    return str(calibration.get("note") or calibration.get("reason") or "")


def summarise(
    scored: Scored, resampling: Resampling, sets: Mapping[str, Thresholds], config: EvaluationConfig
) -> Summary:
    """Per set: its aim, and per finding what its threshold gives and if that is the aim."""
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
            support = _counts(scored, column)
            findings[finding] = {
                "threshold": np.nan if limit is None else limit,
                **support,
                **entry,
                "outcome": _outcome(entry, thresholds.demand),
                "note": thresholds.notes.get(finding, ""),
            }
        summary[name] = {"aim": thresholds.aim, **_promise(thresholds.demand), "findings": findings}
    return summary


def _promise(demand: Demand | None) -> Summary:
    if demand is None:
        return {"measure": None, "at_least": None, "confidence": None}
    return {
        "measure": demand.measure, "at_least": demand.at_least, "confidence": demand.confidence
    }  # fmt: skip


def _counts(scored: Scored, column: int) -> Summary:
    positive = scored.known[:, column] & (scored.targets[:, column] == 1)
    return {
        "positives": int(positive.sum()),
        "positive_patients": int(scored.about.loc[positive, "patient"].nunique()),
    }


def _outcome(entry: Summary, demand: Demand | None) -> str:
    """What the images say of the promise: reached, reached within the interval, or missed.

    `unknown` without an interval; empty where nothing was promised or there is no threshold.
    """
    if demand is None or np.isnan(entry[f"{demand.measure}_score"]):
        return ""
    if np.isnan(entry[f"{demand.measure}_high"]):
        return "unknown"
    if entry[f"{demand.measure}_score"] >= demand.at_least:
        return "reached"
    within = entry[f"{demand.measure}_high"] >= demand.at_least
    return "reached within the interval" if within else "missed"


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
        score = float(counts[part] / total) if total else np.nan
        with np.errstate(invalid="ignore"):
            replicates = drawn[part] / drawn[list(whole)].sum(axis=0)
        patients = int((per_patient[list(whole)].sum(axis=0) > 0).sum())
        lacking = shares.lack(patients, config.interval_patients_min, _AMONG[name])
        ends = estimable.interval(replicates, config, trials=patients, lacking=lacking)
        entry |= Estimate(score, ends.low, ends.high).entry(name)
        if total and ends.reason:
            reasons.append(f"{name}: {ends.reason}")
        if not total:
            reasons.append(f"no {name}: {_MISSING[name]}")
    return {**entry, "reason": "; ".join(reasons)}


_AMONG: Final = {
    "sensitivity": "with the finding",
    "specificity": "without the finding",
    "ppv": "called positive",
    "npv": "called negative",
}
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
