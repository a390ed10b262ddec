import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.evaluation.conftest import Checkout
from thorax.errors import BadInput
from thorax.evaluation import intervals, points
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import FINDINGS, target_column


def metrics_of(evaluated: Checkout) -> dict[str, Any]:
    return json.loads((evaluated.output / "metrics.json").read_text())


def test_rates_of_a_case_counted_by_hand() -> None:
    y_true = np.array([1, 1, 1, 0, 0, 0, 0, 1], np.int8)
    called = np.array([1, 1, 0, 1, 0, 0, 0, 1], bool)
    known = np.array([1, 1, 1, 1, 1, 1, 1, 0], bool)
    resampling = intervals.resample(np.arange(8), replicates=200, seed=1)
    config = EvaluationConfig(interval_patients_min=2)
    entry = points.rates(y_true, called, resampling, config, known=known)
    assert [entry[name] for name in ("tp", "fn", "fp", "tn")] == [2, 1, 1, 3]
    assert entry["sensitivity_score"] == 2 / 3
    assert entry["specificity_score"] == 3 / 4
    assert entry["ppv_score"] == 2 / 3
    assert entry["npv_score"] == 3 / 4
    for name in ("sensitivity", "specificity", "ppv", "npv"):
        assert entry[f"{name}_low"] < entry[f"{name}_score"] < entry[f"{name}_high"]


def test_a_share_of_nothing_is_nan_with_a_reason() -> None:
    resampling = intervals.resample(np.arange(2), replicates=100, seed=1)
    none, known = np.zeros(2, bool), np.ones(2, bool)
    entry = points.rates(np.zeros(2, np.int8), none, resampling, EvaluationConfig(), known=known)
    assert np.isnan([entry["sensitivity_score"], entry["ppv_score"], entry["ppv_low"]]).all()
    assert entry["specificity_score"] == entry["npv_score"] == 1
    assert "no sensitivity: no positive image" in entry["reason"]
    assert "no ppv: no image is called positive" in entry["reason"]


def test_all_or_none_found_is_not_taken_for_certain() -> None:
    resampling = intervals.resample(np.arange(10), replicates=100, seed=1)
    y_true, called = np.repeat([1, 0], 5).astype(np.int8), np.repeat([1, 0], 5).astype(bool)
    known = np.ones(10, bool)
    entry = points.rates(y_true, called, resampling, EvaluationConfig(), known=known)
    exact = binomtest(5, 5).proportion_ci(0.95, method="exact")
    assert (entry["sensitivity_low"], entry["sensitivity_high"]) == pytest.approx(exact)
    entry = points.rates(y_true, ~called, resampling, EvaluationConfig(), known=known)
    exact = binomtest(0, 5).proportion_ci(0.95, method="exact")
    assert (entry["sensitivity_low"], entry["sensitivity_high"]) == pytest.approx(exact)


def test_the_stage_reports_every_shipped_threshold_on_the_split(evaluated: Checkout) -> None:
    sets = metrics_of(evaluated)["operating_points"]
    assert set(sets) == {"youden", "screening"}
    assert sets["screening"]["aim"] == "sensitivity at least 0.9"
    test = evaluated.manifest[evaluated.manifest["split"] == "test"]
    scores = evaluated.predictions.query("finding == 'Edema' and split == 'test'")
    called = scores.set_index("image")["probability"].reindex(test["image"]).to_numpy() >= 0.1
    entry = sets["screening"]["findings"]["Edema"]
    present = test[target_column("Edema")].to_numpy() == 1
    assert entry["sensitivity_score"] == pytest.approx(called[present].mean())
    assert entry["specificity_score"] == pytest.approx((~called[~present]).mean())
    assert entry["ppv_score"] == pytest.approx(present[called].mean())
    assert entry["threshold"] == 0.1


def test_a_finding_without_a_threshold_has_no_rates_and_says_why(evaluated: Checkout) -> None:
    sets = metrics_of(evaluated)["operating_points"]
    entry = sets["screening"]["findings"]["Hernia"]
    assert entry["threshold"] is entry["sensitivity_score"] is entry["npv_high"] is None
    assert entry["reason"] == "no threshold: no positive image"
    assert set(sets["youden"]["findings"]) == set(FINDINGS)


def test_another_json_than_a_predictors_is_refused(checkout: Checkout) -> None:
    path = checkout.root / "artifacts/inference/predictor/predictor.json"
    path.write_text("[]")
    with pytest.raises(BadInput, match="describes no predictor"):
        points.read(path)


def test_an_interval_of_too_few_patients_is_not_estimable_and_says_so() -> None:
    """Ten positive images, but of four patients: all found is no certainty."""
    patients = np.repeat(np.arange(24), [3, 3, 2, 2] + [1] * 20)
    y_true = (patients < 4).astype(np.int8)
    resampling = intervals.resample(patients, replicates=200, seed=1)
    entry = points.rates(
        y_true, y_true == 1, resampling, EvaluationConfig(), known=np.ones(30, bool)
    )
    assert entry["sensitivity_score"] == 1
    assert np.isnan([entry["sensitivity_low"], entry["sensitivity_high"]]).all()
    assert entry["specificity_high"] == 1 > entry["specificity_low"]
    expected = "sensitivity: interval not estimable: 4 patients with the finding, 5 are needed"
    assert expected in entry["reason"]


def test_what_was_promised_stands_beside_what_was_reached(evaluated: Checkout) -> None:
    sets = metrics_of(evaluated)["operating_points"]
    assert (sets["screening"]["measure"], sets["screening"]["at_least"]) == ("sensitivity", 0.9)
    for entry in sets["screening"]["findings"].values():
        if entry["threshold"] is None or entry["sensitivity_score"] is None:
            assert entry["outcome"] == ""
        elif entry["sensitivity_score"] >= 0.9:
            assert entry["outcome"] == "reached"
        elif entry["sensitivity_high"] >= 0.9:
            assert entry["outcome"] == "reached within the interval"
        else:
            assert entry["outcome"] == "missed"
    assert sets["youden"]["measure"] is None


def test_a_threshold_names_the_positives_behind_it() -> None:
    point = {"threshold": 0.1, "reason": "", "positives": 12, "positive_patients": 7,
             "method": "normal", "note": "lowered"}  # fmt: skip
    aim = {"measure": "sensitivity", "at_least": 0.9, "confidence": 0.95,
           "findings": {"Edema": point}}  # fmt: skip
    sets = points.shipped({"thresholds": {}, "operating_points": {"screening": aim}})
    assert sets["screening"].aim == "sensitivity at least 0.9 with 95% confidence"
    assert sets["screening"].notes["Edema"] == (
        "chosen on 12 positive images of 7 patients, by a normal limit, as they are few; lowered"
    )
