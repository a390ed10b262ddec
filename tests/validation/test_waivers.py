"""A waiver accepts one failed critical check until its day, and is named in the verdict."""

from pathlib import Path

import pytest

from thorax import config
from thorax.errors import BadInput
from validation import verdict
from validation.checks import COLUMNS_THERE, Outcome, Severity
from validation.settings import ValidationConfig
from validation.waivers import Waiver

AGE = "the age lies between 0 and 120 years"
LEAK = "no patient is in two splits"


def outcome(
    name: str, *, success: bool = False, severity: Severity = "critical", table: str = "entries"
) -> Outcome:
    return Outcome(name, table, severity, success, "1 of 42", int(not success), "it matters")


def waiver(expectation: str = f"entries: {AGE}", expires: str = "2027-01-31") -> Waiver:
    return Waiver(expectation=expectation, reason="typos", person="A Reader", expires=expires)


def test_a_waived_failure_no_longer_refuses_and_the_verdict_ends_with_the_waiver() -> None:
    answer = verdict.judge([outcome(AGE), outcome(LEAK, success=True)], [waiver()])
    assert (answer["verdict"], answer["valid_until"]) == ("accept", "2027-01-31")
    assert answer["failed"] == {"critical": 0, "warning": 0}
    assert answer["checks"][0]["success"] is False
    assert answer["checks"][0]["waiver"] == {
        "reason": "typos", "person": "A Reader", "expires": "2027-01-31",
    }  # fmt: skip
    assert answer["checks"][1]["waiver"] is None
    assert answer["waivers"][0]["used"] is True


def test_another_critical_failure_still_refuses() -> None:
    answer = verdict.judge([outcome(AGE), outcome(LEAK)], [waiver()])
    assert (answer["verdict"], answer["valid_until"]) == ("refuse", None)
    assert answer["failed"]["critical"] == 1


def test_the_first_waiver_to_end_ends_the_verdict() -> None:
    both = [waiver(), waiver(f"entries: {LEAK}", "2026-12-24")]
    assert verdict.judge([outcome(AGE), outcome(LEAK)], both)["valid_until"] == "2026-12-24"


def test_a_waiver_that_ended_long_ago_is_applied_so_that_its_readers_can_refuse_it() -> None:
    answer = verdict.judge([outcome(AGE)], [waiver(expires="2001-01-01")])
    assert (answer["verdict"], answer["valid_until"]) == ("accept", "2001-01-01")


@pytest.mark.parametrize(
    "held", [outcome(AGE, success=True), outcome(AGE, severity="warning")]
)  # fmt: skip
def test_a_waiver_that_is_not_needed_sets_no_end_and_is_said(held: Outcome) -> None:
    answer = verdict.judge([held], [waiver()])
    assert (answer["verdict"], answer["valid_until"]) == ("accept", None)
    assert answer["waivers"][0]["used"] is False
    assert "was not needed" in verdict.lines(answer)[-1]


def test_a_waiver_for_no_check_names_the_likely_one() -> None:
    wrong = waiver("entries: the age lies between 0 and 110 years")
    with pytest.raises(BadInput, match=rf"validation\.waivers: no check .* mean 'entries: {AGE}'"):
        verdict.judge([outcome(AGE)], [wrong])


def test_where_columns_are_missing_a_waiver_for_a_check_that_could_not_be_made_is_no_error() -> (
    None
):
    answer = verdict.judge([outcome(COLUMNS_THERE)], [waiver()])
    assert answer["verdict"] == "refuse"
    assert answer["waivers"][0]["used"] is False


def test_two_waivers_for_one_check_are_an_error() -> None:
    with pytest.raises(BadInput, match="two waivers"):
        verdict.judge([outcome(AGE)], [waiver(), waiver(expires="2028-01-01")])


def test_the_lines_begin_with_what_refuses_then_what_is_waived_then_warnings() -> None:
    warning = outcome("the view is PA", severity="warning")
    said = verdict.lines(verdict.judge([warning, outcome(AGE), outcome(LEAK)], [waiver()]))
    assert said[0] == "3 checks, 3 failed: the data is refused"
    assert verdict.lines(verdict.judge([outcome(AGE)], [waiver()]))[0].endswith(
        "the data is accepted, until 2027-01-31"
    )
    assert [line.split(":")[0].strip() for line in said[1:]] == [
        "critical", "waived", "warning", "waiver",
    ]  # fmt: skip
    assert f"A Reader accepts 'entries: {AGE}' until 2027-01-31: typos" in said[-1]


@pytest.mark.parametrize("expires", ["soon", "2027-02-30", "20270131", 20270131, None])
def test_an_end_that_is_no_day_is_named_with_what_to_write(expires: object) -> None:
    values = {"expectation": "a: b", "reason": "c", "person": "d", "expires": expires}
    with pytest.raises(BadInput, match=r'expires.*day in quotes, as "2027-01-31"'):
        config.parse(values, Waiver, "params.yaml: validation.waivers.0")


@pytest.mark.parametrize("missing", ["reason", "person"])
def test_a_waiver_needs_a_reason_and_a_person(missing: str) -> None:
    values = {"expectation": "a: b", "reason": "c", "person": "d", "expires": "2027-01-31"}
    with pytest.raises(BadInput, match=f"{missing}: .*must not be empty"):
        config.parse({**values, missing: " "}, Waiver, "params.yaml")


def test_a_bare_date_in_the_settings_is_refused_before_dvc_sees_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("validation:\n  waivers:\n  - {expires: 2027-01-31}\n")
    with pytest.raises(BadInput, match=r"params\.yaml.* put 2027-01-31 in quotes.*"):
        config.load("validation", ValidationConfig, path)
