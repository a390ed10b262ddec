"""What a check is: an expectation of Great Expectations as plain data, with severity and reason.

The suites build checks without importing the library, which takes seconds; `runner` translates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

Severity = Literal["critical", "warning"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """One rule about a table.

    Attributes:
        name: what should be so, unique within its table.
        expectation: class name in `great_expectations.expectations`.
        arguments: its arguments.
        severity: a failed critical check refuses the data, a failed warning is only said.
        reason: what the check protects from.
        rows: the first offenders, where the table itself cannot name them (statistics).
        offenders: how many there are then.
        not_applicable: why the rule says nothing about this data; it is then not evaluated, and
            counts neither as holding nor as failed.
    """

    name: str
    expectation: str
    arguments: Mapping[str, Any]
    severity: Severity
    reason: str
    rows: tuple[Row, ...] = ()
    offenders: int = 0
    not_applicable: str = ""


@dataclass(frozen=True)
class Table:
    """A table and its suite.

    Attributes:
        name: as in the verdict.
        frame: the rows.
        names_rows: the columns that name a row to a person.
        checks: the suite.
    """

    name: str
    frame: pd.DataFrame
    names_rows: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a check; the verdict's entry, field by field."""

    name: str
    table: str
    severity: Severity
    success: bool
    observed: Any
    unexpected_count: int
    reason: str
    rows: tuple[Row, ...] = field(default_factory=tuple)
    applicable: bool = True


COLUMNS_THERE = "all columns are there"
"""The name of the check that every suite begins with."""


def has_columns(columns: tuple[str, ...]) -> Check:
    """The check that every suite begins with: all of `columns` are there, others may be too."""
    return Check(
        COLUMNS_THERE,
        "ExpectTableColumnsToMatchSet",
        {"column_set": list(columns), "exact_match": False},
        "critical",
        "a table without its columns was written by something else, or cut",
    )


def says_nothing(
    name: str, column: str, severity: Severity, reason: str, not_applicable: str = ""
) -> Check:
    """A check that a helper column, which names what is wrong, is empty."""
    return Check(
        name,
        "ExpectColumnValuesToBeInSet",
        {"column": column, "value_set": [""]},
        severity,
        reason,
        not_applicable=not_applicable,
    )
