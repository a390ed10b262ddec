import json
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from tests.evaluation.conftest import Checkout
from thorax import artifacts
from thorax.evaluation.__main__ import evaluate, report
from thorax.evaluation.subgroups import _age_bands
from thorax.findings import CHESTX_RAY8, FINDINGS, target_column

FILES = {
    "metrics.json", "slices.json", "roc.csv", "pr.csv", "table.md",
    "roc.png", "pr.png", "calibration.png",
}  # fmt: skip


def read(evaluated: Checkout, name: str) -> dict[str, Any]:
    return json.loads((evaluated.output / name).read_text())


def test_the_stage_writes_its_files_and_the_same_bytes_each_time(
    evaluated: Checkout, checkout: Checkout
) -> None:
    evaluate()
    first, second = (
        {path.name: artifacts.sha256_file(path) for path in made.output.iterdir()}
        for made in (evaluated, checkout)
    )
    assert set(first) == FILES
    assert first == second


def test_metrics_are_of_the_test_split_with_intervals_around_them(
    evaluated: Checkout,
) -> None:
    summary = read(evaluated, "metrics.json")
    test = evaluated.manifest[evaluated.manifest["split"] == "test"]
    assert summary["split"] == "test"
    assert (summary["images"], summary["patients"]) == (len(test), test["patient"].nunique())
    assert list(summary["findings"]) == sorted(FINDINGS)
    entry = summary["findings"]["Effusion"]
    scores = evaluated.predictions.query("finding == 'Effusion' and split == 'test'")["logit"]
    targets = test[target_column("Effusion")]
    assert entry["auc_score"] == pytest.approx(roc_auc_score(targets, scores), abs=1e-12)
    assert entry["auc_low"] < entry["auc_score"] < entry["auc_high"]
    assert entry["positives"] == targets.sum()
    assert entry["positives"] + entry["negatives"] == len(test)
    assert entry["positive_patients"] == test.loc[targets == 1, "patient"].nunique()
    assert entry["reason"] == ""


def test_the_mean_of_the_first_eight_stands_beside_that_of_all(evaluated: Checkout) -> None:
    summary = read(evaluated, "metrics.json")
    scores = [summary["findings"][name]["auc_score"] for name in CHESTX_RAY8]
    defined = [score for score in scores if score is not None]
    mean = summary["mean_chestx_ray8"]
    assert mean["findings"] == len(defined) < summary["mean"]["findings"]
    assert mean["auc_score"] == pytest.approx(np.mean(defined), abs=1e-12)
    assert mean["auc_low"] < mean["auc_score"] < mean["auc_high"]


def test_what_is_undefined_is_null_with_a_reason_and_leaves_the_mean(evaluated: Checkout) -> None:
    summary = read(evaluated, "metrics.json")
    findings = summary["findings"]
    assert findings["Hernia"]["auc_score"] is None
    assert findings["Hernia"]["reason"] == "no positive image"
    assert findings["Mass"]["auc_low"] is None
    assert findings["Mass"]["reason"] == "no image has a known label"
    defined = [entry["auc_score"] for entry in findings.values() if entry["auc_score"] is not None]
    assert summary["mean"]["findings"] == len(defined) == 12
    assert summary["mean"]["auc_score"] == pytest.approx(np.mean(defined))
    assert summary["mean"]["auc_low"] < summary["mean"]["auc_score"] < summary["mean"]["auc_high"]


def test_slices_cover_all_images_once_each(evaluated: Checkout) -> None:
    summary = read(evaluated, "metrics.json")
    parts = read(evaluated, "slices.json")["slices"]
    for name in ("sex", "age", "view"):
        mine = [part for part in parts if part["slice"] == name]
        assert sum(part["images"] for part in mine) == summary["images"]
    values = {part["value"] for part in parts if part["slice"] == "sex"}
    assert values == {"F", "M", "unknown"}
    lonely = next(part for part in parts if part["slice"] == "sex" and part["value"] == "unknown")
    assert lonely["mean"]["auc_score"] is None
    assert lonely["mean"]["reason"] == "no finding has both classes"


def test_curves_for_plots_are_short_and_run_from_corner_to_corner(evaluated: Checkout) -> None:
    curves = pd.read_csv(evaluated.output / "roc.csv")
    assert set(curves["finding"]) == set(FINDINGS) - {"Hernia", "Mass"}
    for _, curve in curves.groupby("finding"):
        rates = curve[["false_positive_rate", "true_positive_rate"]].to_numpy()
        assert rates[0].tolist() == [0, 0]
        assert rates[-1].tolist() == [1, 1]
        assert len(rates) <= 202
        assert (np.diff(rates, axis=0) >= 0).all()


@pytest.mark.parametrize("name", ["roc.png", "pr.png", "calibration.png"])
def test_a_figure_draws_in_each_panel_whose_finding_is_defined(
    evaluated: Checkout, name: str
) -> None:
    picture = cv2.imread(str(evaluated.output / name)).astype(int)
    blue = np.abs(picture - (0x99, 0x6E, 0x0B)).sum(axis=2) < 30
    height, width = blue.shape
    for place, finding in enumerate(FINDINGS[:12]):
        row, column = divmod(place, 4)
        middle = blue[int((0.118 + 0.234 * row) * height) :][: int(0.12 * height)]
        panel = middle[:, int((0.065 + 0.245 * column) * width) :][:, : int(0.17 * width)]
        assert panel.any() == (finding != "Mass"), finding


def test_the_result_is_one_line_also_when_nothing_can_be_judged(evaluated: Checkout) -> None:
    summary = read(evaluated, "metrics.json")
    score = summary["mean"]["auc_score"]
    assert f"mean AUC {score:.3f} (" in report(summary)
    assert "over 12 findings, 180 images of 60 patients" in report(summary)
    nothing = {"findings": 0, "reason": "no finding has both classes"}
    line = report({**summary, "mean": nothing})
    assert line == ("evaluation: no AUC on 180 images of 60 patients, no finding has both classes")


def test_an_age_band_begins_at_its_first_year() -> None:
    ages = pd.Series([0.5, 17.9, 18, 39.5, 40, 80, np.nan])
    assert _age_bands(ages, (18, 40, 80)).tolist() == [
        "under 18", "under 18", "18-39", "18-39", "40-79", "80 and over", "unknown",
    ]  # fmt: skip
