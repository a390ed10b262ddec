"""What the card says of operating points, subgroups, calibration and the gate's comparisons."""

from typing import Any

from thorax.release import card

MEAN = {"findings": 1, "auc_score": 0.9, "auc_low": 0.8, "auc_high": 0.95}
EDEMA = {
    "auc_score": 1.0, "auc_low": None, "auc_high": None, "average_precision_score": 1.0,
    "positives": 1, "negatives": 50, "brier_loss": 0.027, "brier_before_loss": 0.029,
    "reason": "interval not estimable: 1 patient with the finding, 5 are needed",
}  # fmt: skip
POINT = {
    "threshold": 0.02, "sensitivity_score": 0.93, "sensitivity_low": 0.82, "sensitivity_high": 1.0,
    "specificity_score": 0.4, "specificity_low": 0.3, "specificity_high": 0.5,
    "outcome": "reached", "note": "chosen on 31 positive images of 30 patients", "reason": "",
}  # fmt: skip
REFUSED = {
    **dict.fromkeys(POINT), "outcome": "", "note": "",
    "reason": "no threshold: only 6 positive images, 10 are needed",
}  # fmt: skip
GAP = {
    "findings": 5, "auc_score": 0.743, "rest_auc_score": 0.943, "difference_score": -0.2,
    "difference_low": -0.3, "difference_high": -0.1, "reason": "",
}  # fmt: skip
PART = {"slice": "age", "value": "18-39", "images": 40, "patients": 30, "gap": GAP, "mean": MEAN}
RULES = [
    {"rule": "mean_auc min_low 0.6", "finding": "", "value": 0.9, "low": 0.8, "compared": 0.8,
     "comparison": "low end", "bound": 0.6, "verdict": "pass"},
    {"rule": "mean_auc min 0.6", "finding": "", "value": 0.9, "low": 0.8, "compared": 0.9,
     "comparison": "value", "bound": 0.6, "verdict": "pass"},
    {"rule": "validation verdict accept", "finding": "", "value": None, "low": None,
     "compared": None, "comparison": "value", "bound": None, "verdict": "pass"},
]  # fmt: skip


def written(**metrics: Any) -> str:
    return card.render(
        origin="phantom data",
        source={"source": "phantom", "licence": "none"},
        predictor={"size_px": 64},
        metrics={"split": "test", "images": 90, "patients": 40, "replicates": 100,
                 "findings": {"Edema": EDEMA}, "mean": MEAN, **metrics},
        localization=None,
        decision={"verdict": "pass", "valid_until": None, "rules": RULES},
        labels={"data": "a", "revision": "b", "code_changed": "no", "params": "c"},
    )  # fmt: skip


def test_a_rule_shows_the_number_that_was_compared() -> None:
    text = written()
    assert "| mean_auc min_low 0.6 |  | 0.800 (low end) | 0.600 | pass |" in text
    assert "| mean_auc min 0.6 |  | 0.900 | 0.600 | pass |" in text
    assert "| validation verdict accept |  | - | - | pass |" in text


def test_one_positive_gives_no_interval() -> None:
    assert "| Edema | 1.000 | not estimable | 1.000 | 1 | 50 |" in written()
    assert "- Edema: interval not estimable: 1 patient with the finding, 5 are needed." in written()


def test_operating_points_show_what_was_reached_or_why_there_is_none() -> None:
    aim = "sensitivity at least 0.9 with 95% confidence"
    points = {"screening": {"aim": aim, "findings": {"Edema": POINT, "Hernia": REFUSED}}}
    text = written(operating_points=points)
    assert f'## Operating point "screening": {aim}' in text
    assert "| Edema | 0.020 | 0.930 | 0.820 to 1.000 | 0.400 | 0.300 to 0.500 | reached |" in text
    assert "| Hernia | - | - | - | - | - |  | no threshold: only 6 positive images, 10" in text


def test_parts_of_the_images_and_the_worst_of_them_are_there() -> None:
    text = written(subgroups={"parts": [PART], "worst": PART})
    row = "| age | 18-39 | 40 | 30 | 0.900 | 0.800 to 0.950 | -0.200 | -0.300 to -0.100 | 5 |"
    assert row in text
    assert "Worst: age 18-39, mean AUC 0.743 against 0.943 elsewhere." in text


def test_each_finding_s_calibration_is_named() -> None:
    calibration = {"Edema": {"method": "none", "note": "the bare logits are as good"}}
    text = written(calibration=calibration)
    assert "| Edema | none | the bare logits are as good | 0.027 | 0.029 |" in text
