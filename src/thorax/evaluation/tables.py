"""The evaluation as tables: curves for `dvc plots`, and a page of Markdown for people."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from thorax.evaluation import metrics, mined
from thorax.evaluation.metrics import Curve
from thorax.evaluation.scored import Scored
from thorax.evaluation.summary import Summary
from thorax.findings import display
from thorax.schemas.estimate import Estimate


def roc_points(scored: Scored, *, points: int) -> pd.DataFrame:
    """finding, false_positive_rate, true_positive_rate, threshold (a logit); `points` at most."""
    names = ("false_positive_rate", "true_positive_rate")
    return _points(scored, metrics.roc_curve, names, points)


def pr_points(scored: Scored, *, points: int) -> pd.DataFrame:
    """finding, recall, precision, threshold (a logit); `points` at most."""
    return _points(scored, metrics.pr_curve, ("recall", "precision"), points)


def _points(
    scored: Scored, curve_of: Callable[..., Curve], names: tuple[str, str], points: int
) -> pd.DataFrame:
    reasons = metrics.undefined_reasons(scored.targets, known=scored.known)
    frames = []
    for column, finding in enumerate(scored.findings):
        if reasons[column]:
            continue
        known = scored.known[:, column]
        curve = curve_of(scored.targets[known, column], scored.logits[known, column])
        kept = _spread(curve, points)
        frames.append(
            pd.DataFrame(
                {
                    "finding": finding,
                    names[0]: curve.x[kept],
                    names[1]: curve.y[kept],
                    "threshold": curve.thresholds[kept],
                }
            )
        )
    columns = ["finding", *names, "threshold"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _spread(curve: Curve, points: int) -> metrics.Ints:
    """Places spread evenly along the curve's length, its ends among them."""
    steps = np.abs(np.diff(curve.x)) + np.abs(np.diff(curve.y))
    length = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0, length[-1], points)
    kept = np.unique(np.concatenate([[0, length.size - 1], np.searchsorted(length, wanted)]))
    return np.asarray(np.minimum(kept, length.size - 1), dtype=np.int64)


def markdown(title: str, summary: Summary, slices: list[Summary], *, confidence: float) -> str:
    """Tables of findings, operating points, adjudicated labels and slices, and of the labels.

    Adjudicated and mined labels only where the summary has them.
    """
    level = f"{confidence:.0%}"
    lines = [
        f"# {title}",
        "",
        f"{summary['images']:,} images of {summary['patients']:,} patients. Intervals: {level}, "
        f"{summary['replicates']:,} bootstrap replicates over patients, not estimable on too few; "
        "DeLong's takes every image as independent. Brier and ECE before: of the bare sigmoid of "
        "the logits.",
        "",
        f"| finding | positive | AUC | {level} interval | DeLong | average precision "
        "| Brier | before | ECE | before | note |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
        *(_row(display(name), entry) for name, entry in summary["findings"].items()),
        _row("**mean**", {"positives": None, **summary["mean"]}),
    ]
    for name, point in summary["operating_points"].items():
        lines += _operating(name, point, level)
    if summary["adjudicated"]["findings"]:
        lines += _adjudicated(summary["adjudicated"], level)
    if "calibration" in summary:
        lines += _calibrations(summary["calibration"])
    lines += _parts(slices, level)
    if "mined_labels" in summary:
        lines += mined.markdown(summary["mined_labels"])
    return "\n".join(lines) + "\n"


def _operating(name: str, point: Summary, level: str) -> list[str]:
    rows = []
    for finding, entry in point["findings"].items():
        cells = [display(finding), _number(entry["threshold"])]
        for rate in ("sensitivity", "specificity", "ppv", "npv"):
            cells += [_number(entry[f"{rate}_score"]), _interval(entry, rate)]
        note = "; ".join(filter(None, [entry["note"], entry["reason"]]))
        rows.append(_line(*cells, entry["outcome"], note))
    head = " | ".join(f"{rate} | {level}" for rate in ("sensitivity", "specificity", "PPV", "NPV"))
    return [
        "",
        f"## Operating point {name}: {point['aim']}, as shipped",
        "",
        f"| finding | threshold | {head} | aim | note |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|",
        *rows,
    ]


def _adjudicated(summary: Summary, level: str) -> list[str]:
    rows = []
    for name, entry in summary["findings"].items():
        model, labels = entry["model"], entry["given_labels"]
        title = " or ".join(display(member) for member in name.split("|"))
        rows.append(
            _line(
                title, f"{entry['positives']} of {entry['images']}",
                _number(entry["auc_score"]), _interval(entry),
                _number(model["sensitivity_score"]), _number(model["specificity_score"]),
                _number(labels["ppv_score"]), _number(labels["sensitivity_score"]),
            )
        )  # fmt: skip
    return [
        "",
        "## Against adjudicated labels",
        "",
        f"| finding | positive | AUC | {level} interval | sensitivity | specificity "
        "| PPV of the given labels | sensitivity of the given labels |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *rows,
    ]


def _row(name: str, entry: Summary) -> str:
    positives = "" if entry["positives"] is None else f"{entry['positives']:,}"
    delong = _interval({**entry, "auc_delong_score": entry["auc_score"]}, "auc_delong")
    delong = delong if "auc_delong_low" in entry else ""
    return _line(
        name, positives, _number(entry["auc_score"]), _interval(entry), delong,
        _number(entry["average_precision_score"]),
        _number(entry["brier_loss"]), _number(entry["brier_before_loss"]),
        _number(entry["calibration_error"]), _number(entry["calibration_before_error"]),
        entry["reason"],
    )  # fmt: skip


def _calibrations(calibration: dict[str, Summary]) -> list[str]:
    rows = [
        _line(display(finding), entry["method"], entry["note"])
        for finding, entry in calibration.items()
    ]
    return [
        "",
        "## Calibration, as shipped",
        "",
        "| finding | method | why |",
        "|---|---|---|",
        *rows,
    ]


def _parts(slices: list[Summary], level: str) -> list[str]:
    return [
        "",
        "## Parts of the images",
        "",
        "Mean AUC over the findings that are defined there. Gap: mean AUC minus that of all other "
        "images, over the findings that both can show.",
        "",
        f"| slice | value | images | patients | mean AUC | {level} interval | findings | gap "
        f"| {level} interval | findings compared | note |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
        *(_slice_row(part) for part in slices),
    ]


def _slice_row(part: Summary) -> str:
    mean, gap = part["mean"], part["gap"]
    return _line(
        part["slice"], part["value"], f"{part['images']:,}", f"{part['patients']:,}",
        _number(mean["auc_score"]), _interval(mean), str(mean["findings"]),
        _signed(gap["difference_score"]), _interval(gap, "difference"), str(gap["findings"]),
        gap["reason"],
    )  # fmt: skip


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _number(value: float) -> str:
    return Estimate(value).value_text()


def _signed(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:+.3f}"


def _interval(entry: Summary, name: str = "auc") -> str:
    return Estimate.read(entry, name).interval_text()
