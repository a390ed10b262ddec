"""Which columns of a table of reports hold the ids, the texts and the patients.

A table without ids gets row numbers, but only where its texts are certain: the text column is
named, or there is no other. Keeps the words of reports out of every message.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from thorax.errors import BadInput
from thorax.progress import say

_COLUMN_NAME = re.compile(r"[^\W\d]\w*(?:[ .-]\w+){0,2}")
# What the only column of a table may be called; anything else may be a report without a header.
_TEXT_NAME = re.compile(
    r"\w+|.*(?:text|report|note|narrative|finding|impression|conclusion|description|radiolog).*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Columns:
    """The columns that hold a report's id, its text and, where there is one, its patient.

    Attributes:
        report: None for `report`; where that is missing rows are numbered from 1, provided that
            `text` is given or that the table has a single column.
        text: None for `text`, or for the only column.
        patient: may be missing from the table.
    """

    report: str | None = None
    text: str | None = None
    patient: str = "patient"


class Places(NamedTuple):
    """Positions of the columns; None where rows are numbered, or where there is no patient."""

    report: int | None
    text: int
    patient: int | None


def find_places(path: Path, names: list[str], columns: Columns) -> Places:
    """Where the table at `path` with the header `names` holds ids, texts and patients.

    Raises:
        BadInput: a column is missing; it names the option that helps.
    """
    only = columns.text is None and len(names) == 1
    numbered = columns.report is None and "report" not in names
    if numbered and columns.text is None and not only:
        raise _missing(path, names, "report", "--report-column")
    text = columns.text or (names[0] if only and _TEXT_NAME.fullmatch(names[0]) else "text")
    for option, column in (
        ("--report-column", None if numbered else columns.report or "report"),
        ("--text-column", text),
    ):
        if column is not None and column not in names:
            raise _missing(path, names, column, option)
    if numbered:
        _say_numbered(path, [name for name in names if name != text])
    return Places(
        None if numbered else names.index(columns.report or "report"),
        names.index(text),
        names.index(columns.patient) if columns.patient in names else None,
    )


def _say_numbered(path: Path, others: list[str]) -> None:
    hint = f"; --report-column takes them from a column ({', '.join(others)})" if others else ""
    say(f"{path}: no column 'report', so report ids are row numbers{hint}")


def _missing(path: Path, names: list[str], column: str, option: str) -> BadInput:
    looks_named = all(map(_COLUMN_NAME.fullmatch, names))
    if not looks_named or (len(names) == 1 and not _TEXT_NAME.fullmatch(names[0])):
        return BadInput(  # the line may be a report: not to be shown
            f"{path}: no column {column!r}, and its first line does not look like column "
            f"names: write them above the rows, or name yours with {option}"
        )
    return BadInput(
        f"{path}: no column {column!r}; it has {', '.join(names) or 'none'}: "
        f"name yours with {option}"
    )
