"""Fits the linear maps of bounding-box regression on true boxes, by ridge regression.

Every true box is paired with the nearest of the heatmap's peaks. The penalties, whether left and
right share a map, from which level a further peak gives a box, and whether boxes are refined, are
searched over small grids, by the boxes of patients that were left out. Nothing is random.

Numbers in, numbers out: which boxes may be used is `thorax.inference.fitting`'s to decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from pydantic import Field

from thorax.config import Config
from thorax.inference import refining
from thorax.inference.linear import solve
from thorax.inference.refinement import Refiner, View
from thorax.inference.refining import Penalty, RefinementConfig
from thorax.inference.regression import (
    Floats,
    Origin,
    Regressor,
    distinct,
    drawn_at,
    features,
    reaching,
)
from thorax.localization.iou import iou


class RidgeConfig(Config):
    """How the linear maps are fitted."""

    penalties: tuple[Penalty, ...] = Field(default=(1.0, 3.0, 10.0, 30.0, 100.0), min_length=1)
    """Ridge penalties that are tried, on features of unit variance."""
    least_levels: tuple[float, ...] = Field(default=(0.6, 0.7, 0.8, 0.9, 1.0), min_length=1)
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
    refinement: RefinementConfig = RefinementConfig()
    """How boxes are refined by what the image shows."""


@dataclass(frozen=True)
class Case:
    """One finding on one image.

    Attributes:
        patient: whose image it is.
        peaks: [K, 3 + 4 W], see `regression.maxima_of`.
        truth: [T, 4], true boxes: x, y, width, height in shares of the frame.
        seen: the heatmap and the image.
    """

    patient: str
    peaks: Floats
    truth: Floats
    seen: View


@dataclass(frozen=True)
class _Pairs:
    """True boxes [M, 4] and the peak [M, 3 + 4 W] that each was paired with."""

    peaks: Floats
    truth: Floats


@dataclass(frozen=True)
class _Choice:
    """What is searched for; `refinement` is the refiner's penalty, None: boxes are not refined."""

    penalty: float
    mirrored: bool
    refinement: float | None = None
    least_level: float = 1.0


def fit(cases: Sequence[Case], config: RidgeConfig, *, origin: Origin) -> Regressor | None:
    """The best map for `cases`; None where there are too few true boxes to learn from."""
    cases = [case for case in cases if len(case.peaks) and len(case.truth)]
    if len(_pairs(cases, config).truth) < config.least_boxes:
        return None
    learners = _learners(cases, config)
    best = -np.inf, _Choice(config.penalties[-1], mirrored=False)
    for penalty, mirrored in product(config.penalties, (True, False)):
        best = _better(best, _Choice(penalty, mirrored), learners, config)
    _, plain = best
    for penalty in config.refinement.penalties if config.refinement.steps else ():
        best = _better(best, replace(plain, refinement=penalty), learners, config)
    _, choice = best
    boxes = sum(len(case.truth) for case in cases)
    return _learned(learners, choice, config).model_copy(update={"boxes": boxes, "origin": origin})


def folds_of(patients: Sequence[str], count: int) -> dict[str, int]:
    """The fold of each patient: their sorted names in turn, the same for the same patients."""
    return {patient: place % count for place, patient in enumerate(sorted(set(patients)))}


@dataclass(frozen=True)
class _Learner:
    """A case, its fold, and what a refiner learns from it: features [8 T, K], offsets [8 T, 4]."""

    case: Case
    fold: int
    given: Floats
    wanted: Floats


def _learners(cases: Sequence[Case], config: RidgeConfig) -> list[_Learner]:
    folds = folds_of([case.patient for case in cases], config.folds)
    found = []
    for case in cases:
        given, wanted = np.empty((0, 0)), np.empty((0, 4))
        if config.refinement.steps:
            given, wanted = refining.examples(case.truth, case.seen, config.refinement)
        found.append(_Learner(case, folds[case.patient], given, wanted))
    return found


def _better(
    best: tuple[float, _Choice], choice: _Choice, learners: list[_Learner], config: RidgeConfig
) -> tuple[float, _Choice]:
    """The better of the best so far and a choice at any level, for patients that were left out."""
    drawn = _held_out(learners, choice, config)
    for level in config.least_levels:
        score = _score(drawn, level, config)
        if score > best[0] + 1e-9:  # of equals the first, whatever the last bits say
            best = score, replace(choice, least_level=level)
    return best


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


def _learned(learners: Sequence[_Learner], choice: _Choice, config: RidgeConfig) -> Regressor:
    """The map of a choice, learned from these cases."""
    pairs = _pairs([learner.case for learner in learners], config)
    given, sides = features(pairs.peaks, mirrored=choice.mirrored)
    centres = pairs.truth[:, :2] + pairs.truth[:, 2:] / 2
    wanted = np.column_stack(
        [(centres[:, 0] - 0.5) * sides, centres[:, 1], np.log(pairs.truth[:, 2:])]
    )
    weights, intercepts = solve(given, wanted, penalty=choice.penalty)
    smallest, largest = (
        (float(width), float(height))
        for width, height in np.round([pairs.truth[:, 2:].min(0), pairs.truth[:, 2:].max(0)], 6)
    )
    return Regressor(
        mirrored=choice.mirrored, least_level=choice.least_level, intercepts=intercepts,
        weights=weights, smallest_shares=smallest, largest_shares=largest,
        refiner=_refiner(learners, choice, config),
    )  # fmt: skip


def _refiner(learners: Sequence[_Learner], choice: _Choice, config: RidgeConfig) -> Refiner | None:
    if choice.refinement is None:
        return None
    given = np.concatenate([learner.given for learner in learners])
    wanted = np.concatenate([learner.wanted for learner in learners])
    return refining.learn(given, wanted, config.refinement, penalty=choice.refinement)


@dataclass(frozen=True)
class _Drawn:
    """The levels [K] of one case's peaks, and the IoU [K, T] of their boxes with the true ones."""

    levels: Floats
    overlaps: Floats


def _held_out(learners: list[_Learner], choice: _Choice, config: RidgeConfig) -> list[_Drawn]:
    """Every case's boxes by a map that was learned from the other folds' patients."""
    found = []
    for fold in sorted({learner.fold for learner in learners}):
        others = [learner for learner in learners if learner.fold != fold]
        if len(_pairs([learner.case for learner in others], config).truth):
            regressor = _learned(others, choice, config)
            for case in (learner.case for learner in learners if learner.fold == fold):
                boxes = drawn_at(case.peaks, regressor, case.seen)
                kept = distinct(boxes)
                found.append(_Drawn(case.peaks[kept, 2], overlap(boxes[kept], case.truth)))
    return found


def _score(drawn: list[_Drawn], level: float, config: RidgeConfig) -> float:
    """Share of true boxes found, plus their mean IoU, minus the cost of false boxes per true one.

    The mean IoU makes the choice less a matter of chance where boxes are few.
    """
    total, gain = 0, 0.0
    for case in drawn:
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
