"""A game of six tries, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from thorax.findings import FINDINGS
from thorax.localization.boxed import Boxed
from thorax.localization.pointing import play, tries
from thorax.localization.settings import LocalizationConfig

TRUTH = pd.DataFrame(
    [
        ("a", "Mass", 10, 10, 20, 20, 100, "p1"),
        ("a", "Nodule", 10, 10, 20, 20, 100, "p1"),
        ("b", "Mass", 0, 0, 10, 10, 100, "p2"),
        ("b", "Mass", 80, 80, 10, 10, 100, "p2"),  # a second box: any will do
        ("c", "Mass", 10, 10, 20, 20, 100, "p3"),
        ("d", "Nodule", 5, 5, 5, 5, 50, "p3"),
        ("e", "Nodule", 10, 10, 20, 20, 100, "p4"),
    ],
    columns=["image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px", "patient"],
)
PEAKS = pd.DataFrame(
    [
        ("a", "Mass", 200, 200, 1000),  # 20, 20 of 100: inside
        ("a", "Nodule", 303, 304, 1000),  # 3 and 4 px outside a corner: 5 px away
        ("b", "Mass", 850, 850, 1000),  # in the second box
        ("c", "Mass", 50, 200, 1000),  # 50 px left of the box
        ("d", "Nodule", 150, 199, 1000),  # a true box in a frame of 50 px: 100 to 200 px
        ("d", "Mass", 150, 150, 1000),  # no true Mass there: no try
        ("e", "Nodule", np.nan, np.nan, 1000),  # flat
    ],
    columns=["image", "finding", "x_px", "y_px", "frame_px"],
)


@pytest.mark.parametrize(
    ("tolerance_px", "hits"),
    [
        (0, {"a Mass", "b Mass", "d Nodule"}),
        (4.9, {"a Mass", "b Mass", "d Nodule"}),
        (5, {"a Mass", "b Mass", "d Nodule", "a Nodule"}),
        (50, {"a Mass", "b Mass", "d Nodule", "a Nodule", "c Mass"}),
    ],
)
def test_a_point_hits_within_the_tolerance_of_any_box(tolerance_px: float, hits: set[str]) -> None:
    played = tries(TRUTH, PEAKS, tolerance_px=tolerance_px)
    assert len(played) == 6
    hit = played[played["hit"]]
    assert set(hit["image"] + " " + hit["finding"]) == hits


def test_shares_per_finding_their_mean_and_all_tries() -> None:
    config = LocalizationConfig(pointing_tolerance_px=0, replicates=200, interval_patients_min=2)
    game = play(Boxed(TRUTH, TRUTH.iloc[:0], PEAKS), config)
    assert list(game["findings"]) == list(FINDINGS)
    mass, nodule = game["findings"]["Mass"], game["findings"]["Nodule"]
    assert (mass["tries"], mass["patients"], mass["pointing_score"]) == (3, 3, 2 / 3)
    assert (nodule["tries"], nodule["patients"], nodule["pointing_score"]) == (3, 3, 1 / 3)
    assert game["mean"]["pointing_score"] == 0.5 and game["mean"]["findings"] == 2
    assert game["pooled"]["pointing_score"] == 0.5 and game["pooled"]["tries"] == 6
    assert 0 <= game["pooled"]["pointing_low"] < 0.5 < game["pooled"]["pointing_high"] <= 1
    assert game["frame_px"] == 1000


def test_a_finding_without_a_true_box_has_no_share_and_a_reason() -> None:
    game = play(Boxed(TRUTH, TRUTH.iloc[:0], PEAKS), LocalizationConfig())
    hernia = game["findings"]["Hernia"]
    assert np.isnan(hernia["pointing_score"]) and hernia["reason"] == "no true box"
    empty = play(Boxed(TRUTH.iloc[:0], TRUTH.iloc[:0], PEAKS), LocalizationConfig())
    assert np.isnan(empty["pooled"]["pointing_score"]) and empty["pooled"]["tries"] == 0
    assert empty["mean"]["reason"] == "no finding has a true box"


def test_an_image_without_a_peak_is_a_miss_and_not_forgotten() -> None:
    played = tries(TRUTH, PEAKS[PEAKS["image"] != "a"], tolerance_px=0)
    assert len(played) == 6 and played["hit"].sum() == 2
