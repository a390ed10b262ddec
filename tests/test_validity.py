from datetime import UTC, datetime

import pytest

from thorax.errors import BadInput
from thorax.validity import ended, refusing, waivers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("valid_until", "expected"),
    [
        (None, False),
        ("2026-02-28", True),
        ("2026-03-01", False),  # a day counts to its end
        ("20260301", False),
        ("2026-03-01T11:59:00+00:00", True),
        ("2026-03-01T12:00:00", False),  # without a zone it is UTC
        ("2026-03-01T12:30:00+01:00", True),
    ],
)
def test_a_verdict_ends_when_its_date_has_passed(valid_until: str | None, expected: bool) -> None:
    assert ended(valid_until, now=NOON, where="verdict.json") is expected


@pytest.mark.parametrize("valid_until", ["soon", "2026-02-30", 1.5])
def test_what_is_no_date_is_named_with_its_place(valid_until: object) -> None:
    with pytest.raises(BadInput, match=r"verdict\.json: valid_until"):
        ended(valid_until, now=NOON, where="verdict.json")


def check(name: str, **changes: object) -> dict[str, object]:
    return {"name": name, "success": False, "severity": "critical", "waiver": None, **changes}


def test_only_critical_failures_that_nobody_accepts_refuse() -> None:
    accepted = {"person": "A Reader", "reason": "typos", "expires": "2026-03-01"}
    checks = [check("leak"), check("age", waiver=accepted), check("view", severity="warning"),
              check("unique", success=True)]  # fmt: skip
    assert [item["name"] for item in refusing({"checks": checks})] == ["leak"]


def test_only_waivers_that_were_needed_count() -> None:
    waiver = {"expectation": "a: b", "reason": "r", "person": "p", "expires": "2026-03-01"}
    verdict = {"waivers": [{**waiver, "used": True}, {**waiver, "used": False}]}
    assert waivers(verdict) == [waiver]
    assert waivers({"verdict": "accept"}) == []
