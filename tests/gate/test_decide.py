from dataclasses import replace
from typing import Any

import pytest

from tests.gate.conftest import auc
from thorax.errors import BadInput
from thorax.gate.decide import Outcome, judge, overall
from thorax.gate.evidence import Evidence
from thorax.gate.rules import Rule


def outcomes(evidence: Evidence, *rules: dict[str, Any]) -> list[Outcome]:
    return judge(tuple(Rule(**rule) for rule in rules), evidence)


def verdict(evidence: Evidence, *rules: dict[str, Any]) -> str:
    return overall(outcomes(evidence, *rules))


@pytest.mark.parametrize(
    ("rule", "expected", "reason"),
    [
        ({"metric": "mean_auc", "min": 0.775}, "pass", "Mean AUC is 0.775, at least 0.775."),
        ({"metric": "mean_auc", "min": 0.78}, "fail", "Mean AUC is 0.775, below 0.78."),
        (
            {"metric": "mean_auc", "min_low": 0.7},
            "fail",
            "The lower end of mean AUC is 0.65, below 0.7.",
        ),
        (
            {"metric": "auc", "finding": "Mass", "min_low": 0.5},
            "pass",
            "The lower end of AUC of Mass is 0.55, at least 0.5.",
        ),
        (
            {"metric": "mean_calibration_error", "max": 0.05},
            "pass",
            "Mean calibration error is 0.04, at most 0.05.",
        ),
        (
            {"metric": "brier", "finding": "Mass", "max": 0.09},
            "fail",
            "Brier loss of Mass is 0.1, above 0.09.",
        ),
        (
            {"metric": "acc_iou", "finding": "Mass", "threshold": 0.1, "min": 0.4},
            "pass",
            "Acc by IoU at T 0.1 of Mass is 0.4, at least 0.4.",
        ),
        (
            {"metric": "mean_acc_iobb", "threshold": 0.25, "min_low": 0.35},
            "fail",
            "The lower end of mean Acc by IoBB at T 0.25 is 0.3, below 0.35.",
        ),
        (
            {"metric": "auc", "finding": "Hernia", "min": 0.5},
            "insufficient evidence",
            "AUC of Hernia: no positive image.",
        ),
        (
            {"metric": "auc", "finding": "Mass", "min": 0.5, "min_positives": 41},
            "insufficient evidence",
            "AUC of Mass: only 40 positives, 41 are needed.",
        ),
        (
            {"metric": "auc", "finding": "Mass", "min": 0.5, "min_positive_patients": 21},
            "insufficient evidence",
            "AUC of Mass: only 20 patients with it, 21 are needed.",
        ),
        (
            {"metric": "mean_auc", "min": 0.5, "min_findings": 3},
            "insufficient evidence",
            "Mean AUC: only 2 findings behind the mean, 3 are needed.",
        ),
        (
            {"metric": "acc_iou", "finding": "Hernia", "threshold": 0.1, "min": 0.4},
            "insufficient evidence",
            "Acc by IoU at T 0.1 of Hernia: no true box.",
        ),
        (
            {"metric": "auc", "finding": "Edema", "min": 0.5},
            "insufficient evidence",
            "AUC of Edema: the model was not scored for it.",
        ),
    ],
)
def test_a_rule_gives_a_verdict_and_one_plain_sentence(
    evidence: Evidence, rule: dict[str, Any], expected: str, reason: str
) -> None:
    (outcome,) = outcomes(evidence, rule)
    assert (outcome.verdict, outcome.reason) == (expected, reason)
    assert overall([outcome]) == expected


def test_a_value_without_an_interval_cannot_meet_a_bound_on_its_lower_end(
    evidence: Evidence,
) -> None:
    evidence.evaluation["findings"]["Mass"] = {
        **auc(0.9, None),
        "reason": "no interval: only 12 of 1000 replicates hold both classes",
    }
    rule = {"metric": "auc", "finding": "Mass"}
    (low,) = outcomes(evidence, {**rule, "min_low": 0.5})
    assert low.verdict == "insufficient evidence"
    assert "only 12 of 1000 replicates" in low.reason
    (value,) = outcomes(evidence, {**rule, "min": 0.5})
    assert value.verdict == "pass"


