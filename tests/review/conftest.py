"""A finished queue on the tiny checkout, without training: the files that the stage would write."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thorax import artifacts
from thorax.dataset import __main__ as dataset_stage
from thorax.reports import __main__ as reports_stage
from thorax.review import queue
from thorax.review.queue import Item

SIZE = 6


@pytest.fixture
def checkout(tiny_checkout: Path) -> Path:
    """The tiny checkout with its dataset and a queue of six labels, the third without heatmap."""
    text = (tiny_checkout / "params.yaml").read_text()
    (tiny_checkout / "params.yaml").write_text(text.replace("  size_px: 128", "  size_px: 64", 1))
    reports_stage.main()
    dataset_stage.main()
    folder = tiny_checkout / "artifacts/label_noise"
    (folder / "pictures").mkdir(parents=True)
    (folder / "heatmaps").mkdir()
    now = artifacts.read_table(tiny_checkout / "artifacts/dataset/manifest.parquet")
    rows = []
    for number in range(SIZE):
        image = f"train_{number:03}.png"
        cv2.imwrite(
            str(folder / f"pictures/train_{number:03}.png"), np.full((64, 64), 90, np.uint8)
        )
        heat = f"heatmaps/train_{number:03}--Mass.png" if number != 2 else ""
        if heat:
            cv2.imwrite(str(folder / heat), np.full((64, 64, 4), 120, np.uint8))
        given = int(now.loc[now["image"] == image, "target_Mass"].iloc[0])
        rows.append(
            {"rank": number + 1, "image": image, "finding": "Mass", "given": given,
             "quality_score": 0.1 + number / 10, "probability": 0.4,
             "report": f"report-train_{number:03}", "state": "unmentioned", "sentence": "",
             "cue": "", "picture": f"pictures/{image}", "heatmap": heat}
        )  # fmt: skip
    rows.append({**rows[0], "rank": SIZE + 1, "image": "train_020.png", "picture": ""})
    artifacts.write_table(folder / "suspects.parquet", pd.DataFrame(rows))
    return tiny_checkout


@pytest.fixture
def items(checkout: Path) -> list[Item]:
    return queue.read(checkout)
