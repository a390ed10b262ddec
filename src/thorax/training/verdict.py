"""The validation stage's verdict, read before anything is trained: no yes, no model.

A verdict that rests on a dated waiver carries `valid_until`; after that day (UTC) it is void.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from thorax import artifacts, validity
from thorax.errors import Refused


def require_yes(path: Path, *, now: datetime) -> None:
    """Raise `Refused` unless the verdict at `path` accepts the data at the moment `now`.

    Args:
        path: `artifacts/validation/verdict.json`.
        now: the present, with its time zone.
    """
    verdict = validity.require_whole(artifacts.read_json(path), str(path))
    if verdict["verdict"] == "refuse":
        raise Refused(
            f"validation refused the data ({_why(verdict)}): see {path}; nothing is trained"
        )
    until = verdict.get("valid_until")
    if validity.ended(until, now=now, where=str(path)):
        raise Refused(
            f"the verdict in {path} rested on a waiver that ended on {until}: mend the data or "
            "renew the waiver, and run validation again; nothing is trained"
        )


def _why(verdict: dict[str, Any]) -> str:
    failed = [str(check["name"]) for check in validity.refusing(verdict)]
    if not failed:
        return "no check is named"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return f"{failed[0]}{more} failed"
