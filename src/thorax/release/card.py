"""The model card: what the model is, what it was scored on, and where it must not be used.

Written from the artifacts alone, in Markdown, after Mitchell et al., Model Cards for Model
Reporting (FAT* 2019). The words stand in `card.md.j2`; no number is written by hand.
"""

from pathlib import Path
from typing import Any

import jinja2

from thorax import findings
from thorax.inference.predictor import TrainedOn
from thorax.schemas.estimate import Estimate


def render(
    *,
    source: dict[str, Any],
    predictor: dict[str, Any],
    metrics: dict[str, Any],
    localization: dict[str, Any] | None,
    decision: dict[str, Any],
    labels: dict[str, str],
    origin: str,
) -> str:
    """The card as Markdown.

    Args:
        origin: which data and which model, on one line (`thorax.origin`).
        source: `data/source.json`.
        predictor: `artifacts/inference/predictor/predictor.json`.
        metrics: `artifacts/evaluation/metrics.json`.
        localization: `artifacts/localization/metrics.json`, where there is one.
        decision: the gate's decision.
        labels: the bento's labels.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["score"] = _score
    environment.filters["display"] = findings.display
    environment.filters["between"] = _between
    environment.filters["signed"] = _signed
    environment.filters["compared"] = _compared
    return environment.get_template("card.md.j2").render(
        source=source,
        predictor=predictor,
        trained_on=TrainedOn.model_validate(predictor.get("trained_on", {})).text,
        metrics=metrics,
        localization=localization,
        decision=decision,
        labels=labels,
        origin=origin,
        rows=_rows(metrics["findings"]),
        points=_points(metrics.get("operating_points", {})),
        calibrated=_rows(metrics.get("calibration", {})),
        refined=_refined(predictor.get("boxes", {}).get("regressors", {})),
        labelled=_rows(metrics.get("mined_labels", {}).get("findings", {})),
    )


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _between(entry: dict[str, Any], name: str, value: str = "") -> str:
    """The interval of a number, `not estimable` or a dash; see `Estimate.read`."""
    return Estimate.read(entry, name, value=value).interval_text()


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _compared(rule: dict[str, Any]) -> str:
    """The number that a rule held against its bound, and which end of the interval it is."""
    end = rule.get("comparison", "value")
    number = _score(rule.get("compared", rule["value"]))
    return number if end == "value" or number == "-" else f"{number} ({end})"


def _points(points: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"aim": point["aim"], "rows": _rows(point["findings"])}
        for name, point in points.items()
    }


def _refined(regressors: dict[str, Any]) -> list[str]:
    """The findings whose boxes a refiner moves."""
    return [
        findings.display(finding)
        for finding in findings.FINDINGS
        if regressors.get(finding, {}).get("refiner")
    ]


def _rows(scored: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(finding, scored[finding]) for finding in findings.FINDINGS if finding in scored]
