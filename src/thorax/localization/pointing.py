"""The pointing game: does the heatmap's highest point lie in a true box of its finding?

Zhang et al., "Top-down neural attention by excitation backprop" (ECCV 2016, arXiv 1608.00507). One
try per image and finding that has a true box there; a point within the tolerance of a box counts as
inside; of several boxes any one will do. A flat heatmap points nowhere and misses. Needs no
threshold and no box maker: it judges the map itself.
"""

from typing import Any

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS
from thorax.localization.boxed import Boxed
from thorax.localization.intervals import (
    Chosen,
    Floats,
    Resampled,
    lack,
    mean_replicates,
    scored,
)
from thorax.localization.iou import rescale
from thorax.localization.settings import LocalizationConfig

_SIDES = ["x_px", "y_px", "w_px", "h_px"]


def tries(truth: pd.DataFrame, peaks: pd.DataFrame, *, tolerance_px: float) -> pd.DataFrame:
    """Play the game once per image and finding with a true box.

    Args:
        truth: true boxes: image, finding, x_px, y_px, w_px, h_px, frame_px, patient.
        peaks: one point per image and finding: image, finding, x_px, y_px, frame_px; NaN where the
            heatmap is flat.
        tolerance_px: how far outside a box a point still counts, in pixels of the peak's frame.

    Returns:
        One try a row, sorted by image and finding: image, finding, patient, hit (bool).
    """
    names = ["image", "finding"]
    pairs = truth.merge(peaks, on=names, how="left", suffixes=("", "_peak"))
    to_px = pairs["frame_px_peak"].fillna(pairs["frame_px"]).to_numpy(np.float64)
    boxes = rescale(pairs[_SIDES].to_numpy(), frame_px=pairs["frame_px"].to_numpy(), to_px=to_px)
    points = pairs[["x_px_peak", "y_px_peak"]].to_numpy(np.float64)
    outside = np.maximum(boxes[:, :2] - points, points - boxes[:, :2] - boxes[:, 2:])  # [K, 2]
    distance_px = np.hypot(*np.maximum(outside, 0).T)  # NaN of a flat map compares as a miss
    pairs["hit"] = distance_px <= tolerance_px
    return pairs.groupby(names, as_index=False).agg(
        patient=("patient", "first"), hit=("hit", "any")
    )


def play(boxed: Boxed, config: LocalizationConfig) -> dict[str, Any]:
    """The share of tries that hit: per finding, their mean, and all tries as one group."""
    played = tries(boxed.truth, boxed.peaks, tolerance_px=config.pointing_tolerance_px)
    resampled = Resampled.by_patient(played["patient"], config)
    hit = played["hit"].to_numpy(bool)
    findings: dict[str, dict[str, Any]] = {}
    replicates = []
    for finding in FINDINGS:
        own = (played["finding"] == finding).to_numpy(bool)
        findings[finding], drawn = _entry(hit, own, resampled)
        replicates += [drawn] if own.any() else []
    shares = [entry["pointing_score"] for entry in findings.values() if entry["tries"]]
    mean = float(np.mean(shares)) if shares else float("nan")
    return {
        "tolerance_px": config.pointing_tolerance_px,
        "frame_px": int(boxed.peaks["frame_px"].max()) if len(boxed.peaks) else None,
        "findings": findings,
        "mean": {
            "findings": len(shares),
            "reason": "" if shares else "no finding has a true box",
            **scored(
                "pointing",
                mean,
                mean_replicates(replicates, config),
                config,
                patients=resampled.count,
            ),
        },
        "pooled": _entry(hit, np.ones(len(hit), bool), resampled)[0],
    }


def _entry(hit: Chosen, own: Chosen, resampled: Resampled) -> tuple[dict[str, Any], Floats]:
    """The share of the chosen tries that hit, and its replicates [R]."""
    part = resampled.of(own)
    drawn = part.replicates(hit[own][:, None])[:, 0]
    share = float(hit[own].mean()) if own.any() else float("nan")
    entry = {
        "tries": int(own.sum()),
        "patients": part.count,
        "reason": lack(part.count, part.config) if own.any() else "no true box",
        **scored("pointing", share, drawn, part.config, patients=part.count),
    }
    return entry, drawn
