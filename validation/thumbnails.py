"""Small pictures of offending images, read from the pixel shards as files.

The dataset stage left each image decoded and resized in `.thorax/pixels/`; here frames are only
read. A picture that cannot be had (unreadable image, shard not on this machine) is a named note.
"""

import base64
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from validation.checks import Row

_IMAGE_KEYS = ("image", "images")
_NEEDED = {"image", "shard", "row", "readable", "reason"}
_JPEG_QUALITY = 85


@dataclass(frozen=True)
class Thumbnail:
    """One picture of the page.

    Attributes:
        image: the image's name.
        source: a `data:` address of a JPEG; empty when there is no picture.
        note: patient and split, or why there is no picture.
    """

    image: str
    source: str
    note: str


class Thumbnails:
    """Pictures by image name."""

    def __init__(self, manifest: pd.DataFrame, pixels: Path, *, size_px: int) -> None:
        """Look up images in `manifest`; open shards of the folder `pixels` when they are needed.

        Args:
            manifest: columns `image, shard, row, readable, reason`; without them nothing is found.
            pixels: the folder of the shards.
            size_px: longest side of a picture.
        """
        usable = set(manifest.columns) >= _NEEDED
        rows = manifest.drop_duplicates("image").set_index("image") if usable else pd.DataFrame()
        self._rows = rows
        self._pixels = pixels
        self._size_px = size_px
        self._open: dict[str, NDArray[np.uint8] | None] = {}

    def of_rows(self, rows: Iterable[Row], *, most: int) -> list[Thumbnail]:
        """The images that the rows name, each once, `most` at most."""
        names: dict[str, None] = {}
        for row in rows:
            for key, value in row.items():
                for name in value if isinstance(value, list | tuple) else [value]:
                    if isinstance(name, str) and self._is_image(key, name):
                        names[name] = None
        return [self.of(name) for name in list(names)[:most]]

    def of(self, image: str) -> Thumbnail:
        """One image's picture."""
        if image not in self._rows.index:
            return Thumbnail(image, "", "not in the manifest")
        row = self._rows.loc[image].to_dict()
        if not row["readable"] or int(row["row"]) < 0:
            return Thumbnail(image, "", f"cannot be read: {row['reason'] or 'no reason given'}")
        frames = self._frames(str(row["shard"]))
        if frames is None or int(row["row"]) >= len(frames):
            return Thumbnail(image, "", "its pixels are not on this machine")
        return Thumbnail(image, _jpeg(frames[int(row["row"])], self._size_px), _place(row))

    def _is_image(self, key: str, name: str) -> bool:
        return bool(name) and (key in _IMAGE_KEYS or name in self._rows.index)

    def _frames(self, shard: str) -> NDArray[np.uint8] | None:
        if shard not in self._open:
            path = self._pixels / shard / "pixels.npy"
            self._open[shard] = np.load(path, mmap_mode="r") if path.is_file() else None
        return self._open[shard]


def _jpeg(frame: NDArray[np.uint8], size_px: int) -> str:
    height, width = frame.shape
    scale = min(1.0, size_px / max(height, width))
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def _place(row: Mapping[Hashable, Any]) -> str:
    """Patient and split, as far as the manifest says them."""
    patient = f"patient {row['patient']}" if "patient" in row else ""
    split = str(row["split"] or "in no split") if "split" in row else ""
    return ", ".join(part for part in (patient, split) if part)
