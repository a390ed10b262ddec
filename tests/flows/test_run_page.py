"""What Prefect's page of a run shows: tables of few digits, what failed first, links by http."""

from typing import Any

import pytest

from flows import run_page


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


PAGE = "http://127.0.0.1:4201/run/validation/summary.html"


def test_label_quality_counts_names_and_links(verdict: dict[str, Any]) -> None:
    lines = run_page.label_quality(verdict, PAGE).splitlines()
    assert lines[0] == "# Label quality: accept until 2027-01-31"
    assert lines[1] == "2 of 3 checks failed."
    assert lines[5] == "| waived | entries | the age is right | 1 of 42 | it matters |"
    assert lines[6] == "| warning | entries | the view is PA | 1 of 42 | it matters |"
    assert "- A Reader accepts entries: the age is right until 2027-01-31: typos" in lines
    assert f"({PAGE})" in lines[-1]


def test_label_quality_without_a_failure_has_no_table() -> None:
    clean = {"verdict": "accept", "valid_until": None, "checks": [], "waivers": []}
    assert "|" not in run_page.label_quality(clean, PAGE)


def test_a_bar_in_a_value_does_not_break_the_table(verdict: dict[str, Any]) -> None:
    verdict["checks"] = [check("findings", "warning", observed="Mass|Nodule")]
    assert "Mass\\|Nodule" in run_page.label_quality(verdict, PAGE)


def test_rules_have_three_digits() -> None:
    rule = {"rule": "mean_auc min 0.3", "finding": "Pleural_Thickening", "compared": 0.4777876604,
            "comparison": "low end",
            "bound": 0.3, "verdict": "pass", "reason": "It is."}  # fmt: skip
    unknown = {**rule, "finding": "", "compared": None, "comparison": "value", "bound": None}
    first, second = run_page.rules({"rules": [rule, unknown]})
    assert first["compared"] == "0.478 (low end)"
    assert first["bound"] == "0.300"
    assert first["finding"] == "Pleural thickening"
    assert (second["compared"], second["bound"], second["finding"]) == ("", "", "")


def test_scores_have_intervals_where_there_are_some() -> None:
    mean = {"findings": 1, "auc_score": 0.81234, "auc_low": 0.7, "auc_high": 0.9}
    mass = {"auc_score": 1.0, "auc_low": None, "auc_high": None, "positives": 1}
    none = {"auc_score": None, "auc_low": None, "auc_high": None, "positives": 0}
    rows = run_page.scores({"findings": {"Mass": mass, "Hernia": none}, "mean": mean})
    assert rows[0] == {
        "finding": "Mass", "AUC": "1.000", "interval": "not estimable", "positives": "1"
    }  # fmt: skip
    assert rows[1]["AUC"] == ""
    assert rows[-1] == {
        "finding": "mean of 1", "AUC": "0.812", "interval": "0.700 to 0.900", "positives": ""
    }  # fmt: skip
