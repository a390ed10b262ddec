"""A table as text: for the terminal (rich), as Markdown, and as CSV with one number a line.

The same numbers everywhere, three digits of a share as in the paper; the CSV has all digits.
"""

import math

import pandas as pd
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from thorax.findings import FINDINGS, display
from thorax.tables.table import Cell, Row, Table

_SHORT = {
    "Atelectasis": "Atelect.", "Cardiomegaly": "Cardiom.", "Infiltration": "Infiltr.",
    "Pneumonia": "Pneumon.", "Pneumothorax": "Pneumoth.", "Consolidation": "Consolid.",
    "Emphysema": "Emphys.", "Pleural_Thickening": "Pl. thick.",
}  # fmt: skip
_ANY_WIDTH = 1000
_NAME_WIDTH = 14  # characters that a row's group and its name get at least
_MARKS = "abcdefghijklmnopqrstuvwxyz"
_STYLES = {"paper": "dim", "ours": ""}


def number(cell: Cell, row: Row) -> str:
    """`.791` or `1,234`; a dash where it is undefined."""
    if math.isnan(cell.value):
        return "-"
    if row.format == "count":
        return f"{cell.value:,.0f}"
    text = f"{cell.value:.3f}"
    return text[1:] if text.startswith("0") else text


def interval(cell: Cell) -> str:
    """`.70-.87`; empty without one."""
    if math.isnan(cell.value) or math.isnan(cell.low) or math.isnan(cell.high):
        return ""
    low, high = (f"{end:.2f}" for end in (cell.low, cell.high))
    return "-".join(end[1:] if end.startswith("0") else end for end in (low, high))


def mark(cell: Cell, table: Table) -> str:
    """The letter of a missing number's reason; empty where there is none."""
    reasons = table.reasons()
    if not math.isnan(cell.value) or cell.reason not in reasons:
        return ""
    place = reasons.index(cell.reason)
    return f"[{_MARKS[place]}]" if place < len(_MARKS) else ""


def said_below(table: Table) -> list[str]:
    """The sentences under the table: images, comparison, notes, and a line per reason."""
    reasons = [f"[{mark}] {reason}." for mark, reason in zip(_MARKS, table.reasons(), strict=False)]
    return [f"Ours: {table.computed_on}", table.comparable, *table.notes, *reasons]


def _grid_of(table: Table) -> Grid:
    return _tall(table) if table.tall else _wide(table)


def _with_words(table: Table, grid: Grid) -> RenderableType:
    lines = said_below(table)
    below = [
        Text(lines[0]),
        Text(lines[1], style="bold"),
        *(Text(line, "dim") for line in lines[2:]),
    ]
    title = Text(table.title, style="bold cyan")
    return Padding(Group(title, grid, *below), (1, 0, 1, 0))


def print_tables(tables: list[Table], console: Console) -> None:
    """Print every table."""
    own_width = console.width
    for table in tables:
        grid = _grid_of(table)
        # A table that is wider than the terminal runs over its edge: no number is cut off.
        needed = Console(width=_ANY_WIDTH).measure(grid)
        console.width = own_width if needed.minimum < own_width else needed.maximum
        console.print(_with_words(table, grid))
        console.width = own_width


def _grid() -> Grid:
    return Grid(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")


def _wide(table: Table) -> Grid:
    grid = _grid()
    grid.add_column("", min_width=_NAME_WIDTH)
    grid.add_column("", min_width=_NAME_WIDTH if any(row.name for row in table.rows) else 0)
    for column in table.columns:
        grid.add_column(_SHORT.get(column, column), justify="right", no_wrap=True)
    several = len({row.group for row in table.rows}) < len(table.rows) - 1
    for place, row in enumerate(table.rows):
        first = place == 0 or table.rows[place - 1].group != row.group
        last = several and _ends_group(table, place)
        cells = [_rich_cell(row.cells.get(column), row, table) for column in table.columns]
        name = Text(row.name, style=_STYLES[row.origin])
        grid.add_row(Text(row.group if first else ""), name, *cells, end_section=last)
    return grid


def _ends_group(table: Table, place: int) -> bool:
    after = table.rows[place + 1 : place + 2]
    return not after or after[0].group != table.rows[place].group


def _tall(table: Table) -> Grid:
    grid = _grid()
    grid.add_column("", no_wrap=True)
    for row in table.rows:
        heading = Text(f"{row.group}\n{row.name}", style=_STYLES[row.origin])
        grid.add_column(heading, justify="right")
    for column in table.columns:
        cells = [_rich_cell(row.cells.get(column), row, table, line=True) for row in table.rows]
        grid.add_row(Text(_word(column)), *cells)
    return grid


def _rich_cell(cell: Cell | None, row: Row, table: Table, *, line: bool = False) -> Text:
    if cell is None:
        return Text("")
    text = Text(number(cell, row) + mark(cell, table), style=_STYLES[row.origin])
    if spread := interval(cell):
        text.append(f"  {spread}" if line else f"\n{spread}", style="dim")
    return text


def _word(column: str) -> str:
    return display(column) if column in FINDINGS else column


def markdown(table: Table, *, figure: str = "") -> str:
    """The table as a section of Markdown; `figure` is the PNG's name beside it."""
    lines = [f"## {table.title}", "", *_markdown_grid(table), ""]
    lines += [line for sentence in said_below(table) for line in (sentence, "")]
    if figure:
        lines += [f"![{table.title}]({figure})", ""]
    return "\n".join(lines)


def _markdown_grid(table: Table) -> list[str]:
    if table.tall:
        head = ["", *(f"{row.group}: {row.name}".rstrip(": ") for row in table.rows)]
        body = [
            [
                _word(column),
                *(_markdown_cell(row.cells.get(column), row, table) for row in table.rows),
            ]
            for column in table.columns
        ]
    else:
        head = ["", "", *(_word(column) for column in table.columns)]
        body = [
            [row.group, row.name]
            + [_markdown_cell(row.cells.get(column), row, table) for column in table.columns]
            for row in table.rows
        ]
    text = 1 if table.tall else 2
    rule = ["---"] * text + ["--:"] * (len(head) - text)
    return ["| " + " | ".join(cells) + " |" for cells in (head, rule, *body)]


def _markdown_cell(cell: Cell | None, row: Row, table: Table) -> str:
    if cell is None:
        return ""
    text = number(cell, row) + mark(cell, table)
    spread = interval(cell)
    return f"{text}<br>{spread}" if spread else text


def csv(table: Table) -> str:
    """One number a line: table, group, row, origin, column, value, low, high, count, reason."""
    rows = [
        {"table": table.name, "group": row.group, "row": row.name, "origin": row.origin,
         "column": column, "value": cell.value, "low": cell.low, "high": cell.high,
         "count": cell.count, "reason": cell.reason}
        for row in table.rows
        for column in table.columns
        if (cell := row.cells.get(column)) is not None
    ]  # fmt: skip
    names = ["table", "group", "row", "origin", "column", "value", "low", "high", "count", "reason"]
    frame = pd.DataFrame(rows, columns=names).astype({"count": "Int64"})
    return frame.to_csv(index=False, lineterminator="\n")
