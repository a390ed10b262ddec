"""What is measured of the labels, against a truth that is small enough to count by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thorax.findings import FINDINGS, NORMAL
from thorax.reports import quality
from thorax.reports.settings import ReportsConfig

SETTINGS = ReportsConfig(replicates=200, interval_patients_min=1)


def labels(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["report", "patient", "finding", "state"])


def truth(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["report", "finding", "label"])


@pytest.fixture
def measured() -> quality.Measured:
    told = labels(
        ("r1", "p1", "Effusion", "positive"),
        ("r2", "p2", "Effusion", "positive"),
        ("r3", "p3", "Effusion", "uncertain"),
        ("r4", "p4", "Effusion", "unmentioned"),
        ("r5", "p5", "Effusion", "positive"),
        ("r1", "p1", "Mass", "negative"),
        ("r1", "p1", NORMAL, "negative"),
    )
    known = truth(
        ("r1", "Effusion", 1),
        ("r2", "Effusion", 0),
        ("r3", "Effusion", 1),
        ("r4", "Effusion", 0),
        ("r1", "Mass", 0),
    )
    return quality.measure(told, known, SETTINGS, measured_on="counting")


def test_precision_and_recall_are_those_counted_by_hand(measured: quality.Measured) -> None:
    effusion = measured["findings"]["Effusion"]
    assert (effusion["precision"], effusion["recall"], effusion["f1"]) == (0.5, 0.5, 0.5)
    assert (effusion["positives"], effusion["labelled"], effusion["uncertain"]) == (2, 2, 1)
    assert 0 <= effusion["precision_low"] <= 0.5 <= effusion["precision_high"] <= 1
    assert effusion["reason"] is None


def test_a_hedge_costs_recall_only_while_it_is_counted(measured: quality.Measured) -> None:
    assert measured["micro"]["recall"] == 0.5
    assert measured["micro_without_uncertain"]["recall"] == 1.0


def test_what_has_no_truth_is_not_judged(measured: quality.Measured) -> None:
    assert (measured["reports"], measured["measured_on"]) == (4, "counting")
    assert measured["normal"]["reason"] == "no report with a known truth"
    assert np.isnan(measured["normal"]["f1"])


def test_undefined_shares_are_nan_with_a_reason(measured: quality.Measured) -> None:
    mass = measured["findings"]["Mass"]
    assert np.isnan(mass["precision"])
    assert np.isnan(mass["recall_low"])
    assert mass["reason"] == "no report has it: recall is undefined"


def test_without_any_truth_there_is_a_report_of_nothing() -> None:
    none = quality.measure(
        labels(("r1", "p1", "Mass", "positive")), truth(), SETTINGS, measured_on="nothing"
    )
    assert none["reports"] == 0
    assert {entry["reason"] for entry in none["findings"].values()} == {
        "no report with a known truth"
    }


def test_the_interval_is_that_of_drawing_patients_not_reports() -> None:
    told, known = [], []
    for number in range(400):
        patient, right = f"p{number // 20}", (number // 20) % 2 == 0
        told.append((f"r{number}", patient, "Mass", "positive"))
        known.append((f"r{number}", "Mass", int(right)))
    wide = quality.measure(labels(*told), truth(*known), SETTINGS, measured_on="")["micro"]
    alone = [(report, report, *rest) for report, _, *rest in told]
    narrow = quality.measure(labels(*alone), truth(*known), SETTINGS, measured_on="")["micro"]
    assert wide["precision"] == narrow["precision"] == 0.5
    width = [entry["precision_high"] - entry["precision_low"] for entry in (wide, narrow)]
    assert width[0] > 3 * width[1]  # the square root of 20 in theory


def test_a_report_has_what_one_of_its_images_has(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(
        "image,finding,label\na.png,Mass,0\nb.png,Mass,1\nc.png,Mass,1\nr2,Nodule,1\nb.png,Cough,1\n"
    )
    reports = pd.DataFrame({"report": ["r1", "r2"], "images": ["a.png|b.png", ""]})
    known, origin = quality.truth_of(reports, tmp_path)
    assert origin == "the source's truth"
    assert known.to_numpy().tolist() == [["r1", "Mass", 1], ["r2", "Nodule", 1]]


def test_adjudicated_labels_stand_in_for_an_empty_truth(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("image,finding,label\n")
    (tmp_path / "adjudicated.csv").write_text("image,finding,label\na.png,Mass,1\n")
    reports = pd.DataFrame({"report": ["r1"], "images": ["a.png"]})
    known, origin = quality.truth_of(reports, tmp_path)
    assert (len(known), origin) == (1, "adjudicated labels")
    nothing, why = quality.truth_of(reports, tmp_path / "elsewhere")
    assert len(nothing) == 0
    assert "neither" in why


def test_every_finding_has_an_entry(measured: quality.Measured) -> None:
    assert list(measured["findings"]) == list(FINDINGS)


def test_all_right_of_few_patients_is_not_certain() -> None:
    """Of twenty patients, all right: the exact interval; of four: none."""
    for patients, low in ((20, 0.025 ** (1 / 20)), (4, float("nan"))):
        names = [(f"r{number}", f"p{number}") for number in range(patients)]
        told = labels(*((report, patient, "Mass", "positive") for report, patient in names))
        known = truth(*((report, "Mass", 1) for report, _ in names))
        entry = quality.measure(told, known, ReportsConfig(replicates=200), measured_on="")
        mass = entry["findings"]["Mass"]
        assert mass["precision"] == mass["recall"] == 1
        assert mass["precision_low"] == pytest.approx(low, nan_ok=True)
