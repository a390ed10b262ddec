"""The paper's boxes on heatmaps whose answer is plain to see."""

import numpy as np
import pytest

from thorax.inference.boxes import Box, normalise, paper_boxes


def heatmap(*hot: tuple[int, int], side: int = 16, level: float = 1.0) -> np.ndarray:
    cells = np.zeros((side, side), np.float32)
    for x, y in hot:
        cells[y, x] = level
    return cells


def boxes(cells: np.ndarray, score: float = 1.0) -> list[Box]:
    return paper_boxes(cells, finding="Mass", frame_px=1024, score=score)


def test_a_peak_gives_a_wide_and_a_tight_box_around_it() -> None:
    tight, wide = boxes(heatmap((5, 9)))
    for box in (tight, wide):  # the cell's middle is at (5.5, 9.5) of 16 cells
        assert box.x_px + box.w_px / 2 == pytest.approx(5.5 * 64, abs=4)
        assert box.y_px + box.h_px / 2 == pytest.approx(9.5 * 64, abs=4)
    assert tight.w_px < wide.w_px
    assert tight.score > wide.score


def test_the_levels_are_the_papers_60_and_180() -> None:
    # a ramp from 0 to 255 along x: what lies above t begins at t / 255 of the ramp
    cells = np.tile(np.arange(256, dtype=np.float32), (256, 1))
    starts = sorted(box.x_px / 4 for box in boxes(cells))
    assert starts == [61, 181]


def test_regions_apart_give_boxes_apart_and_the_surer_first() -> None:
    cells = heatmap((2, 2)) + heatmap((12, 12), level=0.5)
    found = boxes(cells)
    assert len(found) == 3  # the weaker peak stays below 180
    assert [box.score for box in found] == sorted((box.score for box in found), reverse=True)


def test_cells_that_touch_at_a_corner_are_one_region() -> None:
    cells = np.zeros((256, 256), np.float32)
    cells[100, 100] = cells[101, 101] = 1
    assert [(box.w_px, box.h_px) for box in boxes(cells)] == [(8, 8)]


def test_a_box_of_both_levels_counts_once() -> None:
    cells = np.zeros((256, 256), np.float32)
    cells[10:20, 30:60] = 1
    [box] = boxes(cells)
    assert (box.x_px, box.y_px, box.w_px, box.h_px) == (120, 40, 120, 40)
    assert box.score == 1


@pytest.mark.parametrize("level", [0.0, -3.0, 1e6])
def test_a_flat_heatmap_gives_no_box(level: float) -> None:
    assert boxes(np.full((8, 8), level, np.float32)) == []
    assert normalise(np.full((8, 8), level, np.float32)) is None


def test_scale_and_shift_of_a_heatmap_change_nothing() -> None:
    cells = np.random.default_rng(1).random((8, 8)).astype(np.float32)
    for box, other in zip(boxes(cells), boxes(cells * 7 - 100), strict=True):
        assert (box.x_px, box.w_px) == (other.x_px, other.w_px)


def test_boxes_lie_in_the_frame_and_scores_within_the_probability() -> None:
    chance = np.random.default_rng(2)
    for side in (1, 2, 7, 32):
        for box in boxes(chance.random((side, side)).astype(np.float32), score=0.7):
            assert 0 <= box.x_px < box.x_px + box.w_px <= 1024
            assert 0 <= box.y_px < box.y_px + box.h_px <= 1024
            assert 0 < box.score <= 0.7
            assert (box.finding, box.frame_px, box.method) == ("Mass", 1024, "paper")
