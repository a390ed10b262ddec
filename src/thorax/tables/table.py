"""A table of results: rows of the paper and of ours, each cell with its interval or its reason.

Holds and names; computes nothing, prints nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Origin = Literal["paper", "ours"]
Format = Literal["share", "count"]


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        value: NaN where it is undefined; then `reason` says why.
        low, high: the interval's ends; NaN where there is none.
        count: positive images, true boxes or tries behind it; None where it does not apply.
        reason: why the value, or its interval, is missing.
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    count: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        group: what it shares with its neighbours, such as the network.
        name: what it is, such as "paper" or "AUC, ours".
        origin: whose numbers these are.
        cells: column -> cell; a column that is left out does not apply.
        format: share prints as .791, count as 1,234.
    """

    group: str
    name: str
    origin: Origin
    cells: dict[str, Cell]
    format: Format = "share"


@dataclass(frozen=True)
class Table:
    """A table, and what must be said beside it.

    Attributes:
        name: of its files, such as "table-3".
        title: what it shows.
        columns: their keys in order; a finding's key is its name.
        rows: in order; neighbours of one group stand together.
        computed_on: on which images ours was computed, in one sentence.
        comparable: whether ours may be compared with the paper's, in one sentence.
        notes: what else a reader must know.
        draw: writes the figure (PNG) to a path, with a sentence of warning; None without a figure.
        tall: print columns down the page and rows across, as suits many columns and few rows.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    computed_on: str
    comparable: str
    notes: tuple[str, ...] = ()
    draw: Callable[[Path, str], None] | None = field(default=None, compare=False)
    tall: bool = False

    def is_empty(self) -> bool:
        """Whether no cell has a number, so that there is nothing to draw."""
        cells = [cell for row in self.rows for cell in row.cells.values()]
        return all(math.isnan(cell.value) for cell in cells)

    def reasons(self) -> list[str]:
        """Every reason for a missing number, once each, in reading order."""
        found = [
            row.cells[column].reason
            for row in self.rows
            for column in self.columns
            if column in row.cells and math.isnan(row.cells[column].value)
        ]
        return list(dict.fromkeys(reason for reason in found if reason))


def scored(
    numbers: dict[str, Any], stem: str, *, count: int | None, reason: str | None, value: str = ""
) -> Cell:
    """A cell of a stage's JSON: `STEM_low`, `STEM_high`, and `STEM_score` or another `value`."""
    ends = (value or f"{stem}_score", f"{stem}_low", f"{stem}_high")
    middle, low, high = (number(numbers.get(end)) for end in ends)
    return Cell(middle, low, high, count, reason or "")


def number(value: float | None) -> float:
    """JSON's null as NaN."""
    return math.nan if value is None else float(value)


def missing(columns: tuple[str, ...], reason: str) -> dict[str, Cell]:
    """Cells for a row of which nothing is known, for one reason."""
    return {column: Cell(reason=reason) for column in columns}
