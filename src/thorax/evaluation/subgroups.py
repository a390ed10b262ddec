"""The same metrics for parts of the images, and how far each part lies from the rest.

Parts are sexes, age bands, views, and first or later films. A part is compared with all other
images over the findings that have both classes on both sides, in the same replicates, so that the
gap has an interval of its own; a replicate averages over the findings that it defines. One finding
may have few patients there, so what counts is the patients with any of them. The worst part is the
one of many with the largest gap: some gap is there by chance, and its interval says how much.
"""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.evaluation import estimable, intervals, metrics
from thorax.evaluation.intervals import Resampling
from thorax.evaluation.scored import Scored
from thorax.evaluation.settings import EvaluationConfig
from thorax.evaluation.summary import Summary, lack_together, summarise

_TAKEN = ("slice", "value", "images", "patients", "gap")


def slices(scored: Scored, resampling: Resampling, config: EvaluationConfig) -> list[Summary]:
    """One summary per sex, age band, view, and first or later film; each names slice and value."""
    about = scored.about
    labels = {
        "sex": _named(about["sex"]),
        "age": _age_bands(about["age_years"], config.age_bands_years),
        "view": _named(about["view"]),
        "follow-up": _films(about["follow_up"], config.later_from),
    }
    rows = []
    for name, column in labels.items():
        for value in pd.unique(column.sort_values()):
            chosen = (column == value).to_numpy(bool)
            part = summarise(scored.of(chosen), resampling.of(chosen), config)
            gap = _gap(scored, chosen, resampling, config)
            rows.append({"slice": name, "value": str(value), **part, "gap": gap})
    return rows


def brief(parts: list[Summary]) -> dict[str, Any]:
    """What metrics.json says of the parts: each one's mean AUC and gap, and the worst of them."""
    rows = [{**{key: part[key] for key in _TAKEN}, "mean": part["mean"]} for part in parts]
    known = [row for row in rows if not np.isnan(row["gap"]["difference_low"])]
    worst = min(known, key=lambda row: float(row["gap"]["difference_score"]), default=None)
    return {"parts": rows, "worst": worst}


def _gap(
    scored: Scored, chosen: NDArray[np.bool_], resampling: Resampling, config: EvaluationConfig
) -> Summary:
    """Mean AUC of the chosen images minus that of the others, over findings that both can show."""
    sides = [(scored.of(rows), resampling.of(rows)) for rows in (chosen, ~chosen)]
    defined = np.logical_and(*(_is_defined(part) for part, _ in sides))
    reason = lack_together(sides[0], defined, config) or lack_together(sides[1], defined, config)
    if not defined.any():
        reason = "not compared: no finding has both classes here and elsewhere"
        return {"findings": 0, **dict.fromkeys(_GAP, np.nan), "reason": reason}
    areas, replicates = [], []
    for part, draws in sides:
        arrays = part.targets[:, defined], part.logits[:, defined]
        known = part.known[:, defined]
        areas.append(float(metrics.auc(*arrays, known=known).mean()))
        replicates.append(intervals.auc_replicates(*arrays, draws, known=known))
    drawn = intervals.mean_replicates(replicates[0] - replicates[1])
    ends = estimable.interval(drawn, config, lacking=reason)
    values = (areas[0], areas[1], areas[0] - areas[1], ends.low, ends.high)
    return {
        "findings": int(defined.sum()), **dict(zip(_GAP, values, strict=True)),
        "reason": ends.reason,
    }  # fmt: skip


_GAP = ("auc_score", "rest_auc_score", "difference_score", "difference_low", "difference_high")


def _is_defined(part: Scored) -> NDArray[np.bool_]:
    """Which findings have both classes: [F]."""
    reasons = metrics.undefined_reasons(part.targets, known=part.known)
    return np.array([reason is None for reason in reasons])


def _named(column: pd.Series) -> pd.Series:
    return column.fillna("").astype(str).replace("", "unknown")


def _films(follow_up: pd.Series, later_from: int) -> pd.Series:
    """`first film` below the number `later_from`, `later film` from it on."""
    numbers = follow_up.to_numpy(np.float64, na_value=np.nan)
    names = np.where(numbers >= later_from, "later film", "first film")
    return pd.Series(np.where(np.isnan(numbers), "unknown", names), index=follow_up.index)


def _age_bands(ages: pd.Series, bands: tuple[float, ...]) -> pd.Series:
    """`18-39` and so on; a band begins at its first age in years and ends before the next."""
    if not bands:
        return pd.Series("all", index=ages.index)
    starts = [f"{start:g}" for start in bands]
    middle = [f"{a:g}-{b - 1:g}" for a, b in itertools.pairwise(bands)]
    names = np.array([f"under {starts[0]}", *middle, f"{starts[-1]} and over", "unknown"])
    place = np.searchsorted(np.asarray(bands), ages.to_numpy(np.float64, na_value=np.nan), "right")
    place[ages.isna().to_numpy()] = len(bands) + 1
    order = pd.CategoricalDtype(list(names), ordered=True)
    return pd.Series(names[place], index=ages.index).astype(order)
