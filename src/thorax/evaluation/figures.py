"""ROC, precision-recall and calibration as one page of small multiples each.

The band around a ROC or PR curve is the pointwise interval over patients, at fixed specificity or
sensitivity; it says nothing of the whole curve at once.

Every finding has its panel at the same place on every page; the line under its name carries the
page's number, with the interval where there is one, or why it is undefined. The last panel compares
all findings. The same scores give the same bytes (no date, no software version in the file).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thorax.evaluation import bands, estimable, metrics
from thorax.evaluation.calibration import reliability
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.evaluation.summary import Summary
from thorax.findings import display
from thorax.origin import Origin
from thorax.schemas.estimate import Estimate

_COLUMNS: Final = 4
_BAND_POINTS: Final = 101  # places along the axis at which an interval band is computed
_INK, _PALE, _LINE, _GRID = "#1f2933", "#7b8794", "#0b6e99", "#e4e7eb"
_DOTS: Final = (0, (2, 3))
_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans", "font.size": 8, "text.color": _INK,
    "axes.edgecolor": _PALE, "axes.labelcolor": _PALE, "axes.labelsize": 7, "axes.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": _PALE, "ytick.color": _PALE, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "axes.grid": True, "grid.color": _GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
}  # fmt: skip


@dataclass(frozen=True)
class _Page:
    """What differs between the pages: titles, the number told, and how a panel is drawn."""

    title: str
    across: str
    up: str
    number: str
    key: str
    chance: float | None
    draw: Callable[[Axes, int], None]


def write_roc(
    path: Path, scored: Scored, summary: Summary, resampling: Resampling,
    settings: EvaluationConfig, origin: Origin,
) -> None:  # fmt: skip
    """The ROC curves: sensitivity over 1 - specificity, with interval band and line of chance."""

    def draw(axes: Axes, column: int) -> None:
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=0.8, linestyle=_DOTS)
        curve = metrics.roc_curve(*_known(scored, column, scored.logits))
        _draw_band(axes, _band(scored, column, resampling, settings, of="roc"))
        axes.plot(curve.x, curve.y, color=_LINE, linewidth=1.6, solid_joinstyle="round")

    title = "How well each finding is ranked: ROC curves"
    page = _Page(title, "1 - specificity", "sensitivity", "AUC", "auc_score", 0.5, draw)
    _write(path, scored, summary, page, origin)


def write_pr(
    path: Path, scored: Scored, summary: Summary, resampling: Resampling,
    settings: EvaluationConfig, origin: Origin,
) -> None:  # fmt: skip
    """The precision-recall curves with interval band, and the prevalence as line of chance."""

    def draw(axes: Axes, column: int) -> None:
        y_true, y_score = _known(scored, column, scored.logits)
        axes.axhline(float(np.mean(y_true)), color=_PALE, linewidth=0.8, linestyle=_DOTS)
        curve = metrics.pr_curve(y_true, y_score)
        _draw_band(axes, _band(scored, column, resampling, settings, of="pr"))
        axes.step(curve.x, curve.y, where="pre", color=_LINE, linewidth=1.4)

    title = "What an alarm is worth: precision-recall curves"
    key = "average_precision_score"
    page = _Page(title, "sensitivity", "precision (PPV)", "AP", key, None, draw)
    _write(path, scored, summary, page, origin)


def write_calibration(
    path: Path, scored: Scored, summary: Summary, *, bins: int, origin: Origin
) -> None:
    """The share that shows the finding over the calibrated probability; dots grow with images."""

    def draw(axes: Axes, column: int) -> None:
        axes.plot([0, 1], [0, 1], color=_PALE, linewidth=0.8, linestyle=_DOTS)
        y_true, probabilities = _known(scored, column, scored.probabilities)
        table = reliability(y_true, probabilities, bins=bins)
        sizes = 10 + 90 * np.sqrt(table.images / table.images.sum())
        axes.plot(table.probability, table.share, color=_LINE, linewidth=1.0, alpha=0.6)
        axes.scatter(table.probability, table.share, s=sizes, color=_LINE, linewidth=0, zorder=3,
                     clip_on=False)  # fmt: skip

    title = "Whether a probability means what it says: calibration (dots grow with images)"
    share = "share with finding"
    page = _Page(title, "probability", share, "ECE", "calibration_error", None, draw)
    _write(path, scored, summary, page, origin)


def _band(
    scored: Scored, column: int, resampling: Resampling, settings: EvaluationConfig,
    *, of: Literal["roc", "pr"],
) -> tuple[metrics.Floats, metrics.Floats, metrics.Floats] | None:  # fmt: skip
    """Across, low and high of the pointwise interval; None where none can be estimated."""
    known = scored.known[:, column]
    support = estimable.count(scored.targets[:, column], resampling.patient, known)
    if support.lack(settings.interval_patients_min):
        return None
    curves = bands.replicate(
        scored.targets[known, column], scored.logits[known, column], resampling.of(known)
    )
    across = np.linspace(0, 1, _BAND_POINTS)
    values = curves.sensitivity_at(1 - across) if of == "roc" else curves.precision_at(across)
    values = values[~np.isnan(values[:, 0])]
    if len(values) < settings.min_share * resampling.weights.shape[1]:
        return None
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0)
    return across, low, high


def _draw_band(
    axes: Axes, band: tuple[metrics.Floats, metrics.Floats, metrics.Floats] | None
) -> None:
    if band is not None:
        axes.fill_between(*band, color=_LINE, alpha=0.18, linewidth=0)


def _known(scored: Scored, column: int, scores: metrics.Floats) -> tuple[Any, metrics.Floats]:
    known = scored.known[:, column]
    return scored.targets[known, column], scores[known, column]


def _write(path: Path, scored: Scored, summary: Summary, page: _Page, origin: Origin) -> None:
    rows = -(-(len(scored.findings) + 2) // _COLUMNS)
    height = 2.45 * rows + 0.95  # inches; the last is for title and origin
    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE}):
        figure = Figure(figsize=(10.2, height), dpi=150)
        grid = figure.add_gridspec(
            rows, _COLUMNS, hspace=0.7, wspace=0.28,
            left=0.06, right=0.985, top=1 - 1.2 / height, bottom=0.7 / height,
        )  # fmt: skip
        for column, finding in enumerate(scored.findings):
            axes = figure.add_subplot(grid[column // _COLUMNS, column % _COLUMNS])
            _panel(axes, column, finding, summary["findings"][finding], page)
        narrow = grid[rows - 1, _COLUMNS - 2 :].subgridspec(1, 2, width_ratios=[0.22, 1], wspace=0)
        _overview(figure.add_subplot(narrow[1]), summary, page)
        figure.suptitle(page.title, x=0.06, y=1 - 0.12 / height, ha="left", fontsize=14)
        figure.text(0.06, 1 - 0.55 / height, _caption(summary, page), color=_PALE, fontsize=8.5)
        figure.text(0.06, 0.1 / height, origin.line, color=_PALE, fontsize=8.5)
        figure.savefig(path, format="png", metadata={"Software": None})


def _panel(axes: Axes, column: int, finding: str, entry: Summary, page: _Page) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_xlabel(page.across, labelpad=1)
    if column % _COLUMNS == 0:
        axes.set_ylabel(page.up, labelpad=1)
    axes.set_title(display(finding), loc="left", fontsize=9, fontweight="bold", pad=15)
    axes.text(0, 1.035, _subtitle(entry, page), transform=axes.transAxes, fontsize=7, color=_PALE)
    if np.isnan(entry["auc_score"]):
        axes.text(0.5, 0.5, entry["reason"], transform=axes.transAxes, ha="center", color=_PALE)
    else:
        page.draw(axes, column)


def _subtitle(entry: Summary, page: _Page) -> str:
    if np.isnan(entry["auc_score"]):
        return f"undefined · {entry['positives']:,} pos."
    estimate = Estimate(entry[page.key], *_ends(entry, page))
    has_interval = f"{page.key.removesuffix('_score')}_low" in entry
    interval = f" ({estimate.interval_text(2)})" if has_interval else ""
    return f"{page.number} {entry[page.key]:.3f}{interval} · {entry['positives']:,} pos."


def _ends(entry: Summary, page: _Page) -> tuple[float, float]:
    """The interval of the page's number; NaN where it has none."""
    name = page.key.removesuffix("_score")
    return entry.get(f"{name}_low", np.nan), entry.get(f"{name}_high", np.nan)


