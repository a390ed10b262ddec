"""Pictures of the suspects for whoever reviews them: the image, and the network's heatmap over it.

The heatmap comes from the last trained network, which learned these very labels: it shows where to
look, and is no evidence. It is a picture of its own with transparency, so that a page can lay it
over the image and take it away.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import images
from thorax.dataset import archive
from thorax.images import UnreadableImage
from thorax.inference.boxes import normalise
from thorax.inference.predictor import Predictor
from thorax.progress import track

_OPAQUE = 0.6  # opacity where the heatmap is strongest, as in `inference.overlay`


def draw(
    queue: pd.DataFrame, folder: Path, *, data: Path, predictor: Predictor, side_px: int
) -> pd.DataFrame:
    """Write `pictures/` and `heatmaps/` into `folder`; returns the queue with their paths.

    Args:
        queue: columns `image, finding, archive`.
        folder: the stage's output folder; the paths are relative to it.
        data: the pulled `data/`.
        predictor: draws the heatmaps.
        side_px: the longest side of a picture.
    """
    for name in ("pictures", "heatmaps"):
        (folder / name).mkdir(parents=True)
    wanted = {str(image): part for image, part in queue.groupby("image")}
    drawn = queue.assign(picture="", heatmap="")
    for image, content in track(_contents(queue, data), "pictures", len(wanted)):
        try:
            pixels = images.decode(content).pixels
        except UnreadableImage:  # an earlier file of this name counted when the pixels were made
            continue
        small = _fitted(pixels, side_px)
        stem = Path(image).stem
        picture = f"pictures/{stem}.png"
        (folder / picture).write_bytes(images.encode_png(small))
        heatmaps = predictor.predict(images.to_frame(pixels, predictor.size_px)[None]).heatmaps[0]
        drawn.loc[drawn["image"] == image, "picture"] = picture
        for finding in wanted[image]["finding"]:
            layer = _layer(heatmaps[predictor.findings.index(finding)], small.shape)
            if layer is not None:
                heatmap = f"heatmaps/{stem}--{finding}.png"
                (folder / heatmap).write_bytes(images.encode_png(layer))
                here = (drawn["image"] == image) & (drawn["finding"] == finding)
                drawn.loc[here, "heatmap"] = heatmap
    return drawn


def _contents(queue: pd.DataFrame, data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each wanted image once with its bytes, the first file of its name."""
    missing = set(queue["image"])
    for each in archive.listed(data):
        here = missing & set(queue.loc[queue["archive"] == each.name, "image"])
        if not here:
            continue
        for name, content in archive.members(each):
            if name in here and isinstance(content, bytes):
                here.remove(name)
                missing.remove(name)
                yield name, content
            if not here:
                break


def _fitted(pixels: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    longest = max(pixels.shape)
    if longest <= side_px:
        return np.ascontiguousarray(pixels)
    height, width = (max(1, round(side * side_px / longest)) for side in pixels.shape)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _layer(heatmap: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The heatmap as a picture [H, W, 4], blue, green, red, opacity; None when it is flat."""
    levels = normalise(heatmap)
    if levels is None:
        return None
    size = (shape[1], shape[0])
    levels = cv2.resize(levels, size, interpolation=cv2.INTER_CUBIC).clip(0, 255)
    colours = cv2.applyColorMap(levels.astype(np.uint8), cv2.COLORMAP_INFERNO)
    opacity = (255 * _OPAQUE * (levels / 255) ** 2).astype(np.uint8)
    return np.asarray(np.dstack([colours, opacity]), np.uint8)
