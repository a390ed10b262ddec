"""What the earlier stages found, and one reading of it: value, interval, and what it rests on.

Pure: takes the contents of the two verdict.json and the two metrics.json. A reading that is not
there has a reason instead of a value.
"""

from dataclasses import dataclass
from typing import Any

from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.gate.rules import EACH, METRICS, Metric, Rule

_NOT_SCORED = "the model was not scored for it"


@dataclass(frozen=True)
class Evidence:
    """The contents of the files that the gate reads.

    Attributes:
        validation: verdict.json.
        validation_ended: whether its `valid_until` has passed.
        predictions: verdict.json of the predictions.
        evaluation: metrics.json of the evaluation.
        localization: metrics.json of the localization.
    """

    validation: dict[str, Any]
    validation_ended: bool
    predictions: dict[str, Any]
    evaluation: dict[str, Any]
    localization: dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """One metric of one finding, or of all.

    Attributes:
        value: None when undefined.
        low, high: the interval's ends, None where there is none.
        positives: positive images or true boxes behind it, None for means.
        positive_patients: the patients of those, None for means.
        findings: findings that a mean rests on, None for others.
        reason: why value or interval is missing; empty otherwise.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    positives: int | None = None
    positive_patients: int | None = None
    findings: int | None = None
    reason: str = ""


def findings_of(rule: Rule, evidence: Evidence) -> list[str]:
    """The findings that a rule speaks of, in the project's order; one empty name for a mean."""
    metric = METRICS[rule.metric]
    if metric.of != "finding":
        return [""]
    if rule.finding not in ("", EACH):
        return [rule.finding]
    listed = _findings(rule, metric, evidence)
    return [finding for finding in FINDINGS if finding in listed]


def read(rule: Rule, finding: str, evidence: Evidence) -> Reading:
    """The reading that a rule asks for; `finding` is empty for a mean."""
    metric = METRICS[rule.metric]
    entry = _entry(rule, metric, finding, evidence)
    if entry is None:
        nothing = "the labels were not measured" if metric.source == "labels" else _NOT_SCORED
        return Reading(None, reason=nothing)
    cell = entry
    if metric.overlap:
        cell = _at_threshold(rule, metric, entry)
    name = metric.key.removesuffix("_score")
    return Reading(
        value=cell[metric.key],
        low=cell[f"{name}_low"] if metric.has_interval else None,
        high=cell[f"{name}_high"] if metric.has_interval else None,
        positives=entry.get("boxes" if metric.overlap else "positives"),
        positive_patients=entry.get("patients" if metric.overlap else "positive_patients"),
        findings=entry["findings"] if metric.of == "mean" else None,
        reason=entry["reason"] or "",
    )


def _findings(rule: Rule, metric: Metric, evidence: Evidence) -> dict[str, Any]:
    findings: dict[str, Any] = _scope(rule, metric, evidence)["findings"]
    return findings


def _scope(rule: Rule, metric: Metric, evidence: Evidence) -> dict[str, Any]:
    """The part of a metrics file that has `findings` and `mean`."""
    if metric.has_point:
        points: dict[str, dict[str, Any]] = evidence.evaluation.get("operating_points", {})
        if rule.point not in points:
            raise BadInput(
                f"params.yaml: gate.rules, {rule.name}: the model has no operating point "
                f"{rule.point!r}; it has {', '.join(points) or 'none'}"
            )
        return points[rule.point]
    if metric.source == "evaluation":
        return evidence.evaluation
    if metric.source == "labels":
        measured = evidence.evaluation.get("mined_labels", {}).get("findings", {})
        return {"findings": {finding: measured.get(finding) for finding in FINDINGS}}
    methods: dict[str, dict[str, Any]] = evidence.localization["methods"]
    if rule.method not in methods:
        raise BadInput(
            f"params.yaml: gate.rules, {rule.name}: no boxes were scored for the method "
            f"{rule.method!r}; scored are {', '.join(methods)}"
        )
    return methods[rule.method]


def _entry(rule: Rule, metric: Metric, finding: str, evidence: Evidence) -> dict[str, Any] | None:
    scope = _scope(rule, metric, evidence)
    entry: dict[str, Any] | None = scope["mean"] if not finding else scope["findings"].get(finding)
    return entry


def _at_threshold(rule: Rule, metric: Metric, entry: dict[str, Any]) -> dict[str, Any]:
    cells: dict[str, dict[str, Any]] = entry[metric.overlap]
    key = f"{rule.threshold:g}"
    if key not in cells:
        raise BadInput(
            f"params.yaml: gate.rules, {rule.name}: no boxes were scored at T {key}; "
            f"scored are {', '.join(cells)}"
        )
    return cells[key]
