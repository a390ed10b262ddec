"""CSV in and out: rows that know their file and number, and the same bytes for the same table.

A row that is cut short, a cell that is no number, a name that is there twice: each is a `BadInput`
that names file and row. What is merely implausible (an age of 413) passes; validation judges it.
"""

import csv
import gzip
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.findings import FINDINGS, NO_FINDING, find, unknown_label

MOST_NUMBER = 1_000_000
"""The largest number in a table: of a visit, or of pixels."""
MOST_YEARS = 1_000
"""The largest age that is read; from 120 on (`validation.age_years_max`) it is questioned."""

_PIECE_BYTES = 1 << 20
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([YMWD]?)")
_PER_YEAR = {"": 1.0, "Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}


@dataclass(frozen=True)
class Row:
    """One row of a table, with the file and line that messages name."""

    path: Path
    line: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        """`FILE, row LINE`."""
        return f"{self.path}, row {self.line:,}"

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str | None) -> str:
        """The cell of a column that may not be there (then empty)."""
        return self.cells.get(column, "") if column is not None else ""


def read_rows(path: Path, *, need: Iterable[str] = ()) -> list[Row]:
    """Every row of a CSV file (`.gz` too) with a header.

    Columns without a name may be missing at the end of a row, as in NIH's tables.

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        need: columns that must be there.

    Raises:
        BadInput: no such file or column, a column twice, a row cut short or too long, not CSV, not
            UTF-8, more than `artifacts.MOST_ROWS` rows.
    """
    refuse_special(path)
    _refuse_endless(path)
    lines = _lines(path)
    _, header = next(lines, (0, []))
    header = [name.strip() for name in header]
    _refuse_header(path, header)
    missing = [name for name in need if name not in header]
    if missing:
        raise BadInput(
            f"{path}: no column {missing[0]!r}; its header has {', '.join(header) or 'nothing'}"
        )
    width = max((place for place, name in enumerate(header, 1) if name), default=0)
    return [
        Row(path, line, _cells(path, line, cells, header[:width])) for line, cells in lines if cells
    ]


def _refuse_endless(path: Path) -> None:
    """Refuse a file of absurdly many lines before rows are made of it: each takes a kilobyte."""
    opened = gzip.open if path.suffix == ".gz" else open
    lines = 0
    with suppress(OSError, EOFError, zlib.error), opened(path, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            lines += piece.count(b"\n")
            if lines > artifacts.MOST_ROWS:
                raise BadInput(
                    f"{path}, row {artifacts.MOST_ROWS + 1:,}: more rows than any collection of "
                    "chest X-rays has; nothing of it was read"
                )


def _refuse_header(path: Path, header: list[str]) -> None:
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise BadInput(f"{path}, row 1: column {twice[0]!r} stands twice; rename or remove one")
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise BadInput(f"{path}, row 1: cells are not separated by commas ({header[0][:60]!r})")


def _cells(path: Path, line: int, cells: list[str], header: list[str]) -> dict[str, str]:
    if len(cells) < len(header) or any(cells[len(header) :]):
        raise BadInput(
            f"{path}, row {line:,}: {len(cells)} cells where the header has {len(header)}; "
            "the file is cut short or broken: fetch it again"
        )
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False)}


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    line = 0
    try:
        with open_text(path) as file:
            reader = csv.reader(artifacts.bounded_lines(file, path), strict=True)
            for cells in reader:
                line = reader.line_num
                yield line, cells
    except FileNotFoundError:
        raise BadInput(f"{path} is missing") from None
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path}, line {_undecodable_line(path):,}: not UTF-8 ({error.reason}): save it so"
        ) from None
    except csv.Error as error:
        if "field limit" in str(error):
            raise BadInput(
                f"{path}, row {line + 1:,}: a cell of more than {artifacts.LONGEST_CELL:,} "
                "characters is no report: shorten or remove it (or a quote is missing)"
            ) from None
        raise BadInput(_not_whole(path, line, error)) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(_not_whole(path, line, error)) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror})") from None


def _not_whole(path: Path, line: int, error: Exception) -> str:
    return f"{path}, after row {line:,}: not a whole CSV file ({error}): fetch it again"


def _undecodable_line(path: Path) -> int:
    """The first line that is not UTF-8, counted from 1; the decoder stops up to 8 kB before it."""
    good = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for line in file:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
            good += 1
    return good + 1


def open_text(path: Path) -> TextIO:
    """Open a text file, gzipped or not, as UTF-8."""
    refuse_special(path)
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def number(text: str, where: str, what: str, *, most: float = MOST_NUMBER) -> float:
    """A number from a cell, finite and not beyond `most` on either side."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"{where}: {what} is {text!r}, not a number")
    if abs(value) > most:
        raise BadInput(f"{where}: {what} is {text!r}; expected at most {most:,.0f}")
    return value


def whole_number(text: str, where: str, what: str) -> int | None:
    """A whole number from 0 on, `2` or `2.0`; None for an empty cell."""
    if not text:
        return None
    value = number(text, where, what)
    if value < 0 or value % 1:
        raise BadInput(f"{where}: {what} is {text!r}; expected a whole number from 0 on")
    return int(value)


def age_years(text: str, where: str) -> float | None:
    """An age in years: `57`, `058Y`, `013M`, `001D` (DICOM's age strings), or empty for unknown."""
    if not text:
        return None
    match = _AGE.fullmatch(text.upper())
    if match is None:
        raise BadInput(f"{where}: age {text!r} is not a number of years (57, 057Y, 013M)")
    years = round(float(match[1]) / _PER_YEAR[match[2]], 2)
    if years > MOST_YEARS:
        raise BadInput(f"{where}: age {text[:40]!r} is more than {MOST_YEARS:,} years")
    return years


def finding_names(
    labels: Iterable[str], where: str, names: dict[str, str] | None = None
) -> list[str]:
    """The findings that `labels` name, in the vocabulary's order and once each.

    Args:
        labels: names as the table writes them, in any case; empty ones are skipped.
        where: opens the message of an error.
        names: other spellings and the findings that they mean (`A|B` for several, empty for none).
    """
    found: set[str] = set()
    for label in filter(None, (label.strip() for label in labels)):
        spelling = find(label, names or {})
        for each in filter(None, (names[spelling] if names and spelling else label).split("|")):
            finding = find(each)
            if finding is None:
                raise BadInput(f"{where}: {unknown_label(label, (*FINDINGS, NO_FINDING))}")
            found.add(finding)
    return [finding for finding in FINDINGS if finding in found]


def refuse_duplicates(rows: Iterable[Row], key: Callable[[Row], str], what: str) -> None:
    """Raise `BadInput` with both rows when two rows have the same key."""
    seen: dict[str, Row] = {}
    for row in rows:
        first = seen.setdefault(key(row), row)
        if first is not row:
            raise BadInput(
                f"{row.where}: {what} {key(row)!r} stands in row {first.line:,} already; remove one"
            )


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table: UTF-8, `\\n`, whole numbers without a point, nothing for what is missing."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        columns = [[_text(value) for value in table[name].tolist()] for name in table.columns]
        writer.writerows(zip(*columns, strict=True))


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    # The writer leaves a lone \r unquoted, and readers would take it for the end of the row.
    return str(value).replace("\r\n", "\n").replace("\r", "\n")
