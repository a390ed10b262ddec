"""Images that can be learned in seconds, and a stand-in for their pixels on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thorax.findings import FINDINGS
from thorax.training import loop
from thorax.training.examples import Examples
from thorax.training.settings import TrainingConfig

SIZE_PX = 32
FAST = {
    "model": {"backbone": "resnet10", "stride_px": 8, "transition_channels": 16,
              "pooling": "average"},
    "augment": {"rotation_degrees": 1.0, "translation_share": 0.01},
    "loss": "cel", "learning_rate": 0.003, "batch_size": 16, "epochs": 3, "patience_epochs": 3,
    "device": "cpu", "threads": 1,
}  # fmt: skip


class Drawn:
    """Noise in which finding f brightens its own field of the image."""

    size_px = SIZE_PX

    def __init__(self, targets: np.ndarray) -> None:
        chance = np.random.default_rng(4)
        self.images = chance.integers(40, 90, (len(targets), SIZE_PX, SIZE_PX), np.uint8)
        for row, finding in zip(*np.nonzero(targets), strict=True):
            x, y = 8 * (finding % 4), 8 * (finding // 4)
            self.images[row, y : y + 8, x : x + 8] += 120

    def gather(self, manifest_rows: pd.DataFrame) -> np.ndarray:
        return self.images[manifest_rows["row"]]


@pytest.fixture
def data() -> loop.Data:
    """128 images to learn from and 48 to validate on; each finding on a third of them."""
    targets = (np.random.default_rng(3).random((176, len(FINDINGS))) < 1 / 3).astype(np.int8)
    pixels = Drawn(targets)
    levels = pixels.images.reshape(len(targets), -1)
    rows = pd.DataFrame({"row": np.arange(len(targets)), "mean_level": levels.mean(axis=1),
                         "std_level": levels.std(axis=1)})  # fmt: skip

    def part(chosen: slice) -> Examples:
        known = np.ones(targets[chosen].shape, bool)
        return Examples(rows[chosen].reset_index(drop=True), targets[chosen], known)

    return loop.Data(pixels, part(slice(128)), part(slice(128, None)))


@pytest.fixture
def fast() -> Callable[..., TrainingConfig]:
    """Settings that train in seconds, with whatever a test changes."""

    def settings(**changes: object) -> TrainingConfig:
        return TrainingConfig.model_validate({**FAST, **changes})

    return settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty state folder."""
    (tmp_path / "state").mkdir()
    return tmp_path / "state"
