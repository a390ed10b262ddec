"""What Prefect shows of the verdict: counts, what failed with critical first, waivers, the page."""

from pathlib import Path
from typing import Any

import pytest

from flows.label_validation import markdown


def check(name: str, severity: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "table": "entries", "severity": severity, "success": False,
            "observed": "1 of 42", "reason": "it matters", "waiver": None, **changes}  # fmt: skip


@pytest.fixture
def verdict() -> dict[str, Any]:
    waiver = {"reason": "typos", "person": "A Reader", "expires": "2027-01-31"}
    return {
        "verdict": "accept",
        "valid_until": "2027-01-31",
        "checks": [
            check("the view is PA", "warning"),
            check("the age is right", "critical", waiver=waiver),
            check("unique", "critical", success=True),
        ],
        "waivers": [{"expectation": "entries: the age is right", "used": True, **waiver}],
    }


def test_it_counts_names_and_links(verdict: dict[str, Any]) -> None:
    said = markdown(verdict, Path("/x/artifacts/validation/docs/summary.html")).splitlines()
    assert said[0] == "# Label quality: accept until 2027-01-31"
    assert said[1] == "2 of 3 checks do not hold."
    assert said[3].startswith("- waived: entries: does not hold: the age is right (found 1 of 42)")
    assert said[4].startswith("- warning: entries: does not hold: the view is PA")
    assert "- A Reader accepts entries: the age is right until 2027-01-31: typos" in said
    assert said[-1].endswith("(file:///x/artifacts/validation/docs/summary.html)")


def test_without_a_failure_it_says_so(verdict: dict[str, Any]) -> None:
    clean = {"verdict": "accept", "valid_until": None, "checks": [], "waivers": []}
    assert "Every expectation holds." in markdown(clean, Path("/x/summary.html"))
