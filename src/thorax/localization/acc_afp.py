"""Acc and AFP: how many true boxes are hit, and how many false boxes that costs.

Wang et al. (CVPR 2017) call a detected box right when its overlap with a true box of the same
finding on the same image exceeds T. Their text leaves the denominators open; the published values
fit

    Acc = true boxes of the finding that are hit / true boxes of the finding
    AFP = false boxes of the finding / true boxes of all findings (984 in NIH's file)

Two conventions of AFP are in print, and each is named here:
    paper   false boxes on all boxed images, each image counted once;
    poster  false boxes only on images that have a true box of that finding.
Their difference is published as the same whole number at every threshold, which fits counting each
image once. No IoU matching one to one: one detected box may hit several true ones, and the reverse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from thorax.localization.intervals import Chosen
from thorax.localization.iou import iobb, iou, rescale

_SIDES = ["x_px", "y_px", "w_px", "h_px"]


@dataclass(frozen=True)
class Overlaps:
    """Every true and every detected box with its best overlap.

    Attributes:
        truth: one true box: image, finding, best_iou, best_iobb (0 without a detection).
        detected: one detected box: image, finding, best_iou, best_iobb (0 where the image has no
            true box of the finding), targeted (whether it has one).
    """

    truth: pd.DataFrame
    detected: pd.DataFrame


def overlaps(truth: pd.DataFrame, detected: pd.DataFrame) -> Overlaps:
    """Compare every detected box with the true boxes of the same finding on the same image.

    Args:
        truth: image, finding, x_px, y_px, w_px, h_px, frame_px.
        detected: the same columns; boxes of images without a true box of any finding are not
            counted.
    """
    detected = detected[detected["image"].isin(set(truth["image"]))]
    left = detected.reset_index(drop=True).rename_axis("detected").reset_index()
    right = truth.reset_index(drop=True).rename_axis("truth").reset_index()
    pairs = left.merge(right, on=["image", "finding"], suffixes=("", "_truth"))
    boxes = pairs[_SIDES].to_numpy(np.float64)
    others = rescale(
        pairs[[f"{side}_truth" for side in _SIDES]].to_numpy(),
        frame_px=pairs["frame_px_truth"].to_numpy(),
        to_px=pairs["frame_px"].to_numpy(),
    )
    pairs["best_iou"], pairs["best_iobb"] = iou(boxes, others), iobb(boxes, others)
    best = pairs[["best_iou", "best_iobb"]]
    best_of_truth = best.groupby(pairs["truth"]).max().reindex(range(len(right)), fill_value=0.0)
    best_of_detected = best.groupby(pairs["detected"]).max()
    targeted = np.isin(np.arange(len(left)), best_of_detected.index)
    best_of_detected = best_of_detected.reindex(range(len(left)), fill_value=0.0)
    names = ["image", "finding"]
    return Overlaps(
        pd.concat([right[names], best_of_truth], axis=1),
        pd.concat([left[names], best_of_detected], axis=1).assign(targeted=targeted),
    )


def hits(truth: pd.DataFrame, overlap: str, thresholds: Sequence[float]) -> Chosen:
    """Whether the best `overlap` ("iou", "iobb") of each of K true boxes exceeds each T: [K, T]."""
    best = truth[f"best_{overlap}"].to_numpy(np.float64)
    return np.asarray(best[:, None] > np.asarray(thresholds))


def false_boxes(
    detected: pd.DataFrame, overlap: str, thresholds: Sequence[float], *, targeted_only: bool
) -> Chosen:
    """Whether each of D detected boxes hits no true one at each T: [D, T].

    `targeted_only` counts as the poster does: only where the image has a true box of the finding.
    """
    best = detected[f"best_{overlap}"].to_numpy(np.float64)
    missed = best[:, None] <= np.asarray(thresholds)
    counted = detected["targeted"].to_numpy(bool) | (not targeted_only)
    return np.asarray(missed & counted[:, None])
