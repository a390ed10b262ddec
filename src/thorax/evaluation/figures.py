"""ROC, precision-recall and calibration as one page of small multiples each.

Every finding has its panel at the same place on every page; the title carries the AUC with its
interval, or why there is none. The last panels compare all findings. The same numbers give the same
bytes (no date, no software version in the file).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thorax.evaluation import metrics
from thorax.evaluation.calibration import reliability
from thorax.evaluation.scored import Scored
from thorax.evaluation.summary import Summary
from thorax.findings import display

_COLUMNS: Final = 4
_INK, _PALE, _LINE, _GRID = "#1f2933", "#7b8794", "#0b6e99", "#e4e7eb"
_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans", "font.size": 8, "text.color": _INK,
    "axes.edgecolor": _PALE, "axes.labelcolor": _INK, "axes.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": _PALE, "ytick.color": _PALE, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "axes.grid": True, "grid.color": _GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
}  # fmt: skip

Panel = Callable[[Axes, int], None]


def write_roc(path: Path, scored: Scored, summary: Summary) -> None:
    """The ROC curves: sensitivity over 1 - specificity, with the line of chance."""

    def panel(axes: Axes, column: int) -> None:
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=0.8, linestyle=(0, (2, 3)))
        curve = metrics.roc_curve(*_known(scored, column, scored.logits))
        axes.fill_between(curve.x, curve.y, curve.x, color=_LINE, alpha=0.08, linewidth=0)
        axes.plot(curve.x, curve.y, color=_LINE, linewidth=1.6, solid_joinstyle="round")

    _page(path, scored, summary, panel, "ROC curves", ("1 - specificity", "Sensitivity"))


def write_pr(path: Path, scored: Scored, summary: Summary) -> None:
    """The precision-recall curves, with the prevalence as the line of chance."""

    def panel(axes: Axes, column: int) -> None:
        y_true, y_score = _known(scored, column, scored.logits)
        axes.axhline(float(np.mean(y_true)), color=_PALE, linewidth=0.8, linestyle=(0, (2, 3)))
        curve = metrics.pr_curve(y_true, y_score)
        axes.fill_between(curve.x, curve.y, 0, color=_LINE, alpha=0.08, linewidth=0, step="pre")
        axes.step(curve.x, curve.y, where="pre", color=_LINE, linewidth=1.4)

    axis_names = ("Sensitivity (recall)", "Precision (PPV)")
    _page(path, scored, summary, panel, "Precision-recall curves", axis_names)


def write_calibration(path: Path, scored: Scored, summary: Summary, *, bins: int) -> None:
    """The share that shows the finding over the calibrated probability; dots grow with images."""

    def panel(axes: Axes, column: int) -> None:
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=0.8, linestyle=(0, (2, 3)))
        y_true, probabilities = _known(scored, column, scored.probabilities)
        table = reliability(y_true, probabilities, bins=bins)
        sizes = 10 + 90 * np.sqrt(table.images / table.images.sum())
        axes.plot(table.probability, table.share, color=_LINE, linewidth=1.0, alpha=0.6)
        axes.scatter(table.probability, table.share, s=sizes, color=_LINE, linewidth=0, zorder=3)

    axis_names = ("Calibrated probability", "Share with the finding")
    _page(path, scored, summary, panel, "Calibration", axis_names)


def _known(scored: Scored, column: int, scores: metrics.Floats) -> tuple[Any, metrics.Floats]:
    known = scored.known[:, column]
    return scored.targets[known, column], scores[known, column]


def _page(
    path: Path,
    scored: Scored,
    summary: Summary,
    panel: Panel,
    title: str,
    axis_names: tuple[str, str],
) -> None:
    rows = -(-(len(scored.findings) + 2) // _COLUMNS)
    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE}):
        figure = Figure(figsize=(2.55 * _COLUMNS, 2.5 * rows + 0.75), dpi=150)
        grid = figure.add_gridspec(rows, _COLUMNS, hspace=0.62, wspace=0.28, left=0.06, right=0.985,
                                   top=1 - 0.95 / (2.5 * rows + 0.75), bottom=0.075)  # fmt: skip
        for column, finding in enumerate(scored.findings):
            axes = figure.add_subplot(grid[column // _COLUMNS, column % _COLUMNS])
            _panel(axes, column, finding, summary["findings"][finding], panel)
        last = figure.add_subplot(grid[rows - 1, _COLUMNS - 2 :])
        _overview(last, summary)
        figure.suptitle(title, x=0.06, y=0.988, ha="left", fontsize=14, fontweight="bold")
        figure.text(0.06, 1 - 0.52 / figure.get_figheight(), _caption(summary, axis_names),
                    color=_PALE, fontsize=8.5, va="center")  # fmt: skip
        figure.savefig(path, format="png", metadata={"Software": None})


def _panel(axes: Axes, column: int, finding: str, entry: Summary, draw: Panel) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_aspect("auto")
    axes.set_title(display(finding), loc="left", fontsize=9, fontweight="bold", pad=15)
    axes.text(0, 1.035, _subtitle(entry), transform=axes.transAxes, fontsize=7, color=_PALE)
    if np.isnan(entry["auc_score"]):
        axes.text(0.5, 0.5, entry["reason"], transform=axes.transAxes, ha="center", color=_PALE)
    else:
        draw(axes, column)


def _subtitle(entry: Summary) -> str:
    if np.isnan(entry["auc_score"]):
        return f"AUC undefined · {entry['positives']:,} positive"
    interval = "no interval"
    if not np.isnan(entry["auc_low"]):
        interval = f"{entry['auc_low']:.2f}-{entry['auc_high']:.2f}"
    return f"AUC {entry['auc_score']:.3f} ({interval}) · {entry['positives']:,} positive"


def _overview(axes: Axes, summary: Summary) -> None:
    """All AUCs with their intervals, best on top, and the mean as a line."""
    defined = [(f, e) for f, e in summary["findings"].items() if not np.isnan(e["auc_score"])]
    entries = sorted(defined, key=lambda item: item[1]["auc_score"])
    for place, (_, entry) in enumerate(entries):
        axes.plot([entry["auc_low"], entry["auc_high"]], [place, place], color=_LINE, linewidth=1.2)
        axes.plot(entry["auc_score"], place, "o", color=_LINE, markersize=3)
    axes.axvline(0.5, color=_PALE, linewidth=0.8, linestyle=(0, (2, 3)))
    mean = summary["mean"]["auc_score"]
    if not np.isnan(mean):
        axes.axvline(mean, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(entries)), [display(finding) for finding, _ in entries], fontsize=6)
    axes.tick_params(axis="y", length=0, labelcolor=_INK)
    axes.grid(visible=False, axis="y")
    axes.set_title("AUC with interval, and mean", loc="left", fontsize=9, fontweight="bold", pad=15)


def _caption(summary: Summary, axis_names: tuple[str, str]) -> str:
    mean = summary["mean"]
    across, up = axis_names
    score = (
        "mean AUC undefined" if np.isnan(mean["auc_score"]) else f"mean AUC {mean['auc_score']:.3f}"
    )
    return (
        f"Across: {across}. Up: {up}.   {summary['images']:,} images of "
        f"{summary['patients']:,} patients, {score} over {mean['findings']} findings."
    )
