"""Ridge regression from peaks to boxes, on boxes that were made from the peaks."""

import numpy as np
import pytest

from thorax.inference.refinement import view
from thorax.inference.refining import RefinementConfig
from thorax.inference.regression import regress
from thorax.inference.ridge import Case, RidgeConfig, fit, folds_of, overlap

CONFIG = RidgeConfig(refinement=RefinementConfig(steps=0))
BLANK = view(np.zeros((8, 8), np.float32), np.zeros((64, 64), np.uint8))


def cases(count: int = 40, *, second: float = 0.3, twins: bool = False) -> list[Case]:
    """Boxes of 0.2 x 0.1 that lie 0.05 outwards of and 0.1 below the first of two peaks.

    With `twins` a box belongs to the second peak too.
    """
    chance = np.random.default_rng(5)
    found = []
    for number in range(count):
        places = np.array([chance.uniform(0.15, 0.35), chance.uniform(0.65, 0.85)])
        x = chance.permutation(places)
        y = chance.uniform(0.3, 0.6, 2)
        windows = chance.normal(0, 0.01, (2, 8))
        peaks = np.column_stack([x, y, [1.0, second], windows])
        outwards = np.where(x < 0.5, -0.05, 0.05)
        boxes = np.column_stack([x + outwards - 0.1, y + 0.05, np.full(2, 0.2), np.full(2, 0.1)])
        found.append(Case(f"patient {number // 2}", peaks, boxes if twins else boxes[:1], BLANK))
    return found


def test_the_fit_finds_where_boxes_lie_from_their_peaks() -> None:
    learned, unseen = cases()[:30], cases()[30:]
    regressor = fit(learned, CONFIG, origin="its own boxes")
    assert regressor is not None
    assert (regressor.boxes, regressor.origin) == (30, "its own boxes")
    for case in unseen:
        assert overlap(regress(case.peaks[:1], regressor), case.truth)[0, 0] > 0.7


def test_second_peaks_are_drawn_only_where_they_were_boxes() -> None:
    none = fit(cases(second=0.95), CONFIG, origin="its own boxes")
    both = fit(cases(second=0.95, twins=True), CONFIG, origin="its own boxes")
    assert none is not None
    assert both is not None
    assert none.least_level > 0.95 >= both.least_level


def test_a_false_box_that_costs_nothing_is_drawn() -> None:
    free = CONFIG.model_copy(update={"false_box_cost": 0.0})
    boxed = [Case(case.patient, case.peaks[::-1] if n % 4 else case.peaks, case.truth, BLANK)
             for n, case in enumerate(cases(second=0.95))]  # fmt: skip
    regressor = fit(boxed, free, origin="its own boxes")
    assert regressor is not None
    assert regressor.least_level <= 0.9


def test_the_same_cases_in_any_order_give_the_same_map() -> None:
    some = cases()
    first, other = (fit(given, CONFIG, origin="its own boxes") for given in (some, some[::-1]))
    assert first is not None
    assert other is not None
    np.testing.assert_allclose(first.weights, other.weights, atol=2e-6)
    assert (first.mirrored, first.least_level) == (other.mirrored, other.least_level)


def test_too_few_boxes_give_no_map() -> None:
    assert fit(cases(CONFIG.least_boxes - 1), CONFIG, origin="its own boxes") is None
    assert fit([], CONFIG, origin="its own boxes") is None


def test_true_boxes_far_from_every_peak_are_not_learned_from() -> None:
    near = cases()
    corner = np.array([[0.9, 0.9, 0.05, 0.05]])
    far = [Case("else", case.peaks, corner, BLANK) for case in near[:20]]
    without, with_far = (fit(given, CONFIG, origin="its own boxes") for given in (near, near + far))
    assert without is not None
    assert with_far is not None
    assert with_far.smallest_shares == without.smallest_shares


def test_a_patient_is_in_one_fold_and_folds_are_even() -> None:
    patients = [f"p{number // 3}" for number in range(60)]
    folds = folds_of(patients, 5)
    assert folds == folds_of(patients[::-1], 5)
    assert sorted(np.bincount(list(folds.values()))) == [4] * 5


def test_overlap_is_iou_of_every_pair() -> None:
    boxes = np.array([[0.0, 0.0, 0.2, 0.2], [0.5, 0.5, 0.2, 0.2]])
    truth = np.array([[0.0, 0.0, 0.2, 0.1], [0.5, 0.5, 0.2, 0.2], [0.1, 0.0, 0.2, 0.2]])
    np.testing.assert_allclose(overlap(boxes, truth), [[0.5, 0, 1 / 3], [0, 1, 0]])
    assert overlap(boxes, truth)[0, 0] == pytest.approx(0.5)
