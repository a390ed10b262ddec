"""The same metrics for parts of the images, and how far each part lies from the rest.

Parts are sexes, age bands, views, and first or later films. A part is compared with all other
images over the findings that have enough patients of both classes on both sides, in the same
replicates, so that the gap has an interval of its own. The worst part is the one of many with the
largest gap: some gap is there by chance, and its interval says how much.
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
from thorax.evaluation.summary import Summary, summarise

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
    sides = (chosen, ~chosen)
    columns = [
        column
        for column in range(len(scored.findings))
        if not any(_lack(scored, column, side, resampling, config) for side in sides)
    ]
    if not columns:
        reason = (
            "not compared: no finding has "
            f"{config.interval_patients_min} patients of each class here and elsewhere"
        )
        return {"findings": 0, **dict.fromkeys(_GAP, np.nan), "reason": reason}
    means, drawn = [], []
    for side in sides:
        part = scored.of(side)
        y_true, y_score, known = (
            each[:, columns] for each in (part.targets, part.logits, part.known)
        )
        means.append(float(metrics.auc(y_true, y_score, known=known).mean()))
        replicates = intervals.auc_replicates(y_true, y_score, resampling.of(side), known=known)
        drawn.append(replicates.mean(axis=1))
    ends = estimable.interval(drawn[0] - drawn[1], config)
    values = (means[0], means[1], means[0] - means[1], ends.low, ends.high)
    return {
        "findings": len(columns), **dict(zip(_GAP, values, strict=True)), "reason": ends.reason
    }  # fmt: skip


_GAP = ("auc_score", "rest_auc_score", "difference_score", "difference_low", "difference_high")


def _lack(
    scored: Scored, column: int, side: NDArray[np.bool_], resampling: Resampling,
    config: EvaluationConfig,
) -> str:  # fmt: skip
    support = estimable.count(
        scored.targets[side, column], resampling.patient[side], scored.known[side, column]
    )
    return support.lack(config.interval_patients_min)


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
