from datetime import UTC, datetime

import pytest

from thorax import validity
from thorax.errors import BadInput
from thorax.validity import ended, refusing, require_whole, waivers

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


WAIVED = {
    "expectation": "a: b",
    "reason": "r",
    "person": "p",
    "expires": "2026-03-01",
    "used": True,
}


def test_a_verdict_that_agrees_with_itself_is_taken() -> None:
    for verdict in (
        {"verdict": "refuse", "checks": [check("leak")]},
        {"verdict": "accept", "checks": [check("view", severity="warning")], "waivers": []},
        {"verdict": "accept", "checks": [check("age", waiver={"person": "p"})],
         "waivers": [WAIVED], "valid_until": "2026-03-01"},
    ):  # fmt: skip
        assert require_whole(verdict, "verdict.json") == verdict


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "verdict is None"),
        ({"verdict": "accepted"}, "verdict is 'accepted', not accept or refuse"),
        ({"verdict": "accept", "checks": [check("leak")]}, "'leak' failed .* changed by hand"),
        ({"verdict": "accept", "checks": [{"name": "leak"}]}, "checks are not as validation"),
        ({"verdict": "accept", "checks": None}, "checks are not as validation"),
        ({"verdict": "accept", "waivers": None}, "waivers are not as validation"),
        ({"verdict": "accept", "waivers": ["x"]}, "waivers are not as validation"),
        ({"verdict": "accept", "waivers": [WAIVED]}, "no valid_until"),
    ],
)
def test_a_verdict_that_was_changed_by_hand_is_named(content: object, said: str) -> None:
    with pytest.raises(BadInput, match=f"verdict.json: .*{said}.*again"):
        require_whole(content, "verdict.json")


def test_a_check_that_was_not_evaluated_is_counted_apart() -> None:
    checks = [
        {"success": True, "applicable": True},
        {"success": False, "applicable": True},
        {"success": True, "applicable": False},
        {"success": True},
    ]
    counts = validity.count(checks)
    assert (counts.hold, counts.failed, counts.not_evaluated) == (2, 1, 1)
    assert (counts.evaluated, counts.apart) == (3, ", 1 not evaluated")
