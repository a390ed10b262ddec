"""Boxes by regression from heatmaps whose peaks are known."""

import numpy as np
import pytest

from thorax.inference.boxes import boxes_of
from thorax.inference.regression import (
    BoxMaker,
    Regressor,
    default_regressor,
    features,
    maxima_of,
    reaching,
    regress,
)

MAKER = BoxMaker(method="regression")
BLACK = np.zeros((64, 64), np.uint8)


def heatmap(*peaks: tuple[float, float, float], side: int = 32, width: float = 0.05) -> np.ndarray:
    """Gaussian bumps at x, y (shares of the side) of a height."""
    at = (np.arange(side) + 0.5) / side
    cells = np.zeros((side, side))
    for x, y, height in peaks:
        cells += height * np.exp(
            -((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2) / (2 * width**2)
        )
    return cells.astype(np.float32)


def test_maxima_are_found_highest_first_with_their_levels() -> None:
    found = maxima_of(heatmap((0.25, 0.7, 1.0), (0.8, 0.3, 0.6)), MAKER)
    np.testing.assert_allclose(found[:, :2], [[0.25, 0.7], [0.8, 0.3]], atol=0.02)
    assert found[0, 2] == 1
    assert found[1, 2] == pytest.approx(0.6, abs=0.03)


def test_a_wider_bump_has_a_wider_spread_in_every_window() -> None:
    narrow, wide = (maxima_of(heatmap((0.5, 0.5, 1.0), width=w), MAKER)[0] for w in (0.04, 0.12))
    for column in (5, 6, 9, 10):
        assert wide[column] > narrow[column] * 1.2


def test_what_is_nearer_than_apart_share_is_one_maximum() -> None:
    close = heatmap((0.4, 0.5, 1.0), (0.6, 0.5, 0.9))
    for apart, count in ((0.15, 2), (0.3, 1)):
        found = maxima_of(close, MAKER.model_copy(update={"apart_share": apart}))
        assert (found[:, 2] > 0.1).sum() == count  # the level ground is no peak worth the name


@pytest.mark.parametrize("level", [0.0, -3.0, 1e6])
def test_a_flat_heatmap_gives_no_box(level: float) -> None:
    flat = np.full((8, 8), level, np.float32)
    assert boxes_of(flat, BLACK, MAKER, finding="Mass", frame_px=1024, score=1.0) == []


def test_without_a_fit_the_box_is_a_fifth_of_the_frame_about_the_peak() -> None:
    [box] = boxes_of(
        heatmap((0.3, 0.6, 1.0)), BLACK, MAKER, finding="Mass", frame_px=1000, score=0.7
    )
    assert (box.w_px, box.h_px) == (pytest.approx(200), pytest.approx(200))
    assert box.x_px + 100 == pytest.approx(300, abs=16)
    assert box.y_px + 100 == pytest.approx(600, abs=16)
    assert (box.score, box.method, box.finding, box.frame_px) == (0.7, "regression", "Mass", 1000)


def test_a_second_peak_gives_a_box_only_from_the_fitted_level_on() -> None:
    two = heatmap((0.25, 0.5, 1.0), (0.75, 0.5, 0.7))
    for least, count in ((0.6, 2), (0.8, 1), (1.0, 1)):
        regressor = default_regressor(2).model_copy(update={"least_level": least})
        maker = MAKER.model_copy(update={"regressors": {"Mass": regressor}})
        found = boxes_of(two, BLACK, maker, finding="Mass", frame_px=100, score=0.5)
        assert len(found) == count
        assert [box.score for box in found] == sorted((b.score for b in found), reverse=True)
    assert reaching(np.array([0.2]), 0.9).tolist() == [True]  # the first one always


def test_mirrored_maps_draw_mirrored_boxes() -> None:
    given = maxima_of(heatmap((0.3, 0.6, 1.0)), MAKER)
    turned = maxima_of(heatmap((0.3, 0.6, 1.0))[:, ::-1], MAKER)
    chance = np.random.default_rng(3)
    regressor = Regressor(
        mirrored=True,
        intercepts=(0.1, 0.4, -2.0, -2.0),
        weights=tuple(map(tuple, chance.normal(0, 0.1, (4, 14)).tolist())),
    )
    (x, y, w, h), (x_turned, y_turned, w_turned, h_turned) = (
        regress(peaks, regressor)[0] for peaks in (given, turned)
    )
    assert (w, h, y) == pytest.approx((w_turned, h_turned, y_turned), abs=1e-6)
    assert x == pytest.approx(1 - x_turned - w, abs=1e-6)
    assert features(given[:1], mirrored=True)[1].tolist() == [-1]


def test_boxes_stay_in_the_frame_and_within_the_fitted_sizes() -> None:
    chance = np.random.default_rng(4)
    for _ in range(50):
        regressor = Regressor(
            intercepts=tuple(chance.normal(0, 2, 4).tolist()),
            weights=tuple(map(tuple, chance.normal(0, 2, (4, 14)).tolist())),
            smallest_shares=(0.1, 0.1),
            largest_shares=(0.5, 0.4),
            least_level=0.0,
        )
        boxes = regress(maxima_of(chance.random((9, 9)).astype(np.float32), MAKER), regressor)
        assert (boxes >= 0).all()
        assert (boxes[:, :2] + boxes[:, 2:] <= 1 + 1e-9).all()
        assert (boxes[:, 2:] <= np.array([0.5, 0.4]) + 1e-9).all()


def test_the_method_may_be_named_against_the_makers_own() -> None:
    cells = heatmap((0.3, 0.6, 1.0))
    paper = boxes_of(cells, BLACK, MAKER, finding="Mass", frame_px=64, score=1.0, method="paper")
    assert {box.method for box in paper} == {"paper"}
    assert boxes_of(cells, BLACK, BoxMaker(), finding="Mass", frame_px=64, score=1.0) == paper
