import numpy as np
import pytest

from thorax.inference.boxes import normalise
from thorax.inference.peaks import peaks_of, peaks_table


def test_a_peak_is_the_centre_of_the_highest_cell() -> None:
    maps = np.zeros((2, 2, 4, 8), np.float32)
    maps[0, 0, 1, 2] = 3  # row 1 of 4, column 2 of 8
    maps[0, 1, 3, 7] = -1
    maps[1, 0] = 5  # flat
    maps[1, 1, 0, 0] = maps[1, 1, 2, 2] = 1  # two equal ones: the first in reading order
    peaks = peaks_of(maps, frame_px=800)
    np.testing.assert_array_equal(peaks[0, 0], [250, 300, 3])
    np.testing.assert_array_equal(peaks[0, 1], [50, 100, 0])
    np.testing.assert_array_equal(peaks[1, 0], [np.nan, np.nan, 5])
    np.testing.assert_array_equal(peaks[1, 1], [50, 100, 1])


@pytest.mark.parametrize("seed", range(5))
def test_the_enlarged_map_from_which_boxes_are_drawn_is_highest_there(seed: int) -> None:
    heatmap = np.random.default_rng(seed).normal(size=(8, 8)).astype(np.float32)
    x_px, y_px, _ = peaks_of(heatmap[None, None], frame_px=256)[0, 0]
    large = normalise(heatmap)
    assert large is not None and large.shape == (256, 256)
    nearest = large[int(y_px) - 1 : int(y_px) + 1, int(x_px) - 1 : int(x_px) + 1]  # around it
    assert nearest.max() == large.max() == pytest.approx(255)


def test_the_table_names_every_image_and_finding_in_order() -> None:
    peaks = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    table = peaks_table(["a", "b"], ["Mass", "Nodule"], peaks, frame_px=64)
    assert table.columns.tolist() == ["image", "finding", "x_px", "y_px", "frame_px", "value"]
    assert table.iloc[2].tolist() == ["b", "Mass", 6.0, 7.0, 64, 8.0]
    assert str(table["frame_px"].dtype) == "int64"
