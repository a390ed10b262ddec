"""The matrix of findings that occur together, as the poster draws it: who brings whom along."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from thorax.findings import display
from thorax.tables import style
from thorax.tables.style import INK, PALE

_DARK = 0.55  # share of the colour scale from which figures are written in white


def draw_together(
    path: Path, warning: str, matrix: NDArray[np.int64], findings: Sequence[str]
) -> None:
    """Draw how many images carry both findings, coloured by the share of the row's images.

    Args:
        path: the PNG to write.
        warning: what must not be concluded.
        matrix: [F, F], images that carry both; on the diagonal those that carry the one.
        findings: F names.
    """
    with style.page(path, width=9.4, height=8.6) as figure:
        axes = figure.add_axes((0.16, 0.085, 0.82, 0.69))
        whole = np.diag(matrix).astype(float)[:, None]
        shares = np.divide(matrix, whole, out=np.zeros(matrix.shape), where=whole > 0)
        np.fill_diagonal(shares, np.nan)
        top = float(np.nanmax(shares, initial=0.01))
        picture = axes.imshow(shares, cmap="BuPu", vmin=0, vmax=top, aspect="auto")
        for row in range(len(findings)):
            for column in range(len(findings)):
                _figure(axes, matrix, shares, row, column, top)
        _names(axes, findings)
        scale = figure.colorbar(
            picture, cax=figure.add_axes((0.16, 0.045, 0.22, 0.012)), orientation="horizontal",
            ticks=[0, top], format=PercentFormatter(1, decimals=0),
        )  # fmt: skip
        scale.outline.set_visible(False)
        scale.ax.tick_params(length=0, labelcolor=INK, labelsize=8)
        below = (
            "Number: images that carry both. Colour: their share of the row's images; the "
            "diagonal counts the finding itself."
        )
        style.headline(figure, "Which findings go together", below, warning)


def _figure(
    axes: Axes, matrix: NDArray[np.int64], shares: NDArray[np.float64], row: int, column: int,
    top: float,
) -> None:  # fmt: skip
    own = row == column
    dark = not own and shares[row, column] > _DARK * top
    colour = PALE if own else "white" if dark else INK
    text = f"{matrix[row, column]:,}" if matrix[row, column] else "·"
    axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8.5,
              fontweight="bold" if own else "normal")  # fmt: skip


def _names(axes: Axes, findings: Sequence[str]) -> None:
    names = [display(finding) for finding in findings]
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="left", rotation_mode="anchor")
    axes.tick_params(length=0, labelcolor=INK, labelsize=8.5, bottom=False, labelbottom=False,
                     top=False, labeltop=True)  # fmt: skip
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(visible=True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
