"""Fits the linear maps of bounding-box regression on true boxes, by ridge regression.

Hoerl and Kennard, Technometrics 1970. Every true box is paired with the nearest of the heatmap's
peaks. The penalty, whether left and right share a map, and from which level a further peak gives a
box are searched over a small grid, by the boxes of patients that were left out. Nothing is random.

Numbers in, numbers out: which boxes may be used is `thorax.inference.fitting`'s to decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from pydantic import Field

from thorax.config import Config
from thorax.inference.regression import (
    Floats,
    Origin,
    Regressor,
    features,
    reaching,
    regress,
)
from thorax.localization.iou import iou


class RidgeConfig(Config):
    """How the linear maps are fitted."""

    penalties: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0)
    """Ridge penalties that are tried, on features of unit variance."""
    least_levels: tuple[float, ...] = (0.6, 0.7, 0.8, 0.9, 1.0)
    """Levels from which a further peak gives a box that are tried; 1: never."""
    folds: int = Field(default=5, ge=2)
    """Parts into which patients are divided when boxes are fitted on the others' boxes."""
    false_box_cost: float = Field(default=0.2, ge=0)
    """What a false box costs, in true boxes found."""
    iou_threshold: float = Field(default=0.5, gt=0, lt=1)
    """A true box is found by a box whose IoU with it exceeds this."""
    farthest_share: float = Field(default=0.25, gt=0)
    """True boxes farther than this from every peak are not learned from (share of the frame)."""
    least_boxes: int = Field(default=12, ge=2)
    """A finding with fewer true boxes takes the map fitted on the boxes of all findings."""


@dataclass(frozen=True)
class Case:
    """One finding on one image.

    Attributes:
        patient: whose image it is.
        peaks: [K, 3 + 4 W], see `regression.maxima_of`.
        truth: [T, 4], true boxes: x, y, width, height in shares of the frame.
    """

    patient: str
    peaks: Floats
    truth: Floats


@dataclass(frozen=True)
class _Pairs:
    """True boxes [M, 4] and the peak [M, 3 + 4 W] that each was paired with."""

    peaks: Floats
    truth: Floats


def fit(cases: Sequence[Case], config: RidgeConfig, *, origin: Origin) -> Regressor | None:
    """The best map for `cases`; None where there are too few true boxes to learn from."""
    cases = [case for case in cases if len(case.peaks) and len(case.truth)]
    pairs = _pairs(cases, config)
    if len(pairs.truth) < config.least_boxes:
        return None
    folds = folds_of([case.patient for case in cases], config.folds)
    best, chosen = -np.inf, (config.penalties[-1], False, 1.0)
    for penalty, mirrored in product(config.penalties, (True, False)):
        tried = _held_out(cases, folds, config, penalty=penalty, mirrored=mirrored)
        for level in config.least_levels:
            score = _score(tried, level, config)
            if score > best + 1e-9:  # of equals the first, whatever the last bits say
                best, chosen = score, (penalty, mirrored, level)
    penalty, mirrored, level = chosen
    fitted = _solve(pairs, penalty=penalty, mirrored=mirrored)
    update = {"least_level": level, "boxes": sum(len(case.truth) for case in cases)}
    return fitted.model_copy(update={**update, "origin": origin})


def folds_of(patients: Sequence[str], count: int) -> dict[str, int]:
    """The fold of each patient: their sorted names in turn, the same for the same patients."""
    return {patient: place % count for place, patient in enumerate(sorted(set(patients)))}


def _pairs(cases: Sequence[Case], config: RidgeConfig) -> _Pairs:
    peaks, truth = [], []
    for case in cases:
        for box in case.truth:
            centre = box[:2] + box[2:] / 2
            distances = np.hypot(*(case.peaks[:, :2] - centre).T)
            nearest = int(distances.argmin())
            if distances[nearest] <= config.farthest_share:
                peaks.append(case.peaks[nearest])
                truth.append(box)
    return _Pairs(np.array(peaks), np.array(truth))


def _solve(pairs: _Pairs, *, penalty: float, mirrored: bool) -> Regressor:
    """Ridge regression on features of unit variance; the intercept is not penalised."""
    given, sides = features(pairs.peaks, mirrored=mirrored)
    centres = pairs.truth[:, :2] + pairs.truth[:, 2:] / 2
    wanted = np.column_stack(
        [(centres[:, 0] - 0.5) * sides, centres[:, 1], np.log(pairs.truth[:, 2:])]
    )
    mean, spread = given.mean(axis=0), given.std(axis=0) + 1e-6
    scaled, middle = (given - mean) / spread, wanted.mean(axis=0)
    gram = scaled.T @ scaled + penalty * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ (wanted - middle)).T / spread  # [4, K]
    intercepts = middle - weights @ mean
    # rounded: the last bits depend on the processor, and predictor.json should not
    return Regressor(
        mirrored=mirrored,
        intercepts=tuple(np.round(intercepts, 6).tolist()),
        weights=tuple(tuple(row) for row in np.round(weights, 6).tolist()),
        smallest_shares=tuple(np.round(pairs.truth[:, 2:].min(axis=0), 6).tolist()),
        largest_shares=tuple(np.round(pairs.truth[:, 2:].max(axis=0), 6).tolist()),
    )


@dataclass(frozen=True)
class _Tried:
    """The peaks' levels [K] of one case, and the IoU [K, T] of their boxes with the true ones."""

    levels: Floats
    overlaps: Floats


def _held_out(
    cases: Sequence[Case], folds: dict[str, int], config: RidgeConfig,
    *, penalty: float, mirrored: bool,
) -> list[_Tried]:  # fmt: skip
    """Every case's boxes by a map that was fitted on the other folds' patients."""
    found = []
    for fold in sorted(set(folds.values())):
        pairs = _pairs([case for case in cases if folds[case.patient] != fold], config)
        if len(pairs.truth):
            regressor = _solve(pairs, penalty=penalty, mirrored=mirrored)
            for case in cases:
                if folds[case.patient] == fold:
                    overlaps = overlap(regress(case.peaks, regressor), case.truth)
                    found.append(_Tried(case.peaks[:, 2], overlaps))
    return found


def _score(tried: list[_Tried], level: float, config: RidgeConfig) -> float:
    """Share of true boxes found, plus their mean IoU, minus the cost of false boxes per true one.

    The mean IoU makes the choice less a matter of chance where boxes are few.
    """
    total, gain = 0, 0.0
    for case in tried:
        overlaps = case.overlaps[reaching(case.levels, level)]
        best = overlaps.max(axis=0)
        false = (overlaps.max(axis=1) <= config.iou_threshold).sum()
        gain += float((best > config.iou_threshold).sum() + best.sum())
        gain -= config.false_box_cost * float(false)
        total += len(best)
    return gain / total if total else -np.inf


def overlap(boxes: Floats, truth: Floats) -> Floats:
    """IoU of each box with each true one, [K, T]."""
    first = np.repeat(boxes, len(truth), axis=0)
    second = np.tile(truth, (len(boxes), 1))
    return iou(first, second).reshape(len(boxes), len(truth))