def test_each_judges_every_scored_finding_in_the_project_s_order(evidence: Evidence) -> None:
    judged = outcomes(evidence, {"metric": "auc", "finding": "each", "min": 0.78})
    assert [(outcome.finding, outcome.verdict) for outcome in judged] == [
        ("Effusion", "pass"),
        ("Mass", "fail"),
        ("Hernia", "insufficient evidence"),
    ]


def test_the_whole_fails_when_any_rule_fails(evidence: Evidence) -> None:
    good = {"metric": "mean_auc", "min": 0.7}
    bad = {"metric": "mean_auc", "min": 0.9}
    unclear = {"metric": "auc", "finding": "Hernia", "min": 0.5}
    assert verdict(evidence, good) == "pass"
    assert verdict(evidence, good, unclear, bad) == "fail"


def test_insufficient_evidence_holds_unless_the_rule_ignores_it(evidence: Evidence) -> None:
    good = {"metric": "mean_auc", "min": 0.7}
    unclear = {"metric": "auc", "finding": "Hernia", "min": 0.5}
    assert verdict(evidence, good, unclear) == "insufficient evidence"
    assert verdict(evidence, good, {**unclear, "on_insufficient": "ignore"}) == "pass"


def test_ignoring_does_not_make_a_pass_of_nothing(evidence: Evidence) -> None:
    unclear = {"metric": "auc", "finding": "Hernia", "min": 0.5, "on_insufficient": "ignore"}
    assert verdict(evidence, unclear) == "insufficient evidence"


def test_refused_data_fail_and_the_failed_checks_are_named(evidence: Evidence) -> None:
    checks = [
        {"name": "patients in one split", "severity": "critical", "success": False},
        {"name": "ages", "severity": "warning", "success": False},
    ]
    refused = replace(evidence, validation={"verdict": "refuse", "checks": checks})
    (outcome,) = outcomes(refused, {"metric": "validation", "verdict": "accept"})
    assert outcome.verdict == "fail"
    assert outcome.reason == "The label checks refused the data: patients in one split."
    assert outcome.value is outcome.bound is None  # the numbers stay numbers


def test_refused_predictions_fail_and_the_failed_checks_are_named(evidence: Evidence) -> None:
    rule = {"metric": "validation_predictions", "verdict": "accept"}
    (accepted,) = outcomes(evidence, rule)
    assert (accepted.verdict, accepted.reason) == (
        "pass",
        "The checks of the predictions accepted them.",
    )
    checks = [{"name": "every logit is a finite number", "severity": "critical", "success": False}]
    refused = replace(evidence, predictions={"verdict": "refuse", "checks": checks})
    (outcome,) = outcomes(refused, rule)
    assert outcome.verdict == "fail"
    assert outcome.reason.endswith("refused them: every logit is a finite number.")


def test_an_acceptance_that_has_ended_counts_as_a_refusal(evidence: Evidence) -> None:
    ended = replace(
        evidence,
        validation={"verdict": "accept", "checks": [], "valid_until": "2026-01-31"},
        validation_ended=True,
    )
    (outcome,) = outcomes(ended, {"metric": "validation", "verdict": "accept"})
    assert outcome.verdict == "fail"
    assert "2026-01-31" in outcome.reason


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"metric": "acc_iou", "threshold": 0.15, "min": 0.1}, r"no boxes were scored at T 0\.15"),
        (
            {"metric": "mean_acc_iou", "threshold": 0.1, "min": 0.1, "method": "grad-cam"},
            "method 'grad-cam'; scored are paper",
        ),
    ],
)
def test_boxes_that_were_not_scored_are_named(
    evidence: Evidence, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        outcomes(evidence, rule)


MEASURED = {
    "positives": 40, "reason": None,
    "precision": 0.9, "precision_low": 0.8, "precision_high": 0.95,
    "recall": 0.7, "recall_low": 0.55, "recall_high": 0.8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"metric": "label_precision", "finding": "Mass", "min_low": 0.8}, "pass"),
        ({"metric": "label_precision", "finding": "Mass", "min_low": 0.85}, "fail"),
        ({"metric": "label_recall", "finding": "Mass", "min": 0.6}, "pass"),
        ({"metric": "label_recall", "finding": "Mass", "min_low": 0.6}, "fail"),
        (
            {"metric": "label_recall", "finding": "Mass", "min": 0.6, "min_positives": 50},
            "insufficient evidence",
        ),
        ({"metric": "label_precision", "finding": "Edema", "min": 0.6}, "insufficient evidence"),
        ({"metric": "label_precision", "min": 0.6}, "insufficient evidence"),
    ],
)
def test_the_mined_labels_must_be_good_enough(
    evidence: Evidence, rule: dict[str, Any], expected: str
) -> None:
    evaluation = {**evidence.evaluation, "mined_labels": {"findings": {"Mass": MEASURED}}}
    assert verdict(replace(evidence, evaluation=evaluation), rule) == expected


