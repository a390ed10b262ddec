import pandas as pd
import pytest

from thorax.localization.acc_afp import Overlaps, false_boxes, hits, overlaps
from thorax.localization.boxed import Boxed
from thorax.localization.settings import LocalizationConfig
from thorax.localization.summary import summarise

COLUMNS = ["image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px"]

# Three boxed images, four true boxes.
TRUTH = pd.DataFrame(
    [
        ("one", "Mass", 0, 0, 10, 10, 100),
        ("one", "Nodule", 50, 50, 10, 10, 100),
        ("two", "Mass", 20, 20, 20, 20, 100),
        ("three", "Nodule", 0, 0, 10, 10, 100),
    ],
    columns=COLUMNS,
)
# Each with its IoU and IoBB to the true box of its finding on its image.
DETECTED = pd.DataFrame(
    [
        ("one", "Mass", 0, 0, 20, 20, 200),  # 1 and 1: the true box in another frame
        ("one", "Mass", 60, 0, 10, 10, 100),  # 0 and 0
        ("two", "Mass", 20, 20, 10, 10, 100),  # 0.25 and 1
        ("three", "Mass", 5, 5, 10, 10, 100),  # no true Mass on this image
        ("one", "Nodule", 55, 50, 10, 10, 100),  # 1/3 and 0.5
        ("two", "Nodule", 0, 0, 10, 10, 100),  # no true Nodule on this image
        ("healthy", "Nodule", 0, 0, 10, 10, 100),  # no true box at all: not counted
    ],
    columns=COLUMNS,
)


@pytest.mark.parametrize(
    ("finding", "overlap", "threshold", "accuracy", "paper", "poster"),
    [
        ("Mass", "iou", 0.1, 1.0, 2, 1),
        ("Mass", "iou", 0.25, 0.5, 3, 2),  # 0.25 does not exceed 0.25
        ("Mass", "iou", 0.99, 0.5, 3, 2),
        ("Mass", "iobb", 0.9, 1.0, 2, 1),
        ("Nodule", "iou", 0.3, 0.5, 1, 0),
        ("Nodule", "iou", 0.4, 0.0, 2, 1),
        ("Nodule", "iobb", 0.4, 0.5, 1, 0),
        ("Nodule", "iobb", 0.5, 0.0, 2, 1),
    ],
)
def test_hits_and_false_boxes_of_a_table_counted_by_hand(
    finding: str, overlap: str, threshold: float, accuracy: float, paper: int, poster: int
) -> None:
    found = overlaps(TRUTH, DETECTED)
    assert acc(found, finding, overlap, threshold) == accuracy
    assert count(found, finding, overlap, threshold, targeted_only=False) == paper
    assert count(found, finding, overlap, threshold, targeted_only=True) == poster


def acc(found: Overlaps, finding: str, overlap: str, threshold: float) -> float:
    own = found.truth[found.truth["finding"] == finding]
    return float(hits(own, overlap, [threshold]).mean())


def count(
    found: Overlaps, finding: str, overlap: str, threshold: float, *, targeted_only: bool
) -> int:
    own = found.detected[found.detected["finding"] == finding]
    return int(false_boxes(own, overlap, [threshold], targeted_only=targeted_only).sum())


def test_the_stage_s_numbers_are_those_counted_by_hand() -> None:
    """Four true boxes; at T(IoU) 0.25 Mass: 1 of 2 hit, 3 false boxes, 2 where a Mass is."""
    patients = TRUTH["image"].map({"one": "p1", "two": "p2", "three": "p1"})
    peaks = TRUTH[["image", "finding", "x_px", "y_px", "frame_px"]]
    boxed = Boxed(TRUTH.assign(patient=patients), DETECTED.assign(method="paper"), peaks)
    config = LocalizationConfig(
        iou_thresholds=(0.25,), iobb_thresholds=(0.4,), replicates=200, interval_patients_min=2
    )
    method = summarise(boxed, config)["methods"]["paper"]
    mass, nodule = (method["findings"][name] for name in ("Mass", "Nodule"))
    assert (mass["boxes"], mass["patients"], mass["detected"]) == (2, 2, 4)
    at = mass["iou"]["0.25"]
    assert (at["acc_score"], at["afp_paper_error"], at["afp_poster_error"]) == (0.5, 3 / 4, 2 / 4)
    assert at["afp_paper_low"] <= 3 / 4 <= at["afp_paper_high"]
    at = nodule["iobb"]["0.4"]
    assert (at["acc_score"], at["afp_paper_error"], at["afp_poster_error"]) == (0.5, 1 / 4, 0)
    pooled, mean = method["pooled"]["iou"]["0.25"], method["mean"]["iou"]["0.25"]
    assert (pooled["acc_score"], mean["acc_score"]) == (2 / 4, 0.5)  # Mass 1 of 2, Nodule 1 of 2
    assert pooled["afp_paper_error"] == 3 / 4 + 1 / 4
    assert mean["afp_paper_error"] == pooled["afp_paper_error"] / 2
    assert mean["afp_paper_low"] == pooled["afp_paper_low"] / 2 < mean["afp_paper_error"]
    assert mean["afp_poster_error"] == (2 / 4 + 0) / 2
    assert method["pooled"]["detected"] == 6


def test_paper_and_poster_differ_by_the_same_count_at_every_threshold() -> None:
    """As they do in print: 738 boxes for Atelectasis at T(IoBB) 0.25 and at T(IoU) 0.5."""
    found = overlaps(TRUTH, DETECTED)
    differences = {
        count(found, "Mass", overlap, threshold, targeted_only=False)
        - count(found, "Mass", overlap, threshold, targeted_only=True)
        for overlap in ("iou", "iobb")
        for threshold in (0.1, 0.3, 0.5, 0.9)
    }
    assert differences == {1}


def test_nothing_detected_hits_nothing_and_costs_nothing() -> None:
    found = overlaps(TRUTH, DETECTED.iloc[:0])
    assert acc(found, "Mass", "iou", 0.1) == 0
    assert count(found, "Mass", "iou", 0.1, targeted_only=False) == 0


def test_without_a_true_box_no_detected_one_is_counted() -> None:
    found = overlaps(TRUTH.iloc[:0], DETECTED)
    assert len(found.detected) == len(found.truth) == 0
    assert hits(found.truth, "iou", [0.1, 0.2]).shape == (0, 2)
