"""The verdict: refuse when a critical check failed that no waiver accepts, accept otherwise.

Also how it is said in plain lines. Knows no clock: a verdict that rests on waivers carries
`valid_until`, the first day on which one of them ends, and its readers refuse it after that day.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from thorax import validity
from validation import waivers as waiving
from validation.checks import Outcome
from validation.waivers import Waiver

Verdict = dict[str, Any]
"""The content of `verdict.json`."""


def judge(outcomes: Sequence[Outcome], waivers: Sequence[Waiver] = ()) -> Verdict:
    """The verdict over all outcomes.

    Args:
        outcomes: of every check.
        waivers: from the settings.

    Returns:
        `verdict` (accept or refuse); `checks`, each with the waiver that accepts its failure or
        None; `failed`, how many checks of each severity failed and are not waived; `waivers`, each
        with whether it was needed; `valid_until`, the last day of an accepting verdict that rests
        on waivers, or None.

    Raises:
        BadInput: a waiver names no check, or two name the same.
    """
    needed = waiving.match(outcomes, waivers)
    checks = [{**asdict(item), "waiver": _waiver(item, needed)} for item in outcomes]
    failed = {
        severity: sum(_counts(check) and check["severity"] == severity for check in checks)
        for severity in ("critical", "warning")
    }
    ends = [] if failed["critical"] else [waiver.expires for waiver in needed.values()]
    return {
        "verdict": "refuse" if failed["critical"] else "accept",
        "checks": checks,
        "failed": failed,
        "waivers": waiving.entries(waivers, needed),
        "valid_until": min(ends, default=None),
    }


def lines(verdict: Verdict) -> list[str]:
    """What a person reads: the failed checks, critical first, with the first offending row."""
    failed = failures(verdict)
    word = "refused" if verdict["verdict"] == "refuse" else "accepted"
    until = f", until {verdict['valid_until']}" if verdict["valid_until"] else ""
    counts = validity.count(verdict["checks"])
    counted = f"{counts.evaluated} checks, {counts.failed} failed{counts.apart}"
    head = f"{counted}: the data is {word}{until}"
    said = [
        f"  {kind(check)}: {check['table']}: does not hold: {check['name']}; "
        f"found {check['observed']}{_first(check)}; why it matters: {check['reason']}"
        for check in failed
    ]
    return [head, *said, *(f"  {line}" for line in waiver_lines(verdict))]


def failures(verdict: Verdict) -> list[dict[str, Any]]:
    """The failed checks: critical, then waived, then warnings; each group as it was checked."""
    order = ("critical", "waived", "warning")
    failed = [check for check in verdict["checks"] if not check["success"]]
    return sorted(failed, key=lambda check: order.index(kind(check)))


def kind(check: dict[str, Any]) -> str:
    """What a failed check is: critical, waived or warning."""
    return "waived" if check["waiver"] else str(check["severity"])


def waiver_lines(verdict: Verdict) -> list[str]:
    """One line for each waiver: what it accepts, or that it was not needed."""
    return [
        f"waiver: {item['person']} accepts {item['expectation']!r} until {item['expires']}: "
        f"{item['reason']}"
        if item["used"]
        else f"warning: the waiver of {item['person']} for {item['expectation']!r} was not needed: "
        "that check holds, is no critical one, or could not be made; take the waiver out"
        for item in verdict["waivers"]
    ]


def _waiver(outcome: Outcome, needed: dict[str, Waiver]) -> dict[str, str] | None:
    waiver = needed.get(waiving.name_of(outcome))
    return None if waiver is None else waiver.model_dump(exclude={"expectation"})


def _counts(check: dict[str, Any]) -> bool:
    return not check["success"] and check["waiver"] is None


def _first(check: dict[str, Any]) -> str:
    if not check["rows"]:
        return ""
    said = (f"{key} {value}" for key, value in check["rows"][0].items() if value != "")
    return ", first " + ", ".join(said)
