"""Small, medium and large true boxes, by stated bounds.

A box's size is the side of the square of its area, as a share of its frame's side. Bounds are
stated rather than fitted to the boxes at hand, so that results on two datasets can be compared.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SIZES: Final = ("small", "medium", "large")


def size_of(boxes: pd.DataFrame, bounds_share: tuple[float, float]) -> NDArray[np.str_]:
    """The size of each box (w_px, h_px, frame_px); one that lies on a bound is the larger."""
    area = boxes["w_px"].to_numpy(np.float64) * boxes["h_px"].to_numpy(np.float64)
    side = np.sqrt(area) / boxes["frame_px"].to_numpy(np.float64)
    place = np.searchsorted(bounds_share, side, side="right")
    return np.asarray(np.asarray(SIZES)[place], np.str_)
