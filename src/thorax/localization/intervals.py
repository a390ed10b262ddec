"""Intervals of shares by resampling patients: the hits of one patient are drawn together.

A bootstrap as that of the AUC (`thorax.evaluation.intervals`), for hits of boxes and of points.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.localization.settings import LocalizationConfig
from thorax.schemas.estimate import Estimate
from thorax.stats import shares

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class Resampled:
    """The patients of K boxes or points, and how often each patient is drawn.

    Attributes:
        patients: [K], each one's patient as a row of `drawn`.
        drawn: [P, R], how often each patient is drawn in each replicate.
        config: the stage's settings.
    """

    patients: Ints
    drawn: Floats
    config: LocalizationConfig

    @classmethod
    def by_patient(cls, patients: "pd.Series[Any]", config: LocalizationConfig) -> "Resampled":
        """Draw the patients of K rows `config.replicates` times; the same names, the same draws."""
        names, rows = np.unique(patients.to_numpy(dtype=str), return_inverse=True)
        return cls(np.asarray(rows, np.int64), _weights(len(names), config), config)

    def of(self, chosen: Chosen) -> "Resampled":
        """The same draws with only the chosen of the K rows."""
        return Resampled(self.patients[chosen], self.drawn, self.config)

    @property
    def count(self) -> int:
        """The number of patients among the K rows."""
        return int(np.unique(self.patients).size)

    def replicates(self, hits: Chosen) -> Floats:
        """The share of hits [K, T] in each replicate: [R, T]; NaN where nothing was drawn."""
        times = self.drawn[self.patients]  # [K, R]
        total = times.sum(axis=0)
        shares = np.full((self.drawn.shape[1], hits.shape[1]), np.nan)
        np.divide(times.T @ hits, total[:, None], out=shares, where=total[:, None] > 0)
        return shares

    def per_row(self, hits: Chosen, patients: Ints) -> Floats:
        """Hits of other rows [D, T] of the same patients [D], per one of the K rows: [R, T].

        NaN where none of the K rows was drawn.
        """
        rows = self.drawn[self.patients].sum(axis=0)  # [R]
        total = self.drawn[patients].T @ hits  # [R, T]
        rates = np.full(total.shape, np.nan)
        np.divide(total, rows[:, None], out=rates, where=rows[:, None] > 0)
        return rates


def rated(
    name: str, error: float, replicates: Floats, config: LocalizationConfig, *, patients: int
) -> dict[str, Any]:
    """`NAME_error`, `_low` and `_high` of a rate and its replicates [R].

    Replicates that are all alike, such as no false box at all, bound nothing: then no interval.
    """
    low, high, _ = _ends(replicates, config, patients)
    if low == high:
        low = high = float("nan")
    return {f"{name}_error": float(error), f"{name}_low": low, f"{name}_high": high}


def scored(
    name: str, score: float, replicates: Floats, config: LocalizationConfig, *, patients: int
) -> dict[str, Any]:
    """`NAME_score`, `_low`, `_high` and `_replicates` of a share and its replicates [R].

    Of fewer than `config.interval_patients_min` patients there is no interval; where all
    replicates are 0 or 1 it is the exact one over the patients.
    """
    low, high, used = _ends(replicates, config, patients)
    if low == high and low in (0, 1):
        low, high = shares.interval(low, patients, confidence=config.confidence)
    elif low == high:
        low = high = float("nan")
    return {**Estimate(float(score), low, high).entry(name), f"{name}_replicates": used}


def lack(patients: int, config: LocalizationConfig) -> str:
    """Why so few patients with a true box give no interval; empty when they are enough."""
    return shares.lack(patients, config.interval_patients_min, "with a true box")


def _ends(
    replicates: Floats, config: LocalizationConfig, patients: int
) -> tuple[float, float, int]:
    """The percentiles, NaN where none can be estimated, and how many replicates were used."""
    used = replicates[~np.isnan(replicates)]
    if not used.size or used.size < config.min_share * replicates.size or lack(patients, config):
        return float("nan"), float("nan"), int(used.size)
    tail = (1 - config.confidence) / 2
    low, high = (float(end) for end in np.quantile(used, [tail, 1 - tail]))
    return low, high, int(used.size)


def mean_replicates(replicates: list[Floats], config: LocalizationConfig) -> Floats:
    """The mean over findings in each replicate [R]; NaN where one of them drew nothing."""
    none = np.full(config.replicates, np.nan)
    return np.asarray(np.mean(replicates, axis=0)) if replicates else none


def _weights(patients: int, config: LocalizationConfig) -> Floats:
    if patients == 0:
        return np.zeros((0, config.replicates))
    drawn = np.random.default_rng(config.seed).integers(
        patients, size=(config.replicates, patients)
    )
    counts = [np.bincount(row, minlength=patients) for row in drawn]
    return np.stack(counts, axis=1).astype(np.float64)
