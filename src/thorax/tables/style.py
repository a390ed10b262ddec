"""How the figures of the tables look, and how they are saved: the same numbers, the same bytes."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, PALE, LINE, GRID = "#1f2933", "#7b8794", "#0b6e99", "#e4e7eb"
# Okabe and Ito's colours, which people with a colour deficiency tell apart.
SERIES: Final = ("#0b6e99", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#1f2933", "#56b4e9")
_LETTERS_PER_INCH = 15.5
DOTS: Final = (0, (2, 3))
_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans", "font.size": 8.5, "text.color": INK,
    "axes.edgecolor": PALE, "axes.labelcolor": PALE, "axes.labelsize": 8, "axes.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
    "xtick.color": PALE, "ytick.color": PALE, "xtick.labelsize": 8, "ytick.labelsize": 8,
    "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.6, "axes.axisbelow": True,
}  # fmt: skip


@contextmanager
def page(path: Path, *, width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of so many inches; on success it is saved as PNG, without date or version."""
    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE}):
        figure = Figure(figsize=(width, height), dpi=150)
        yield figure
        figure.savefig(path, format="png", metadata={"Software": None})


def headline(figure: Figure, title: str, below: str, warning: str = "") -> None:
    """The title and a line of explanation at the top left; `warning` at the bottom."""
    height = figure.get_figheight()
    figure.text(0.02, 1 - 0.3 / height, title, fontsize=13, va="center")
    figure.text(0.02, 1 - 0.6 / height, below, fontsize=8.5, color=PALE, va="center")
    width = round(figure.get_figwidth() * _LETTERS_PER_INCH)
    text = textwrap.fill(warning, width)
    figure.text(0.02, 1 - 0.78 / height, text, fontsize=8.5, color=SERIES[1], va="top")


def names_down(axes: Axes) -> None:
    """The vertical axis holds names: no grid lines along them, no ticks beside them."""
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
