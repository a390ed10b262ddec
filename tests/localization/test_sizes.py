import pandas as pd
import pytest
from pydantic import ValidationError

from thorax.localization.settings import LocalizationConfig
from thorax.localization.sizes import size_of


@pytest.mark.parametrize(
    ("w_px", "h_px", "frame_px", "size"),
    [
        (127, 127, 1024, "small"),
        (128, 128, 1024, "medium"),  # on the bound
        (64, 256, 1024, "medium"),  # the same area, another shape
        (32, 32, 256, "medium"),  # the same box in another frame
        (255, 256, 1024, "medium"),
        (256, 256, 1024, "large"),
        (1024, 1024, 1024, "large"),
    ],
)
def test_size_is_the_side_of_the_square_of_equal_area(
    w_px: int, h_px: int, frame_px: int, size: str
) -> None:
    box = pd.DataFrame({"w_px": [w_px], "h_px": [h_px], "frame_px": [frame_px]})
    assert size_of(box, (0.125, 0.25)).tolist() == [size]


@pytest.mark.parametrize("bounds", [(0.3, 0.2), (0.2, 0.2), (0.0, 0.2)])
def test_bounds_that_do_not_rise_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="below the second"):
        LocalizationConfig(size_bounds_share=bounds)
