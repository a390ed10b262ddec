"""The pixels of a manifest: opens the shards that `pixels.json` names, and gathers frames.

Uint8 as cached: neither scaled, normalised nor augmented.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts
from thorax.dataset import archive, shards
from thorax.dataset.shards import Shard
from thorax.errors import BadInput


class Pixels:
    """Frames by (shard, row); memory-mapped, safe to send to other processes."""

    def __init__(self, size_px: int, found: list[Shard]) -> None:
        self.size_px = size_px
        """Side of a frame in pixels."""
        self._shards = {shard.name: shard for shard in found}
        self._open: dict[str, NDArray[np.uint8]] = {}

    @classmethod
    def open(cls, pixels_json: Path, data: Path) -> "Pixels":
        """Open the pixels of a dataset; a shard that is missing is built again from `data`.

        Args:
            pixels_json: what the dataset stage wrote.
            data: the `data/` folder; needed only for a missing shard.

        Raises:
            BadInput: a shard is missing and its archive is too, or the rebuilt pixels differ.
        """
        about: dict[str, Any] = artifacts.read_json(pixels_json)
        size_px = int(about["size_px"])
        wanted = [
            archive.Archive(
                entry["archive"], data / entry["archive"], entry["archive_sha256"], entry["images"]
            )
            for entry in about["shards"]
        ]
        found = shards.ensure(wanted, size_px)
        for shard, entry in zip(found, about["shards"], strict=True):
            _check(shard, entry)
        return cls(size_px, found)

    def gather(self, manifest_rows: pd.DataFrame) -> NDArray[np.uint8]:
        """The frames of the given rows, uint8 [B, H, W], in their order.

        Args:
            manifest_rows: columns `shard` and `row`; every row readable (`row` >= 0).
        """
        names, rows = manifest_rows["shard"].to_numpy(), manifest_rows["row"].to_numpy(np.int64)
        if (rows < 0).any():
            raise ValueError(f"{int((rows < 0).sum())} of the rows are unreadable images")
        out = np.empty((len(rows), self.size_px, self.size_px), np.uint8)
        for name in pd.unique(names):
            here = np.flatnonzero(names == name)
            here = here[np.argsort(rows[here], kind="stable")]  # forward through the file
            out[here] = self._frames(name)[rows[here]]
        return out

    def _frames(self, name: str) -> NDArray[np.uint8]:
        if name not in self._open:
            self._open[name] = self._shards[name].pixels()
        return self._open[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}  # a pickled memory map would carry the pixels along


def to_json(size_px: int, found: list[Shard]) -> dict[str, Any]:
    """The content of `pixels.json`."""
    return {
        "size_px": size_px,
        "shards": [
            {
                "shard": shard.name,
                "archive": shard.archive,
                "archive_sha256": shard.archive_sha256,
                "images": shard.images,
                "pixels_sha256": shard.pixels_sha256,
            }
            for shard in found
        ],
    }


def _check(shard: Shard, entry: dict[str, Any]) -> None:
    if (shard.name, shard.pixels_sha256) != (entry["shard"], entry["pixels_sha256"]):
        raise BadInput(
            f"the pixels of {entry['archive']} came out other than pixels.json says (another "
            "decoder): run the dataset stage again (dvc repro dataset)"
        )
