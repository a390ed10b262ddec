"""Boxes about shapes that are plain to see, moved by maps whose answer is known or learned."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from thorax.inference.boxes import boxes_of
from thorax.inference.refinement import (
    SIDE_PX,
    Refiner,
    features,
    offsets,
    refine,
    shifted,
    view,
)
from thorax.inference.refining import RefinementConfig, examples, learn
from thorax.inference.regression import BoxMaker, default_regressor, distinct
from thorax.inference.ridge import Case, RidgeConfig, fit, overlap

NO_LIMITS = {"smallest": (0.0, 0.0), "largest": (1.0, 1.0)}
WINDOW = {"window_sides": 1.8, "least_window_share": 0.12}
FLAT = np.zeros((16, 16), np.float32)


def film(box: np.ndarray, side: int = 256, level: int = 200) -> np.ndarray:
    """A grey film [S, S] with a bright rectangle: x, y, width, height in shares."""
    pixels = np.full((side, side), 60, np.uint8)
    x, y, w, h = np.round(box * side).astype(int)
    pixels[y : y + h, x : x + w] = level
    return pixels


def refiner(**changes: object) -> Refiner:
    """One that does nothing, but for the changes."""
    still = {"steps": 1, **WINDOW, "intercepts": (0, 0, 0, 0), "weights": ((0.0,) * 107,) * 4}
    return Refiner.model_validate({**still, **changes})


def test_offsets_lead_from_a_box_to_the_true_one() -> None:
    box, truth = np.array([0.2, 0.3, 0.2, 0.1]), np.array([0.3, 0.25, 0.1, 0.2])
    by = offsets(box, truth, 1.0)
    # the centre moves from 0.3, 0.35 to 0.35, 0.35: a quarter of the width
    np.testing.assert_allclose(by, [0.25, 0, np.log(0.5), np.log(2)], atol=1e-12)
    np.testing.assert_allclose(offsets(box, truth, -1.0)[0], -0.25)
    for side in (1.0, -1.0):
        moved = shifted(box, offsets(box, truth, side), side, (0, 0), (1, 1))
        np.testing.assert_allclose(moved, truth, atol=1e-12)


def test_a_box_stays_within_its_sizes_and_the_frame() -> None:
    chance = np.random.default_rng(1)
    for _ in range(200):
        box = np.concatenate([chance.uniform(0, 0.5, 2), chance.uniform(0.05, 0.5, 2)])
        moved = shifted(box, chance.normal(0, 2, 4), 1.0, (0.1, 0.2), (0.3, 0.4))
        assert (moved[:2] >= 0).all()
        assert (moved[:2] + moved[2:] <= 1 + 1e-12).all()
        assert (moved[2:] <= np.array([0.3, 0.4]) + 1e-12).all()
        assert (moved[2:] > 0).all()


def test_the_window_holds_what_is_about_the_box() -> None:
    box = np.array([0.625, 0.375, 0.125, 0.25])
    seen = view(np.eye(8, dtype=np.float32), film(box))
    given, side = features(box, seen, window_sides=2.0, least_window_share=0.1)
    assert side == 1
    np.testing.assert_allclose(
        given[:7],
        [0.1875, 0.5, 0.1875**2, 0.25, 0.1875 * 0.5, np.log(0.125), np.log(0.25)],
    )
    cells = given[43:].reshape(8, 8)  # the box fills the middle 4 x 4 of 8 x 8
    assert cells[2:6, 2:6].min() > 1 > 0 > cells[:2].max()
    assert cells[:, :2].max() < 0


def test_a_film_in_the_mirror_is_refined_to_the_mirrored_box() -> None:
    chance = np.random.default_rng(2)
    noise = chance.integers(0, 256, (SIDE_PX, SIDE_PX), dtype=np.uint8)
    heatmap = chance.random((16, 16)).astype(np.float32)
    any_map = refiner(
        steps=3,
        intercepts=(0.1, -0.1, 0.05, 0.0),
        weights=tuple(map(tuple, chance.normal(0, 0.02, (4, 107)).tolist())),
    )
    box = np.array([[0.2, 0.4, 0.15, 0.2]])
    mirrored = np.array([[1 - 0.2 - 0.15, 0.4, 0.15, 0.2]])
    one = refine(box, view(heatmap, noise), any_map, **NO_LIMITS)[0]
    other = refine(
        mirrored,
        view(np.ascontiguousarray(heatmap[:, ::-1]), np.ascontiguousarray(noise[:, ::-1])),
        any_map,
        **NO_LIMITS,
    )[0]
    assert abs(one - box[0]).max() > 0.01
    np.testing.assert_allclose(other, [1 - one[0] - one[2], *one[1:]], atol=1e-4)


@pytest.mark.parametrize("side", [64, 128, 512])
def test_films_of_any_size_look_alike(side: int) -> None:
    box = np.array([0.25, 0.5, 0.25, 0.125])
    small, usual = (view(FLAT, film(box, size)).pixels for size in (side, 256))
    assert small.shape == (SIDE_PX, SIDE_PX)
    assert np.abs(small - usual).mean() < 0.01


def test_what_is_learned_brings_a_box_to_the_shape_on_films_that_were_not_learned_from() -> None:
    chance = np.random.default_rng(3)
    config = RefinementConfig()

    def some(count: int) -> list[np.ndarray]:
        return [
            np.concatenate([chance.uniform(0.1, 0.6, 2), chance.uniform(0.12, 0.24, 2)])
            for _ in range(count)
        ]

    learned = [examples(box[None], view(FLAT, film(box)), config) for box in some(40)]
    given, wanted = (np.concatenate(part) for part in zip(*learned, strict=True))
    assert given.shape == (320, 107)
    found = learn(given, wanted, config, penalty=3.0)
    before, after = [], []
    for box in some(30):
        start = np.concatenate([box[:2] + chance.uniform(-0.03, 0.03, 2), box[2:] * 1.25])[None]
        end = refine(start, view(FLAT, film(box)), found, **NO_LIMITS)
        before.append(overlap(start, box[None])[0, 0])
        after.append(overlap(end, box[None])[0, 0])
    assert np.median(after) > 0.8 > np.median(before) + 0.1


def seen_cases(count: int, *, shown: bool) -> list[Case]:
    """Peaks that lie near a box; the film shows the box, or nothing."""
    chance = np.random.default_rng(4)
    found = []
    for number in range(count):
        box = np.concatenate(
            [chance.uniform(0.55, 0.7, 1), chance.uniform(0.2, 0.6, 1), [0.2, 0.2]]
        )
        peak = [*(box[:2] + 0.1 + chance.uniform(-0.08, 0.08, 2)), 1.0, *np.zeros(8)]
        pixels = film(box) if shown else np.full((64, 64), 60, np.uint8)
        found.append(Case(str(number), np.array([peak]), box[None], view(FLAT, pixels)))
    return found


def test_boxes_are_refined_where_the_image_shows_them_better_than_the_heatmap() -> None:
    told = fit(seen_cases(60, shown=True), RidgeConfig(), origin="its own boxes")
    assert told is not None
    assert told.refiner is not None
    plain = fit(
        seen_cases(60, shown=True),
        RidgeConfig(refinement=RefinementConfig(steps=0)),
        origin="its own boxes",
    )
    assert plain is not None
    assert plain.refiner is None
    maker = BoxMaker(method="regression", regressors={"Mass": told, "Nodule": plain})
    cells = np.zeros((16, 16), np.float32)
    cells[6, 10] = 1  # at 0.66, 0.41: some 0.05 from the true centre
    truth = np.array([0.6, 0.35, 0.2, 0.2])
    refined, unrefined = (
        overlap(np.array([[box.x_px, box.y_px, box.w_px, box.h_px]]), truth[None])[0, 0]
        for name in ("Mass", "Nodule")
        for box in boxes_of(cells, film(truth), maker, finding=name, frame_px=1, score=1.0)
    )
    assert refined > 0.8 > unrefined


def test_without_other_patients_to_judge_by_boxes_are_not_refined() -> None:
    cases = [replace(case, patient="one") for case in seen_cases(30, shown=True)]
    alone = fit(cases, RidgeConfig(), origin="its own boxes")
    assert alone is not None
    assert alone.refiner is None


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": ((0.0,) * 10,) * 4},
        {"weights": ((0.0,) * 107,) * 3},
        {"steps": -1},
        {"steps": 10**9},
        {"window_sides": 0.0},
        {"intercepts": (float("nan"), 0, 0, 0)},
    ],
)
def test_a_broken_refiner_is_no_refiner(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        refiner(**changes)


@pytest.mark.parametrize("penalty", [0.0, -3.0, float("nan")])
def test_penalties_are_above_0(penalty: float) -> None:
    for config in (RidgeConfig, RefinementConfig):
        with pytest.raises(ValidationError):
            config(penalties=(penalty,))


def test_a_box_never_shrinks_to_nothing() -> None:
    smaller = refiner(steps=20, intercepts=(0, 0, -9, -9))
    box = np.array([[0.4, 0.4, 0.01, 0.01]])
    end = refine(box, view(FLAT, film(box[0])), smaller, **NO_LIMITS)
    assert (end[:, 2:] >= 1e-3 - 1e-9).all()


def test_of_two_boxes_that_come_together_only_the_first_is_drawn() -> None:
    boxes = np.array([[0.1, 0.1, 0.2, 0.2], [0.12, 0.1, 0.2, 0.2], [0.5, 0.5, 0.2, 0.2]])
    assert distinct(boxes) == [0, 2]
    assert distinct(boxes[:0]) == []
    cells = np.zeros((16, 16), np.float32)
    cells[8, 6] = 1.0
    cells[8, 9] = 0.9
    wide = default_regressor(2).model_copy(
        update={"least_level": 0.5, "smallest_shares": (0.6, 0.6)}
    )
    maker = BoxMaker(method="regression", regressors={"Mass": wide})
    film_ = np.zeros((64, 64), np.uint8)
    assert len(boxes_of(cells, film_, maker, finding="Mass", frame_px=1, score=1.0)) == 1
