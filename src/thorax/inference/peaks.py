"""Where each heatmap is highest: one point per image and finding, for the pointing game.

A bilinearly enlarged map is highest at the centre of its highest cell, so the point is that centre,
exact at any enlargement. Chooses no finding and judges no point: `thorax.localization` does.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def peaks_of(heatmaps: Floats, *, frame_px: int) -> Floats:
    """The highest point of each heatmap.

    Args:
        heatmaps: [B, F, h, w], any scale.
        frame_px: side of the square frame in which points are given.

    Returns:
        float32 [B, F, 3]: x_px, y_px and the value there. A flat map points nowhere: NaN, NaN and
        its value. Of several equal highest cells the first in reading order counts.
    """
    height, width = heatmaps.shape[2:]
    flat = heatmaps.reshape(*heatmaps.shape[:2], height * width)  # [B, F, h * w]
    cell = flat.argmax(axis=2)
    value = flat.max(axis=2)
    points = np.stack([cell % width + 0.5, cell // width + 0.5], axis=2)  # [B, F, 2] in cells
    points *= frame_px / np.array([width, height])
    points[value == flat.min(axis=2)] = np.nan
    return np.concatenate([points, value[..., None]], axis=2).astype(np.float32)


def peaks_table(
    images: Sequence[str], findings: Sequence[str], peaks: Floats, *, frame_px: int
) -> pd.DataFrame:
    """One image x finding a row: image, finding, x_px, y_px, frame_px, value; peaks [N, F, 3]."""
    return pd.DataFrame(
        {
            "image": np.repeat(np.asarray(images, dtype=object), len(findings)),
            "finding": np.tile(np.asarray(findings, dtype=object), len(images)),
            "x_px": peaks[..., 0].reshape(-1),
            "y_px": peaks[..., 1].reshape(-1),
            "frame_px": np.int64(frame_px),
            "value": peaks[..., 2].reshape(-1),
        }
    ).astype({"image": "str", "finding": "str"})
