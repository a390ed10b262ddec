"""What a finding does to the healthy chest's density, and what the findings' drawings share."""

from dataclasses import dataclass

import numpy as np

from thorax.sources.phantom.anatomy import Scene
from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.patients import Lesion
from thorax.sources.phantom.shapes import clouds, hump


@dataclass(frozen=True)
class Layer:
    """What a lesion does to the density; all fields float32 [H, W].

    Attributes:
        veil: 0 to 1, pulls lower densities up towards `target`.
        add: density added (negative: taken away).
        strip: 0 to 1, share of the vessels that is gone.
        shape: where the lesion is, for its box; the box spans where it exceeds a third of its
            largest value.
        target: density under a full veil.
    """

    veil: Field
    add: Field
    strip: Field
    shape: Field
    target: float = 0.68


def added(shape: Field, amount: float) -> Layer:
    """A layer that adds up to `amount` of density where `shape` is."""
    none = nothing(shape)
    return Layer(none, np.asarray(shape * amount, np.float32), none, np.asarray(shape, np.float32))


def nothing(like: Field) -> Field:
    """Zeros [H, W]."""
    return np.zeros_like(like)


def texture(scene: Scene, lesion: Lesion, cells: int) -> Field:
    """Smooth noise in [-1, 1] that is the lesion's own, in every study."""
    dice = Dice(lesion.seed, lesion.finding, lesion.side + 1, cells)
    return clouds(dice, scene.size_px, cells)


def stripes(y: Field, step: float) -> Field:
    """Thin horizontal lines, one in each `step`."""
    off = y / step - np.floor(y / step) - 0.5
    return hump((off / 0.22) * (off / 0.22))
