"""Waivers: a named person accepts one failed critical check until a date.

They stand in `params.yaml: validation.waivers`. A waiver is applied whatever the day is, so that
the same inputs give the same verdict; the verdict then carries the day until which it holds, and
whoever reads it later refuses it (`thorax.validity`). Judges nothing itself.
"""

import difflib
from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import field_validator

from thorax.config import Config
from thorax.errors import BadInput
from validation.checks import COLUMNS_THERE, Outcome


class Waiver(Config):
    """One accepted failure."""

    expectation: str
    """The check as the verdict names it: `TABLE: NAME`."""
    reason: str
    """Why the data is used all the same; it is printed wherever the verdict is."""
    person: str
    """Who accepts it."""
    expires: str
    """The last day on which it counts, YYYY-MM-DD in UTC, in quotes."""

    @field_validator("reason", "person")
    @classmethod
    def _is_said(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a waiver says why and who: this must not be empty")
        return value

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_day(cls, value: object) -> object:
        try:
            if isinstance(value, str) and date.fromisoformat(value).isoformat() == value:
                return value
        except ValueError:
            pass
        raise ValueError('expires must be a day in quotes, as "2027-01-31"')


def name_of(outcome: Outcome) -> str:
    """How a waiver names a check."""
    return f"{outcome.table}: {outcome.name}"


def match(outcomes: Sequence[Outcome], waivers: Sequence[Waiver]) -> dict[str, Waiver]:
    """The waivers that are needed, by the name of the failed critical check that they accept.

    Raises:
        BadInput: two waivers for one check, or one for a check that there is not. Where a table
            lacks columns some checks cannot be made, and a waiver for one of those is no error.
    """
    known = {name_of(outcome): outcome for outcome in outcomes}
    cut = any(item.name == COLUMNS_THERE and not item.success for item in outcomes)
    needed: dict[str, Waiver] = {}
    seen: set[str] = set()
    for waiver in waivers:
        if waiver.expectation in seen:
            raise BadInput(f"{_WHERE}: two waivers for {waiver.expectation!r}: keep one")
        seen.add(waiver.expectation)
        outcome = known.get(waiver.expectation)
        if outcome is None and not cut:
            raise BadInput(_unknown(waiver, list(known)))
        if outcome is not None and not outcome.success and outcome.severity == "critical":
            needed[waiver.expectation] = waiver
    return needed


def entries(waivers: Sequence[Waiver], needed: dict[str, Waiver]) -> list[dict[str, Any]]:
    """Every waiver as the verdict lists it; `used` says whether it was needed."""
    return [{**item.model_dump(), "used": item.expectation in needed} for item in waivers]


_WHERE = "params.yaml: validation.waivers"


def _unknown(waiver: Waiver, known: list[str]) -> str:
    close = difflib.get_close_matches(waiver.expectation, known, n=1, cutoff=0.4)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return (
        f"{_WHERE}: no check is called {waiver.expectation!r}{hint} "
        "(TABLE: NAME, as in artifacts/validation/verdict.json)"
    )
