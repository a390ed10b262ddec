"""A suite that failed stands out on the index, and its page says in plain words what failed."""

import html
import re
from pathlib import Path

import pytest

from validation import suites, verdict
from validation.checks import Outcome, Severity
from validation.waivers import Waiver

WAIVER = Waiver(expectation="boxes: inside", reason="old", person="A Reader", expires="2027-01-31")


def outcome(
    table: str, name: str, severity: Severity = "critical", *, held: bool = False
) -> Outcome:
    return Outcome(name, table, severity, held, "1 of 9", 1 - held, "it <b>matters</b>")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Pages of four suites: one holds, the others fail by a warning, a waived, a critical check."""
    for suite in ("agreement", "boxes", "entries", "labels"):
        for name in (
            f"validations/{suite}/validation/run/thorax.html",
            f"expectations/{suite}.html",
        ):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(
                "<html><head></head><body class='x'>the page</body></html>"
            )
    judged = verdict.judge(
        [
            outcome("agreement", "kappa", held=True), outcome("boxes", "inside"),
            outcome("boxes", "unique", held=True), outcome("labels", "mined", "warning"),
            outcome("entries", "age"), outcome("entries", "view", "warning"),
        ],
        (WAIVER,),
    )  # fmt: skip
    suites.frame(tmp_path, judged)
    return tmp_path


def words(path: Path) -> str:
    text = re.sub(r"<style>.*?</style>", "", path.read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_failed_suites_come_first_and_are_marked_with_the_gravest_of_their_checks(
    docs: Path,
) -> None:
    rows = re.findall(
        r'<tr(?: class="([a-z ]+)")?><td>(\w+)</td>', (docs / "index.html").read_text()
    )
    assert rows == [
        ("failed critical", "entries"), ("failed waived", "boxes"), ("failed warning", "labels"),
        ("", "agreement"),
    ]  # fmt: skip
    said = words(docs / "index.html")
    assert "✗ 2 of 2 failed: 1 critical, 1 warning" in said
    assert "✗ 1 of 2 failed: 1 waived" in said
    assert "✓ all 1 hold" in said


def test_the_pages_of_a_suite_begin_with_what_failed_in_it_and_in_it_alone(docs: Path) -> None:
    for suite in ("entries", "agreement"):
        for place in ("validations/{}/validation/run/thorax.html", "expectations/{}.html"):
            said, own = words(docs / place.format(suite)), suite == "entries"
            assert ("✗ critical : does not hold here: age; found 1 of 9" in said) is own
            assert ("✗ warning : does not hold here: view" in said) is own
            assert ("Why it matters: it <b>matters</b>." in said) is own
            assert "inside; found" not in said
            assert said.index("The data is refused") < said.index("the page")
    assert "does not hold here" not in words(docs / "index.html")


def test_predictions_have_an_index_of_their_own_and_no_summary(docs: Path) -> None:
    suites.frame(docs, verdict.judge([outcome("labels", "finite")]), subject="predictions")
    said = words(docs / "index.html")
    assert "The predictions are refused" in said
    assert "Summary" not in said
    assert "✗ 1 of 1 failed: 1 critical" in said
