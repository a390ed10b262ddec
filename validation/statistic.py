"""A number about a whole table, with its bounds, as a column that an ordinary expectation checks.

The library has no expectation for rules that span rows (a patient in two splits); so they are
counted in pandas, and the counts are judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from validation.checks import Check, Row, Severity, Table


@dataclass(frozen=True)
class Statistic:
    """A number with its bounds.

    Attributes:
        name: what should be so.
        column: what the number is called in the table.
        value: the number.
        severity, reason: of the check.
        low, high: the bounds, both allowed; None for none.
        rows: the first offenders behind the number.
        not_applicable: why there is no such number here.
    """

    name: str
    column: str
    value: float
    severity: Severity
    reason: str
    low: float | None = None
    high: float | None = None
    rows: tuple[Row, ...] = ()
    not_applicable: str = ""


def table(name: str, statistics: Iterable[Statistic]) -> Table:
    """A table of one row with a column per number, and its suite."""
    numbers = tuple(statistics)
    frame = pd.DataFrame([{number.column: number.value for number in numbers}])
    return Table(name, frame, (), tuple(_check(number) for number in numbers))


def rows(frame: pd.DataFrame, named: int) -> tuple[Row, ...]:
    """The first rows of `frame` as an outcome names them."""
    return tuple(
        {str(key): value for key, value in row.items()}
        for row in frame.head(named).to_dict("records")
    )


def _check(number: Statistic) -> Check:
    bounds: dict[str, Any] = {"column": number.column}
    if number.low is not None:
        bounds["min_value"] = number.low
    if number.high is not None:
        bounds["max_value"] = number.high
    return Check(
        number.name,
        "ExpectColumnMaxToBeBetween",
        bounds,
        number.severity,
        number.reason,
        number.rows,
        offenders=int(number.value) if number.rows else 0,
        not_applicable=number.not_applicable,
    )
