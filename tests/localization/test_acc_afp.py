import numpy as np
import pandas as pd
import pytest

from thorax.localization.acc_afp import acc, false_boxes, overlaps

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
    at = {"overlap": overlap, "threshold": threshold}
    assert acc(found, finding, **at) == accuracy
    assert false_boxes(found, finding, **at, targeted_only=False) == paper
    assert false_boxes(found, finding, **at, targeted_only=True) == poster


def test_paper_and_poster_differ_by_the_same_count_at_every_threshold() -> None:
    """As they do in print: 738 boxes for Atelectasis at T(IoBB) 0.25 and at T(IoU) 0.5."""
    found = overlaps(TRUTH, DETECTED)
    differences = {
        false_boxes(found, "Mass", overlap=overlap, threshold=threshold, targeted_only=False)
        - false_boxes(found, "Mass", overlap=overlap, threshold=threshold, targeted_only=True)
        for overlap in ("iou", "iobb")
        for threshold in (0.1, 0.3, 0.5, 0.9)
    }
    assert differences == {1}


def test_nothing_detected_hits_nothing_and_costs_nothing() -> None:
    found = overlaps(TRUTH, DETECTED.iloc[:0])
    assert acc(found, "Mass", overlap="iou", threshold=0.1) == 0
    assert false_boxes(found, "Mass", overlap="iou", threshold=0.1, targeted_only=False) == 0


def test_acc_of_a_finding_without_a_true_box_is_nan() -> None:
    found = overlaps(TRUTH, DETECTED)
    assert np.isnan(acc(found, "Hernia", overlap="iou", threshold=0.1))
    found = overlaps(TRUTH.iloc[:0], DETECTED)
    assert np.isnan(acc(found, "Mass", overlap="iou", threshold=0.1))
    assert len(found.detected) == 0
