"""What metrics.json says: Acc and AFP by method, finding, size and T, and the pointing game.

Every share stands with its interval; the intervals resample patients, as those of the AUC do.
Undefined is NaN with a reason.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from thorax.findings import FINDINGS
from thorax.localization import pointing
from thorax.localization.acc_afp import Overlaps, false_boxes, hits, overlaps
from thorax.localization.boxed import Boxed
from thorax.localization.intervals import (
    Chosen,
    Floats,
    Resampled,
    lack,
    mean_replicates,
    rated,
    scored,
)
from thorax.localization.settings import LocalizationConfig
from thorax.localization.sizes import SIZES, size_of

Summary = dict[str, Any]
Replicates = dict[str, Floats]  # overlap, or overlap and convention of AFP -> [R, T]
_CONVENTIONS = {"afp_paper": False, "afp_poster": True}  # whether only targeted images count


def summarise(boxed: Boxed, config: LocalizationConfig) -> Summary:
    """Counts, the pointing game, and every method."""
    truth = boxed.truth
    return {
        "split": config.split,
        "images": int(truth["image"].nunique()),
        "patients": int(truth["patient"].nunique()),
        "boxes": len(truth),
        "replicates": config.replicates,
        "size_bounds_share": list(config.size_bounds_share),
        "reason": "" if len(truth) else f"no image of the {config.split} split has a true box",
        "pointing": pointing.play(boxed, config),
        "methods": {method: _method(boxed, method, config) for method in config.methods},
    }


def _method(boxed: Boxed, method: str, config: LocalizationConfig) -> Summary:
    """Every finding, the mean of those that have boxes, all boxes as one group, and by size."""
    found = overlaps(boxed.truth, boxed.detected[boxed.detected["method"] == method])
    resampled = Resampled.by_patient(boxed.truth["patient"], config)
    findings: dict[str, Summary] = {}
    drawn: list[Replicates] = []
    for finding in FINDINGS:
        own = (boxed.truth["finding"] == finding).to_numpy(bool)
        findings[finding], replicates = _acc(found, own, resampled)
        replicates |= _add_afp(findings[finding], found, finding, resampled)
        drawn += [replicates] if own.any() else []
    pooled, _ = _acc(found, np.ones(len(boxed.truth), bool), resampled)
    entries = [entry for entry in findings.values() if entry["boxes"]]
    _add_pooled_afp(pooled, entries, drawn, resampled)
    sizes = size_of(boxed.truth, config.size_bounds_share)
    return {
        "findings": findings,
        "mean": _mean(findings, drawn, resampled),
        "pooled": pooled,
        "sizes": {size: _acc(found, sizes == size, resampled)[0] for size in SIZES},
    }


def _acc(found: Overlaps, own: Chosen, resampled: Resampled) -> tuple[Summary, Replicates]:
    """Acc of the chosen true boxes [K] at every T, and its replicates."""
    part = resampled.of(own)
    entry: Summary = {
        "boxes": int(own.sum()),
        "patients": part.count,
        "reason": lack(part.count, part.config) if own.any() else "no true box",
    }
    replicates = {}
    for overlap, thresholds in _overlaps(part.config):
        hit = hits(found.truth[own], overlap, thresholds)
        shares = hit.mean(axis=0) if own.any() else np.full(len(thresholds), np.nan)
        drawn = replicates[overlap] = part.replicates(hit)
        entry[overlap] = {
            f"{threshold:g}": scored(
                "acc", shares[place], drawn[:, place], part.config, patients=part.count
            )
            for place, threshold in enumerate(thresholds)
        }
    return entry, replicates


def _add_afp(entry: Summary, found: Overlaps, finding: str, resampled: Resampled) -> Replicates:
    """Add AFP at every T in both conventions, and return its replicates."""
    boxes = len(found.truth)
    own = found.detected[found.detected["finding"] == finding]
    entry["detected"] = len(own)
    patient_of = dict(zip(found.truth["image"], resampled.patients, strict=True))
    patients = own["image"].map(patient_of).to_numpy(np.int64)
    replicates = {}
    for overlap, thresholds in _overlaps(resampled.config):
        for name, targeted_only in _CONVENTIONS.items():
            false = false_boxes(own, overlap, thresholds, targeted_only=targeted_only)
            drawn = replicates[f"{overlap} {name}"] = resampled.per_row(false, patients)
            for place, threshold in enumerate(thresholds):
                error = false[:, place].sum() / boxes if boxes else float("nan")
                cell = entry[overlap][f"{threshold:g}"]
                cell |= rated(
                    name, error, drawn[:, place], resampled.config, patients=resampled.count
                )
    return replicates


def _add_pooled_afp(
    pooled: Summary, boxed: list[Summary], drawn: list[Replicates], resampled: Resampled
) -> None:
    """AFP of the findings that have true boxes: a sum, since each counts over all true boxes."""
    config, patients = resampled.config, resampled.count
    pooled["detected"] = sum(entry["detected"] for entry in boxed)
    for overlap, threshold, name, means in _mean_afp(drawn, config):
        whole = len(boxed) * _average(boxed, overlap, threshold, f"{name}_error")
        pooled[overlap][threshold] |= rated(
            name, whole, len(boxed) * means, config, patients=patients
        )


def _mean(findings: dict[str, Summary], drawn: list[Replicates], resampled: Resampled) -> Summary:
    """Means over the findings that have true boxes; `findings` says how many those are."""
    config, patients = resampled.config, resampled.count
    boxed = [entry for entry in findings.values() if entry["boxes"]]
    mean: Summary = {"findings": len(boxed), "reason": "" if boxed else "no finding has a true box"}
    for overlap, thresholds in _overlaps(config):
        mean[overlap] = {}
        for place, threshold in enumerate(f"{value:g}" for value in thresholds):
            share = _average(boxed, overlap, threshold, "acc_score")
            means = mean_replicates([each[overlap][:, place] for each in drawn], config)
            mean[overlap][threshold] = scored("acc", share, means, config, patients=patients)
    for overlap, threshold, name, means in _mean_afp(drawn, config):
        error = _average(boxed, overlap, threshold, f"{name}_error")
        mean[overlap][threshold] |= rated(name, error, means, config, patients=patients)
    return mean


def _average(entries: list[Summary], overlap: str, threshold: str, name: str) -> float:
    values = [entry[overlap][threshold][name] for entry in entries]
    return float(np.mean(values)) if values else float("nan")


def _overlaps(config: LocalizationConfig) -> list[tuple[str, tuple[float, ...]]]:
    return [("iou", config.iou_thresholds), ("iobb", config.iobb_thresholds)]


def _mean_afp(
    drawn: list[Replicates], config: LocalizationConfig
) -> Iterator[tuple[str, str, str, Floats]]:
    """Overlap, T and convention of every AFP, and the replicates of its mean over findings."""
    for overlap, thresholds in _overlaps(config):
        for name in _CONVENTIONS:
            for place, threshold in enumerate(f"{value:g}" for value in thresholds):
                replicates = [each[f"{overlap} {name}"][:, place] for each in drawn]
                yield overlap, threshold, name, mean_replicates(replicates, config)
