"""Fits what refines boxes, on true boxes that were moved and stretched on purpose.

Each true box gives eight wrong ones, and how to undo what was done: a half replicate of all ways to
move it left or right, up or down, and to make it wider or narrower, higher or lower (Box and
Hunter, Technometrics 1961). Nothing is random.
"""

from itertools import product
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from thorax.config import Config
from thorax.inference.linear import solve
from thorax.inference.refinement import MOST_STEPS, Floats, Refiner, View, features, offsets

_WRONG: Final = np.array([(x, y, w, x * y * w) for x, y, w in product((-1, 1), repeat=3)], float)


Penalty = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RefinementConfig(Config):
    """How boxes are refined, and how that is learned."""

    steps: int = Field(default=4, ge=0, le=MOST_STEPS)
    """How often a box is moved and stretched; 0: it stays as regression draws it."""
    window_sides: float = Field(default=1.8, gt=0, le=10)
    """Width and height of the window that is looked at, in widths and heights of the box."""
    least_window_share: float = Field(default=0.12, gt=0, lt=1)
    """No window is narrower or lower than this share of the frame."""
    wrong_share: float = Field(default=0.15, gt=0, lt=1)
    """How far true boxes are moved and stretched to learn from, in their sides."""
    penalties: tuple[Penalty, ...] = Field(default=(3.0, 10.0, 30.0), min_length=1)
    """Ridge penalties that are tried, on features of unit variance."""


def examples(truth: Floats, seen: View, config: RefinementConfig) -> tuple[Floats, Floats]:
    """Features [8 T, 107] and offsets [8 T, 4] of wrong boxes about T true ones [T, 4]."""
    given, wanted = [], []
    for box in truth:
        for signs in _WRONG * config.wrong_share:
            wrong = _wrong(box, signs)
            found, side = features(
                wrong, seen, window_sides=config.window_sides,
                least_window_share=config.least_window_share,
            )  # fmt: skip
            given.append(found)
            wanted.append(offsets(wrong, box, side))
    return np.array(given), np.array(wanted)


def _wrong(box: Floats, by: Floats) -> Floats:
    """A true box [4] moved and stretched, cut at the frame's edges."""
    centre = np.clip(box[:2] + box[2:] / 2 + by[:2] * box[2:], 0, 1)
    size = box[2:] * np.exp(by[2:])
    corner = np.clip(centre - size / 2, 0, 1)
    return np.concatenate([corner, np.clip(centre + size / 2, 0, 1) - corner])


def learn(given: Floats, wanted: Floats, config: RefinementConfig, *, penalty: float) -> Refiner:
    """The refiner of examples [8 T, 107] and [8 T, 4]; a true box counts as one, not as eight."""
    weights, intercepts = solve(given, wanted, penalty=penalty * len(_WRONG))
    return Refiner(
        steps=config.steps, window_sides=config.window_sides,
        least_window_share=config.least_window_share, intercepts=intercepts, weights=weights,
    )  # fmt: skip
