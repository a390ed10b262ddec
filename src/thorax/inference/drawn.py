"""From a predictor's answers to rows of tables: one image x finding, and one box.

Shared by the stage and by `thorax score`, so that both draw the same boxes.
"""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.inference.boxes import Box, BoxesFor, paper_boxes
from thorax.inference.predictor import Prediction, Predictor

_BOX_TYPES = {
    "image": "str", "finding": "str", "x_px": "float64", "y_px": "float64", "w_px": "float64",
    "h_px": "float64", "frame_px": "int64", "score": "float64", "method": "str",
}  # fmt: skip


def boxes_of(
    prediction: Prediction, predictor: Predictor, *, boxes_for: BoxesFor = "from threshold"
) -> list[list[Box]]:
    """The boxes of each of B images.

    With "from threshold" a finding whose threshold is undefined gives no boxes.
    """
    thresholds = [predictor.thresholds[finding] for finding in predictor.findings]
    limits = np.array([np.inf if limit is None else limit for limit in thresholds])  # [F]
    chosen = prediction.probabilities >= limits  # [B, F]
    if boxes_for == "every finding":
        chosen = np.ones_like(chosen)
    return [_boxes_of_one(prediction, row, chosen[row], predictor) for row in range(len(chosen))]


def _boxes_of_one(
    prediction: Prediction, row: int, chosen: NDArray[np.bool_], predictor: Predictor
) -> list[Box]:
    return [
        box
        for column in np.flatnonzero(chosen)
        for box in paper_boxes(
            prediction.heatmaps[row, column],
            finding=predictor.findings[column],
            frame_px=predictor.frame_px,
            score=float(prediction.probabilities[row, column]),
        )
    ]


def boxes_table(images: Sequence[str], boxes: Sequence[list[Box]]) -> pd.DataFrame:
    """One box a row: image, finding, x_px, y_px, w_px, h_px, frame_px, score, method."""
    rows = [
        {"image": image, **asdict(box)}
        for image, found in zip(images, boxes, strict=True)
        for box in found
    ]
    return pd.DataFrame(rows, columns=list(_BOX_TYPES)).astype(_BOX_TYPES)


def long_table(
    images: Sequence[str], findings: Sequence[str], **values: NDArray[np.float32]
) -> pd.DataFrame:
    """One image x finding a row: image, finding, and each of `values` ([N, F])."""
    table = pd.DataFrame(
        {
            "image": np.repeat(np.asarray(images, dtype=object), len(findings)),
            "finding": np.tile(np.asarray(findings, dtype=object), len(images)),
        }
    ).astype("str")
    for name, value in values.items():
        table[name] = value.reshape(-1)
    return table
