"""The verdict: refuse when a critical check failed, accept otherwise; and how it is said."""

from dataclasses import asdict
from typing import Any

from validation.checks import Outcome


def judge(outcomes: list[Outcome]) -> dict[str, Any]:
    """The content of `verdict.json`."""
    failed = {
        severity: sum(not item.success and item.severity == severity for item in outcomes)
        for severity in ("critical", "warning")
    }
    return {
        "verdict": "refuse" if failed["critical"] else "accept",
        "checks": [asdict(item) for item in outcomes],
        "failed": failed,
        "valid_until": None,
    }


def lines(outcomes: list[Outcome]) -> list[str]:
    """What a person reads: the failed checks, critical first, with the first offending row."""
    failed = sorted((item for item in outcomes if not item.success), key=lambda i: i.severity)
    said = [
        f"  {item.severity}: {item.table}: does not hold: {item.name}; found {item.observed}"
        f"{_first(item)}; why it matters: {item.reason}"
        for item in failed
    ]
    word = "refused" if any(item.severity == "critical" for item in failed) else "accepted"
    return [f"{len(outcomes)} checks, {len(failed)} failed: the data is {word}", *said]


def _first(item: Outcome) -> str:
    if not item.rows:
        return ""
    return ", first " + ", ".join(f"{key} {value}" for key, value in item.rows[0].items())
