"""The rules of the gate as a person writes them in `params.yaml`, and what they may ask for.

A rule names one metric and one bound. Reads no file and judges nothing (`decide.py`). A comparison
with the model in production is not among the metrics yet.
"""

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator

from thorax.config import Config
from thorax.findings import FINDINGS, find, unknown_label

EACH: Final = "each"


@dataclass(frozen=True)
class Metric:
    """Where a metric stands and which way is good.

    Attributes:
        source: whose file it stands in.
        of: `verdict`, `mean` over findings, or one `finding`.
        title: its name in a sentence.
        key: its name in the file.
        higher_is_better: whether `min` or `max` bounds it.
        has_interval: whether `min_low` and `min_high` can bound it.
        overlap: the measure of overlap, for metrics that need a `threshold`; empty for others.
        has_point: whether it is read at an operating point, which the rule names.
    """

    source: Literal["validation", "predictions", "evaluation", "localization", "labels"]
    of: Literal["verdict", "mean", "finding"]
    title: str
    key: str = ""
    higher_is_better: bool = True
    has_interval: bool = False
    overlap: str = ""
    has_point: bool = False


def _up(
    of: Literal["mean", "finding"], title: str, key: str, *, has_interval: bool = False
) -> Metric:
    return Metric("evaluation", of, title, key, has_interval=has_interval)


def _down(of: Literal["mean", "finding"], title: str, key: str) -> Metric:
    return Metric("evaluation", of, title, key, higher_is_better=False)


def _mined(title: str, key: str) -> Metric:
    return Metric("labels", "finding", f"{title} of the mined labels", key, has_interval=True)


def _acc(of: Literal["mean", "finding"], title: str, overlap: str) -> Metric:
    return Metric("localization", of, title, "acc_score", has_interval=True, overlap=overlap)


def _point(title: str, key: str) -> Metric:
    return Metric("evaluation", "finding", title, key, has_interval=True, has_point=True)


METRICS: Final[dict[str, Metric]] = {
    "validation": Metric("validation", "verdict", "the label checks"),
    "validation_predictions": Metric("predictions", "verdict", "the checks of the predictions"),
    "mean_auc": _up("mean", "mean AUC", "auc_score", has_interval=True),
    "auc": _up("finding", "AUC", "auc_score", has_interval=True),
    "mean_average_precision": _up("mean", "mean average precision", "average_precision_score"),
    "average_precision": _up("finding", "average precision", "average_precision_score"),
    "mean_calibration_error": _down("mean", "mean calibration error", "calibration_error"),
    "calibration_error": _down("finding", "calibration error", "calibration_error"),
    "mean_brier": _down("mean", "mean Brier loss", "brier_loss"),
    "brier": _down("finding", "Brier loss", "brier_loss"),
    "operating_point_sensitivity": _point("sensitivity", "sensitivity_score"),
    "operating_point_specificity": _point("specificity", "specificity_score"),
    "label_precision": _mined("precision", "precision"),
    "label_recall": _mined("recall", "recall"),
    "mean_acc_iou": _acc("mean", "mean Acc by IoU", "iou"),
    "acc_iou": _acc("finding", "Acc by IoU", "iou"),
    "mean_acc_iobb": _acc("mean", "mean Acc by IoBB", "iobb"),
    "acc_iobb": _acc("finding", "Acc by IoBB", "iobb"),
}


class Rule(Config):
    """One demand: a metric, for one finding or each, and one bound."""

    metric: str
    """One of METRICS."""
    finding: str = ""
    """For a metric of findings: a finding, or `each`, which is the default. Empty for others."""
    verdict: Literal["accept"] | None = None
    """For `validation` and `validation_predictions`: the verdict asked for."""
    min: FiniteFloat | None = None
    """Lowest value that passes."""
    max: FiniteFloat | None = None
    """Highest value that passes, for errors and losses."""
    min_low: FiniteFloat | None = None
    """Lowest lower end of the interval that passes."""
    min_high: FiniteFloat | None = None
    """Lowest upper end of the interval that passes: it fails what is surely below."""
    point: str = ""
    """The operating point, for metrics of one: its name in `inference.operating_points`."""
    threshold: FiniteFloat | None = None
    """T(IoU) or T(IoBB), for metrics of boxes."""
    method: str = "paper"
    """The box maker, for metrics of boxes."""
    min_positives: int = Field(default=0, ge=0)
    """Positive images (boxes, for metrics of boxes) below which the evidence is insufficient."""
    min_positive_patients: int = Field(default=0, ge=0)
    """Patients behind those below which the evidence is insufficient."""
    min_findings: int = Field(default=0, ge=0)
    """Findings that a mean must rest on; with fewer the evidence is insufficient."""
    on_insufficient: Literal["hold", "ignore"] = "hold"
    """What insufficient evidence does to the gate: hold the model back, or nothing."""

    @field_validator("metric")
    @classmethod
    def _is_known(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"unknown metric, expected one of {', '.join(METRICS)}")
        return metric

    @field_validator("finding")
    @classmethod
    def _is_finding(cls, finding: str) -> str:
        found = find(finding, (EACH, *FINDINGS)) if finding else ""
        if found is None:
            raise ValueError(f"{unknown_label(finding)}, or {EACH}")
        return found

    @model_validator(mode="after")
    def _fits_together(self) -> "Rule":
        if problem := _bound_problem(self) or _scope_problem(self):
            raise ValueError(f"metric {self.metric}: {problem}")
        return self

    @property
    def name(self) -> str:
        """The rule as one reads it: `auc min_low 0.5`."""
        at = f" at T {self.threshold:g}" if self.threshold is not None else ""
        at += f" at {self.point}" if self.point else ""
        kind, bound = self.bound
        return f"{self.metric}{at} {kind} {bound}"

    @property
    def bound(self) -> tuple[str, float | str]:
        """The kind of the bound, and the bound."""
        kind = next(name for name in _BOUNDS if getattr(self, name) is not None)
        value: float | str = getattr(self, kind)
        return kind, value


_BOUNDS: Final = ("verdict", "min", "max", "min_low", "min_high")


def _bound_problem(rule: Rule) -> str:
    given = [name for name in _BOUNDS if getattr(rule, name) is not None]
    allowed = _allowed_bounds(METRICS[rule.metric])
    if len(given) != 1 or given[0] not in allowed:
        return f"a rule has exactly one bound, here {' or '.join(allowed)}"
    return ""


def _allowed_bounds(metric: Metric) -> list[str]:
    if metric.of == "verdict":
        return ["verdict"]
    if not metric.higher_is_better:
        return ["max"]
    return ["min", "min_low", "min_high"] if metric.has_interval else ["min"]


def _scope_problem(rule: Rule) -> str:
    metric = METRICS[rule.metric]
    if metric.of != "finding" and (
        rule.finding or rule.min_positives or rule.min_positive_patients
    ):
        return "finding, min_positives and min_positive_patients are for metrics of findings"
    if metric.of != "mean" and rule.min_findings:
        return "min_findings is for means"
    if bool(metric.overlap) != (rule.threshold is not None):
        return "threshold is needed for metrics of boxes, and only there"
    if metric.has_point != bool(rule.point):
        return "point is needed for metrics of an operating point, and only there"
    return ""
