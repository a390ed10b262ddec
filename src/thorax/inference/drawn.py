"""From a predictor's answers to rows of tables: one image x finding, and one box.

Shared by the stage and by `thorax score`, so that both draw the same boxes.
"""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.inference import boxes
from thorax.inference.boxes import Box, BoxesFor
from thorax.inference.predictor import Prediction, Predictor
from thorax.inference.regression import BoxMaker, Method

_BOX_TYPES = {
    "image": "str", "finding": "str", "x_px": "float64", "y_px": "float64", "w_px": "float64",
    "h_px": "float64", "frame_px": "int64", "score": "float64", "method": "str",
}  # fmt: skip


def boxes_of(
    prediction: Prediction, predictor: Predictor, *, boxes_for: BoxesFor = "from threshold",
    makers: Sequence[BoxMaker] | None = None, methods: Sequence[Method | None] = (None,),
) -> list[list[Box]]:  # fmt: skip
    """The boxes of each of B images.

    Args:
        prediction: what the predictor says of them.
        predictor: who said it.
        boxes_for: with "from threshold" a finding whose threshold is undefined gives no boxes.
        makers: who draws on each image; None: the predictor's own maker on all.
        methods: how, one after the other; None is the maker's own method.
    """
    thresholds = [predictor.thresholds[finding] for finding in predictor.findings]
    limits = np.array([np.inf if limit is None else limit for limit in thresholds])  # [F]
    chosen = prediction.probabilities >= limits  # [B, F]
    if boxes_for == "every finding":
        chosen = np.ones_like(chosen)
    makers = makers or [predictor.description.boxes] * len(chosen)
    return [
        [
            box
            for column in np.flatnonzero(chosen[row])
            for method in methods
            for box in boxes.boxes_of(
                prediction.heatmaps[row, column],
                prediction.pixels[row],
                maker,
                finding=predictor.findings[column],
                frame_px=predictor.frame_px,
                score=float(prediction.probabilities[row, column]),
                method=method,
            )
        ]
        for row, maker in enumerate(makers)
    ]


def boxes_table(images: Sequence[str], drawn: Sequence[list[Box]]) -> pd.DataFrame:
    """One box a row: image, finding, x_px, y_px, w_px, h_px, frame_px, score, method."""
    rows = [
        {"image": image, **asdict(box)}
        for image, found in zip(images, drawn, strict=True)
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
