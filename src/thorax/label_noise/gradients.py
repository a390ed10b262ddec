"""What an image looks like without a network: histograms of gradient directions in cells.

Dalal and Triggs, CVPR 2005 (histograms of oriented gradients). Changed: signed directions, since
a bright edge and a dark one differ on a radiograph; square roots of the sums, normalised cell by
cell; and the same again after blurs, because findings have several sizes. Learns nothing.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.dataset import batches
from thorax.dataset.batches import PixelSource
from thorax.images import to_frame
from thorax.label_noise.settings import GradientsConfig
from thorax.progress import track

_BATCH = 64
_FLOOR = 2.0  # levels per pixel: weaker gradients are noise of the detector


def features_of(
    pixels: PixelSource, rows: pd.DataFrame, settings: GradientsConfig
) -> NDArray[np.float32]:
    """The features of N rows of the manifest, float32 [N, D], each column standardised.

    Columns are divided by the root of D, so that a row's mean squared length is 1.
    """
    found = np.concatenate(list(_gathered(pixels, rows, settings)))
    found -= found.mean(axis=0)
    spread = found.std(axis=0)
    found /= np.where(spread > 0, spread, 1) * np.sqrt(found.shape[1], dtype=np.float32)
    return found


def _gathered(
    pixels: PixelSource, rows: pd.DataFrame, settings: GradientsConfig
) -> Iterator[NDArray[np.float32]]:
    plan = batches.in_order(len(rows), _BATCH)
    for _, levels in track(batches.stream(pixels, rows, plan), "gradients", len(plan)):
        yield np.stack([histograms(frame, settings) for frame in levels])


def histograms(frame: NDArray[np.uint8], settings: GradientsConfig) -> NDArray[np.float32]:
    """The histograms of one image [H, W] at every blur, float32 [D]."""
    level = np.ascontiguousarray(to_frame(frame, settings.side_px), np.float32)
    parts = []
    for blur in settings.blurs_px:
        blurred = cv2.GaussianBlur(level, (0, 0), blur) if blur > 0 else level
        parts.append(_of_one_scale(np.asarray(blurred, np.float32), settings).ravel())
    return np.concatenate(parts)


def _of_one_scale(level: NDArray[np.float32], settings: GradientsConfig) -> NDArray[np.float32]:
    """Histograms [cells, cells, directions] of one square."""
    across = cv2.Sobel(level, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(level, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(across, down)
    which = (angle * (settings.directions / (2 * np.pi))).astype(np.int64) % settings.directions
    cells = settings.side_px // settings.cell_px
    sums = [
        cv2.resize(
            cv2.GaussianBlur(strength * (which == number), (0, 0), settings.cell_px / 3),
            (cells, cells),
            interpolation=cv2.INTER_AREA,
        )
        for number in range(settings.directions)
    ]
    found = np.sqrt(np.stack(sums, axis=-1))  # [cells, cells, directions]
    return np.asarray(found / (np.linalg.norm(found, axis=-1, keepdims=True) + _FLOOR), np.float32)