def _overview(axes: Axes, summary: Summary, page: _Page) -> None:
    """The page's number for all findings, highest on top, with the mean as a line."""
    defined = [(f, e) for f, e in summary["findings"].items() if not np.isnan(e["auc_score"])]
    entries = sorted(defined, key=lambda item: item[1][page.key])
    for place, (_, entry) in enumerate(entries):
        axes.plot(_ends(entry, page), [place, place], color=_LINE, linewidth=1.2)
        axes.plot(entry[page.key], place, "o", color=_LINE, markersize=3)
    if page.chance is None:
        axes.set_xlim(left=0)
    else:
        axes.axvline(page.chance, color=_PALE, linewidth=0.8, linestyle=_DOTS)
    mean = summary["mean"][page.key]
    if not np.isnan(mean):
        axes.axvline(mean, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(entries)), [display(finding) for finding, _ in entries], fontsize=6)
    axes.tick_params(axis="y", length=0, labelcolor=_INK)
    axes.grid(visible=False, axis="y")
    title = f"{page.number} of every finding; the line is their mean"
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold", pad=6)


def _caption(summary: Summary, page: _Page) -> str:
    mean = summary["mean"]
    score = f"mean {page.number} {mean[page.key]:.3f} over {mean['findings']} findings"
    if np.isnan(mean[page.key]):
        score = f"mean {page.number} undefined"
    return f"{summary['images']:,} images of {summary['patients']:,} patients; {score}"
