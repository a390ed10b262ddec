import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thorax.localization.iou import intersection, iobb, iou, rescale

SIDE = st.integers(1, 40).map(float)
BOX = st.tuples(SIDE, SIDE, SIDE, SIDE)


@pytest.mark.parametrize(
    ("detected", "truth", "shared", "over_union", "over_detected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 100, 1, 1),
        ((0, 0, 10, 10), (5, 0, 10, 10), 50, 50 / 150, 0.5),
        ((0, 0, 20, 20), (5, 5, 10, 10), 100, 0.25, 0.25),  # twice as large in x and y
        ((5, 5, 10, 10), (0, 0, 20, 20), 100, 0.25, 1),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0, 0, 0),  # they touch
        ((0, 0, 10, 10), (30, 30, 5, 5), 0, 0, 0),
        ((0, 0, 0, 0), (0, 0, 10, 10), 0, 0, 0),  # no area
    ],
)
def test_overlaps_of_pairs_counted_by_hand(
    detected: tuple[float, ...],
    truth: tuple[float, ...],
    shared: float,
    over_union: float,
    over_detected: float,
) -> None:
    pair = np.array([detected], dtype=float), np.array([truth], dtype=float)
    assert intersection(*pair)[0] == shared
    assert iou(*pair)[0] == pytest.approx(over_union)
    assert iobb(*pair)[0] == pytest.approx(over_detected)


@given(BOX, BOX)
def test_iou_is_symmetric_and_never_above_iobb(
    one: tuple[float, ...], two: tuple[float, ...]
) -> None:
    a, b = np.array([one]), np.array([two])
    assert iou(a, b)[0] == pytest.approx(iou(b, a)[0])
    assert 0 <= iou(a, b)[0] <= iobb(a, b)[0] <= 1


@given(BOX, BOX, st.sampled_from([0.125, 0.5, 2.0, 8.0]))
def test_overlap_is_the_same_in_every_frame(
    one: tuple[float, ...], two: tuple[float, ...], factor: float
) -> None:
    a, b = np.array([one]), np.array([two])
    frame, to = np.array([64.0]), np.array([64.0 * factor])
    again = [rescale(box, frame_px=frame, to_px=to) for box in (a, b)]
    assert iou(*again)[0] == pytest.approx(iou(a, b)[0])
    assert iobb(*again)[0] == pytest.approx(iobb(a, b)[0])


def test_rescaling_takes_each_row_to_its_own_frame() -> None:
    boxes = rescale(
        np.array([[10, 20, 30, 40], [10, 20, 30, 40]]),
        frame_px=np.array([100, 200]),
        to_px=np.array([200, 100]),
    )
    assert boxes.tolist() == [[20, 40, 60, 80], [5, 10, 15, 20]]
