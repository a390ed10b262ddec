"""When a dated verdict ends: the one reading of `valid_until`.

A day counts to its end in UTC; a moment without a time zone is UTC.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any

from thorax.errors import BadInput


def ended(valid_until: Any, *, now: datetime, where: str) -> bool:
    """Whether a verdict is void at the moment `now`; one without a date (None) never is.

    Raises:
        BadInput: `valid_until` is no date; the message opens with `where`.
    """
    return valid_until is not None and now > _end(str(valid_until), where)


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