def test_labels_that_were_not_measured_are_no_evidence(evidence: Evidence) -> None:
    told = outcomes(evidence, {"metric": "label_precision", "min_low": 0.5})
    assert {outcome.verdict for outcome in told} == {"insufficient evidence"}
    assert "the labels were not measured" in told[0].reason


def point(score: float | None, high: float | None, positives: int = 40, reason: str = "") -> dict:
    return {
        "threshold": 0.1, "positives": positives, "positive_patients": positives // 2,
        "sensitivity_score": score, "sensitivity_low": None if high is None else 0.5,
        "sensitivity_high": high, "reason": reason,
    }  # fmt: skip


REACHED = {
    "Effusion": point(0.95, 1.0),
    "Mass": point(0.8, 0.92),
    "Nodule": point(0.55, 0.76),
    "Edema": point(1.0, 1.0, positives=6),
    "Fibrosis": point(1.0, None, reason="sensitivity: interval not estimable: 4 patients"),
    "Hernia": point(None, None, reason="no threshold: only 6 positive images, 10 are needed"),
}


@pytest.mark.parametrize(
    ("finding", "expected", "reason"),
    [
        ("Effusion", "pass", "sensitivity at screening of Effusion is 1, at least 0.9."),
        ("Mass", "pass", "sensitivity at screening of Mass is 0.92, at least 0.9."),
        ("Nodule", "fail", "sensitivity at screening of Nodule is 0.76, below 0.9."),
        ("Edema", "insufficient evidence", "only 6 positives, 10 are needed"),
        ("Fibrosis", "insufficient evidence", "interval not estimable: 4 patients"),
        ("Hernia", "insufficient evidence", "no threshold: only 6 positive images, 10 are needed"),
    ],
)  # fmt: skip
def test_an_operating_point_must_not_be_surely_below_its_promise(
    evidence: Evidence, finding: str, expected: str, reason: str
) -> None:
    points = {"screening": {"aim": "", "findings": REACHED}}
    evaluation = {**evidence.evaluation, "operating_points": points}
    rule = {
        "metric": "operating_point_sensitivity", "point": "screening", "finding": finding,
        "min_high": 0.9, "min_positives": 10,
    }  # fmt: skip
    (outcome,) = outcomes(replace(evidence, evaluation=evaluation), rule)
    assert outcome.verdict == expected
    assert reason in outcome.reason


def test_an_operating_point_that_the_model_does_not_have_is_named(evidence: Evidence) -> None:
    rule = {"metric": "operating_point_sensitivity", "point": "triage", "min_high": 0.9}
    with pytest.raises(BadInput, match="no operating point 'triage'; it has none"):
        outcomes(evidence, rule)


@pytest.mark.parametrize(
    ("bound", "compared", "comparison"),
    [({"min": 0.5}, 0.75, "value"), ({"min_low": 0.5}, 0.55, "low end"),
     ({"min_high": 0.5}, 0.99, "high end")],
)  # fmt: skip
def test_an_outcome_names_the_number_that_was_compared(
    evidence: Evidence, bound: dict, compared: float, comparison: str
) -> None:
    (outcome,) = outcomes(evidence, {"metric": "auc", "finding": "Mass", **bound})
    assert (outcome.compared, outcome.comparison) == (compared, comparison)
