"""What a verdict on the data rests on, and when it ends: the one reading of it for later stages.

A waiver accepts one failed critical check until a day; the verdict then carries `valid_until`. A
day counts to its end in UTC; a moment without a time zone is UTC. Reads no file.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from thorax.errors import BadInput

_OF_A_CHECK = frozenset({"name", "success", "severity"})
_OF_A_WAIVER = frozenset({"expectation", "person", "reason", "expires", "used"})


def require_whole(content: Any, where: str) -> dict[str, Any]:
    """The content of a `verdict.json`, when it is one and does not contradict itself.

    Whoever edits the word `refuse` by hand leaves the failed checks behind.

    Raises:
        BadInput: it is no verdict, or accepts what its own checks refuse; the message opens with
            `where`.
    """
    again = "run the stage that wrote it again"
    answer = content.get("verdict") if isinstance(content, dict) else None
    if answer not in ("accept", "refuse"):
        raise BadInput(f"{where}: verdict is {answer!r}, not accept or refuse: {again}")
    for part, needed in (("checks", _OF_A_CHECK), ("waivers", _OF_A_WAIVER)):
        items = content.get(part, [])
        if not isinstance(items, list) or not all(_has(item, needed) for item in items):
            raise BadInput(f"{where}: {part} are not as validation writes them: {again}")
    failed = refusing(content) if answer == "accept" else []
    if failed:
        raise BadInput(
            f"{where}: it says accept, but {failed[0]['name']!r} failed and no waiver accepts "
            f"that, so it was changed by hand: {again}"
        )
    if waivers(content) and content.get("valid_until") is None:
        raise BadInput(f"{where}: it rests on a waiver and has no valid_until: {again}")
    return dict(content)


def _has(item: Any, keys: frozenset[str]) -> bool:
    return isinstance(item, dict) and keys <= set(item)


@dataclass(frozen=True)
class Counts:
    """How many checks hold, fail, and say nothing about this data (`not evaluated`)."""

    hold: int
    failed: int
    not_evaluated: int

    @property
    def evaluated(self) -> int:
        """How many checks could be made."""
        return self.hold + self.failed

    @property
    def apart(self) -> str:
        """The last part of a sentence: `, 3 not evaluated`; empty where all were."""
        return f", {self.not_evaluated} not evaluated" if self.not_evaluated else ""


def count(checks: Iterable[Mapping[str, Any]]) -> Counts:
    """Count the checks of a verdict; what could not be evaluated is no check that holds."""
    kinds = [
        "not evaluated" if not check.get("applicable", True)
        else "hold" if check["success"] else "failed"
        for check in checks
    ]  # fmt: skip
    return Counts(*(kinds.count(kind) for kind in ("hold", "failed", "not evaluated")))


def ended(valid_until: Any, *, now: datetime, where: str) -> bool:
    """Whether a verdict is void at the moment `now`; one without a date (None) never is.

    Raises:
        BadInput: `valid_until` is no date; the message opens with `where`.
    """
    return valid_until is not None and now > _end(str(valid_until), where)


def waivers(verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The waivers that it rests on, each with `expectation, reason, person, expires`."""
    used = [item for item in verdict.get("waivers", []) if item["used"]]
    return [{key: value for key, value in item.items() if key != "used"} for item in used]


def refusing(verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The failed critical checks that no waiver accepts."""
    return [
        check
        for check in verdict.get("checks", [])
        if not check["success"] and check["severity"] == "critical" and not check.get("waiver")
    ]


def _end(until: str, where: str) -> datetime:
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(until), time.max, UTC)
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        raise BadInput(
            f"{where}: valid_until {until!r} is no date: run the stage that wrote it again"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
