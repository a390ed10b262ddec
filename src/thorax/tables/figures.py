"""The pictures of the tables: ours filled with its interval, the paper's hollow.

Drawn from the same rows as the text; what is undefined is left out.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from thorax.findings import FINDINGS, display
from thorax.tables import style
from thorax.tables.style import DOTS, INK, LINE, PALE, SERIES
from thorax.tables.table import Cell, Row


def draw_findings(
    path: Path, warning: str, rows: Sequence[Row], columns: Sequence[str], *, title: str,
    across: str, chance: float | None,
) -> None:  # fmt: skip
    """One line per finding, one colour per group of rows; `chance` is a dotted line."""
    shown = [row for row in rows if row.format == "share" and _any(row)]
    groups = list(dict.fromkeys(row.group for row in shown))
    step = 0.8 / max(1, len(groups))
    height = 1.85 + len(columns) * max(0.34, 0.13 * len(groups)) + 0.25 * math.ceil(len(groups) / 3)
    with style.page(path, width=9.2, height=height) as figure:
        bottom = (0.6 + 0.25 * math.ceil(len(groups) / 3)) / height
        axes = figure.add_axes((0.17, bottom, 0.8, 1 - bottom - 1.2 / height))
        if chance is not None:
            axes.axvline(chance, color=PALE, linewidth=0.9, linestyle=DOTS)
        for row in shown:
            place = groups.index(row.group)
            offset = (place - (len(groups) - 1) / 2) * step
            _dots(axes, row, columns, offset, SERIES[place % len(SERIES)])
        axes.set_yticks(range(len(columns)), [_word(column) for column in columns])
        axes.set_ylim(len(columns) - 0.45, -0.55)
        for between in range(len(columns) - 1):
            axes.axhline(between + 0.5, color=style.GRID, linewidth=0.6)
        style.names_down(axes)
        axes.set_xlabel(across)
        for place, group in enumerate(groups):
            ours = any(row.origin == "ours" for row in shown if row.group == group)
            colour = SERIES[place % len(SERIES)]
            axes.plot([], [], "o", color=colour, markerfacecolor=colour if ours else "white",
                      markersize=5, label=group)  # fmt: skip
        figure.legend(loc="lower left", bbox_to_anchor=(0.16, 0), ncol=3, fontsize=8,
                      handletextpad=0.2, columnspacing=1.4)  # fmt: skip
        style.headline(figure, title, _key(shown), warning)


def _dots(axes: Axes, row: Row, columns: Sequence[str], offset: float, colour: str) -> None:
    for place, column in enumerate(columns):
        cell = row.cells.get(column, Cell())
        at = place + offset
        if math.isnan(cell.value):
            continue
        if not math.isnan(cell.low):
            axes.plot([cell.low, cell.high], [at, at], color=colour, linewidth=1.3, alpha=0.55)
        filled = colour if row.origin == "ours" else "white"
        axes.plot(cell.value, at, "o", markersize=4.6, color=colour, markerfacecolor=filled,
                  markeredgewidth=1.1, zorder=3)  # fmt: skip


def _key(rows: Sequence[Row]) -> str:
    origins = {row.origin for row in rows}
    said = "Filled: ours, with its interval." if "ours" in origins else "Nothing of ours yet."
    return f"{said} Hollow: the paper's." if "paper" in origins else said


def draw_thresholds(
    path: Path, warning: str, rows: Sequence[Row], findings: Sequence[str], *, title: str,
    across: str,
) -> None:  # fmt: skip
    """Acc over T in one panel per finding, ours with the band of its interval."""
    accs = [row for row in rows if row.name.startswith("Acc")]
    names = list(dict.fromkeys(row.name for row in accs))
    with style.page(path, width=10.2, height=6.2) as figure:
        grid = figure.add_gridspec(2, 5, hspace=0.45, wspace=0.25,
                                   left=0.055, right=0.985, top=0.78, bottom=0.135)  # fmt: skip
        for place, finding in enumerate(findings):
            axes = figure.add_subplot(grid[place // 5, place % 5])
            for name in names:
                _over_thresholds(axes, [row for row in accs if row.name == name], finding, name,
                                 names.index(name))  # fmt: skip
            axes.set(xlim=(0, 1), ylim=(0, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
            axes.set_title(_word(finding), loc="left", fontsize=9, fontweight="bold")
            axes.set_xlabel(across if place // 5 == 1 or place == 4 else "", labelpad=1)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.045, 0), ncol=5)
        below = "Share of true boxes that are hit, over the overlap that counts as a hit."
        style.headline(figure, title, below, warning)


def _over_thresholds(axes: Axes, rows: Sequence[Row], finding: str, name: str, place: int) -> None:
    at = [float(row.group.split()[-1]) for row in rows]
    cells = [row.cells.get(finding, Cell()) for row in rows]
    values, lows, highs = ([getattr(c, end) for c in cells] for end in ("value", "low", "high"))
    if rows[0].origin == "paper":
        axes.plot(at, values, "o--", color=PALE, markerfacecolor="white", markersize=4,
                  linewidth=1, label=name)  # fmt: skip
        return
    colour, under = SERIES[(place - 1) % len(SERIES)], place == 1  # wide enough to show below
    axes.fill_between(at, lows, highs, color=colour, alpha=0.14, linewidth=0)
    axes.plot(at, values, "o-", color=colour, markersize=5 if under else 3,
              linewidth=2.6 if under else 1.2, label=name)  # fmt: skip


def draw_sizes(
    path: Path, warning: str, rows: Sequence[Row], columns: Sequence[str], *, title: str
) -> None:
    """Acc over T, one colour per size, one panel per method and overlap."""
    groups = list(dict.fromkeys(row.group for row in rows))
    overlaps = list(dict.fromkeys(column.split()[0] for column in columns))
    height = 1.7 + 2.7 * len(groups)
    with style.page(path, width=9.2, height=height) as figure:
        grid = figure.add_gridspec(
            len(groups), len(overlaps), hspace=0.5, wspace=0.15,
            left=0.06, right=0.98, top=1 - 1.45 / height, bottom=0.8 / height,
        )  # fmt: skip
        for line, group in enumerate(groups):
            for place, overlap in enumerate(overlaps):
                axes = figure.add_subplot(grid[line, place])
                own = [column for column in columns if column.startswith(overlap)]
                for number, row in enumerate(row for row in rows if row.group == group):
                    _size(axes, row, own, SERIES[number])
                axes.set(xlim=(0, 1), ylim=(0, 1.03))
                axes.set_xlabel(overlap, labelpad=1)
                axes.set_title(group, loc="left", fontsize=9, fontweight="bold")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower left", bbox_to_anchor=(0.05, 0), ncol=3)
        style.headline(
            figure, title, "Share of true boxes that are hit, with its interval.", warning
        )


def _size(axes: Axes, row: Row, columns: Sequence[str], colour: str) -> None:
    at = [float(column.split()[-1]) for column in columns]
    cells = [row.cells.get(column, Cell()) for column in columns]
    lows, highs = [cell.low for cell in cells], [cell.high for cell in cells]
    axes.fill_between(at, lows, highs, color=colour, alpha=0.12, linewidth=0)
    values = [cell.value for cell in cells]
    axes.plot(at, values, "o-", color=colour, markersize=3.6, linewidth=1.5, label=row.name)


def draw_sweep(path: Path, warning: str, means: pd.DataFrame) -> None:
    """Mean AUC over r of log-sum-exp, with average and max as lines across."""
    with style.page(path, width=7.6, height=4.7) as figure:
        axes = figure.add_axes((0.09, 0.13, 0.75, 0.62))
        lse = means[means["r"].notna()]
        errors = np.abs(lse[["low", "high"]].to_numpy(float).T - lse["value"].to_numpy(float))
        axes.errorbar(lse["r"], lse["value"], yerr=errors, fmt="o-", color=LINE, capsize=2,
                      linewidth=1.5, elinewidth=1, markersize=4.5)  # fmt: skip
        others = means[means["r"].isna() & means["value"].notna()]
        for name, value in zip(others["name"], others["value"].astype(float), strict=True):
            axes.axhline(value, color=INK, linewidth=1, linestyle=DOTS)
            axes.text(1.01, value, name, transform=axes.get_yaxis_transform(), va="center",
                      fontsize=8)  # fmt: skip
        if not means["value"].notna().any():
            axes.text(0.5, 0.5, "not run here: thorax experiment pooling",
                      transform=axes.transAxes, ha="center", color=PALE)  # fmt: skip
            axes.set_yticks([])
        axes.set_xscale("log")
        axes.set_xlim(0.08, 16)
        axes.set_xticks(lse["r"].to_list(), [f"{r:g}" for r in lse["r"]])
        axes.minorticks_off()
        axes.set_xlabel("r of log-sum-exp: towards average on the left, towards max on the right")
        below = "Mean AUC of the eight findings, with its interval."
        style.headline(figure, "How the pooling changes the AUC", below, warning)


def draw_counts(path: Path, warning: str, rows: Sequence[Row], findings: Sequence[str]) -> None:
    """A bar per finding: images that carry it alone, and with another finding."""
    images, shared = ({f: row.cells[f].value for f in findings} for row in rows)
    ordered = sorted(findings, key=lambda finding: images[finding])
    with style.page(path, width=8.4, height=1.2 + 0.3 * len(findings)) as figure:
        axes = figure.add_axes((0.19, 0.12, 0.75, 0.72))
        alone = [images[f] - shared[f] for f in ordered]
        several = [shared[f] for f in ordered]
        axes.barh(range(len(ordered)), alone, color=LINE, label="alone", height=0.7)
        axes.barh(range(len(ordered)), several, left=alone, color=SERIES[6], height=0.7,
                  label="with another finding")  # fmt: skip
        for place, finding in enumerate(ordered):
            axes.text(images[finding], place, f"  {images[finding]:,.0f}", va="center", fontsize=8)
        axes.set_yticks(range(len(ordered)), [_word(finding) for finding in ordered])
        style.names_down(axes)
        axes.set_xlabel("images")
        axes.legend(loc="lower right")
        below = "Readable images of every split that carry each finding."
        style.headline(figure, "How often each finding occurs, alone and with others", below)


def _any(row: Row) -> bool:
    return any(not math.isnan(cell.value) for cell in row.cells.values())


def _word(column: str) -> str:
    return display(column) if column in FINDINGS else column
