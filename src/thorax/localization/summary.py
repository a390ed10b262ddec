"""What metrics.json says: Acc with its interval and AFP in both conventions, per finding and T.

The intervals resample patients, as those of the AUC do. Undefined is NaN with a reason.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.findings import FINDINGS
from thorax.localization.acc_afp import (
    Overlaps,
    acc,
    acc_replicates,
    false_boxes,
    overlaps,
)
from thorax.localization.boxed import Boxed
from thorax.localization.settings import LocalizationConfig

Summary = dict[str, Any]
Floats = NDArray[np.float64]


def summarise(boxed: Boxed, config: LocalizationConfig) -> Summary:
    """Counts, and per method all findings and their mean."""
    truth = boxed.truth
    return {
        "split": config.split,
        "images": int(truth["image"].nunique()),
        "patients": int(truth["patient"].nunique()),
        "boxes": len(truth),
        "replicates": config.replicates,
        "reason": "" if len(truth) else f"no image of the {config.split} split has a true box",
        "methods": {method: _method(boxed, method, config) for method in config.methods},
    }


def _method(boxed: Boxed, method: str, config: LocalizationConfig) -> Summary:
    detected = boxed.detected[boxed.detected["method"] == method]
    found = overlaps(boxed.truth, detected)
    names, rows = np.unique(boxed.truth["patient"].to_numpy(dtype=str), return_inverse=True)
    weights = _weights(len(names), config)
    findings: dict[str, Summary] = {}
    replicates: dict[tuple[str, str], list[Floats]] = {}
    for finding in FINDINGS:
        own = (boxed.truth["finding"] == finding).to_numpy(bool)
        findings[finding] = _finding(found, finding, config, rows[own], weights, replicates)
    return {"findings": findings, "mean": _mean(findings, replicates, config)}


def _finding(
    found: Overlaps,
    finding: str,
    config: LocalizationConfig,
    patients: NDArray[np.int64],
    weights: Floats,
    replicates: dict[tuple[str, str], list[Floats]],
) -> Summary:
    """One finding at every T; its replicates are added to `replicates` for the mean."""
    entry: Summary = {
        "boxes": patients.size,
        "patients": int(np.unique(patients).size),
        "detected": int((found.detected["finding"] == finding).sum()),
        "reason": "" if patients.size else "no true box",
    }
    for overlap, thresholds in _overlaps(config):
        best = found.truth.loc[found.truth["finding"] == finding, f"best_{overlap}"].to_numpy()
        drawn = acc_replicates(best[:, None] > np.asarray(thresholds), patients, weights)
        entry[overlap] = {}
        for place, threshold in enumerate(thresholds):
            score = acc(found, finding, overlap=overlap, threshold=threshold)
            entry[overlap][f"{threshold:g}"] = {
                **_acc(score, drawn[:, place], config),
                **_afp(found, finding, overlap, threshold),
            }
            if patients.size:
                replicates.setdefault((overlap, f"{threshold:g}"), []).append(drawn[:, place])
    return entry


def _overlaps(config: LocalizationConfig) -> list[tuple[str, tuple[float, ...]]]:
    return [("iou", config.iou_thresholds), ("iobb", config.iobb_thresholds)]


def _acc(score: float, replicates: Floats, config: LocalizationConfig) -> Summary:
    used = replicates[~np.isnan(replicates)]
    low = high = float("nan")
    if used.size and used.size >= config.min_share * replicates.size:
        tail = (1 - config.confidence) / 2
        low, high = (float(end) for end in np.quantile(used, [tail, 1 - tail]))
    return {
        "acc_score": score,
        "acc_low": low,
        "acc_high": high,
        "acc_replicates": int(used.size),
    }


def _afp(found: Overlaps, finding: str, overlap: str, threshold: float) -> Summary:
    boxes = len(found.truth)
    entry = {}
    for convention, targeted_only in (("paper", False), ("poster", True)):
        count = false_boxes(
            found, finding, overlap=overlap, threshold=threshold, targeted_only=targeted_only
        )
        entry[f"afp_{convention}_error"] = count / boxes if boxes else float("nan")
    return entry


def _mean(
    findings: dict[str, Summary],
    replicates: dict[tuple[str, str], list[Floats]],
    config: LocalizationConfig,
) -> Summary:
    """Means over the findings that have true boxes; `findings` says how many those are."""
    boxed = [entry for entry in findings.values() if entry["boxes"]]
    mean: Summary = {"findings": len(boxed), "reason": "" if boxed else "no finding has a true box"}
    for overlap, thresholds in _overlaps(config):
        mean[overlap] = {}
        for threshold in (f"{value:g}" for value in thresholds):
            cells = pd.DataFrame([entry[overlap][threshold] for entry in boxed])
            drawn = replicates.get((overlap, threshold))
            none = np.full(config.replicates, np.nan)
            means = np.mean(drawn, axis=0) if drawn else none
            mean[overlap][threshold] = {
                **_acc(_average(cells, "acc_score"), means, config),
                "afp_paper_error": _average(cells, "afp_paper_error"),
                "afp_poster_error": _average(cells, "afp_poster_error"),
            }
    return mean


def _average(cells: pd.DataFrame, name: str) -> float:
    return float(cells[name].mean()) if len(cells) else float("nan")


def _weights(patients: int, config: LocalizationConfig) -> Floats:
    """How often each patient is drawn in each replicate: [P, R]."""
    if patients == 0:
        return np.zeros((0, config.replicates))
    drawn = np.random.default_rng(config.seed).integers(
        patients, size=(config.replicates, patients)
    )
    return np.stack([np.bincount(row, minlength=patients) for row in drawn], axis=1).astype(
        np.float64
    )
