"""What lies on or in the patient: side marker, ECG leads, lines, tubes; and harmless look-alikes.

Devices go with sick patients, as in hospitals, so a model can take the drain for the disease.
Nipple shadows, skin folds and old calcified spots look like findings and are none.
"""

from itertools import pairwise

import numpy as np

from thorax.sources.phantom.anatomy import Scene
from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.patients import LEFT, RIGHT, Study
from thorax.sources.phantom.shapes import band, disc, rise, stroke

_R = ("1110", "1001", "1001", "1110", "1010", "1001", "1001")
_L = ("1000", "1000", "1000", "1000", "1000", "1000", "1111")

Point = tuple[float, float]


def devices(scene: Scene, study: Study, *, seed: int) -> Field:
    """Density added by devices and look-alikes [H, W].

    Each has its own stream, so that a drain more or less moves no other.
    """
    field = np.zeros_like(scene.x)

    def dice(purpose: str) -> Dice:
        return Dice(seed, study.patient, purpose, study.follow_up)

    _leads(scene, field, study, dice("leads"))
    _lines(scene, field, study, dice("lines"))
    _drain(scene, field, study, dice("drain"))
    _pacemaker(scene, field, study, dice("pacemaker"))
    _look_alikes(scene, field, study, dice("look-alikes"))
    _marker(field, dice("marker"))
    return field


def _lines(scene: Scene, field: Field, study: Study, dice: Dice) -> None:
    """A central line, a breathing tube and a stomach tube, for some who lie in bed."""
    bed = study.view == "AP"
    tip = 0.30 + dice.between(0.08, 0.20)
    central = [(-0.13, 0.12), (-0.09, 0.20), (-0.055, 0.30), (-0.05, tip)]
    breathing = [(0.0, 0.0), (-0.003, 0.15), (0.002, dice.between(0.24, 0.33))]
    stomach = [(0.004, 0.0), (0.01, 0.3), (0.012, 0.6), (0.06, 0.86), (0.12, 0.92)]
    if dice.chance(0.35 if bed else 0.02):
        _path(scene, field, central, 0.0035, 0.17)
    if dice.chance(0.15 if bed else 0.0):
        _path(scene, field, breathing, 0.0055, 0.14)
    if dice.chance(0.14 if bed else 0.0):
        _path(scene, field, stomach, 0.004, 0.14)


def _path(
    scene: Scene, field: Field, points: list[Point], half_width: float, amount: float
) -> None:
    for start, end in pairwise(points):
        stroke(field, scene.x, scene.y, start=start, end=end, half_width=half_width, amount=amount)


def _leads(scene: Scene, field: Field, study: Study, dice: Dice) -> None:
    if not dice.chance(0.55 if study.view == "AP" else 0.03):
        return
    for side in (RIGHT, LEFT, LEFT):
        x, y = side * dice.between(0.16, 0.33), dice.between(0.2, 0.85)
        np.maximum(
            field, 0.20 * disc((scene.x - x) / 0.014, (scene.y - y) / 0.014, soft=0.3), out=field
        )
        knee = (x + side * dice.between(0.02, 0.10), y + dice.between(0.05, 0.2))
        _path(scene, field, [(x, y), knee, (side * dice.between(0.3, 0.5), 1.05)], 0.0025, 0.16)


def _drain(scene: Scene, field: Field, study: Study, dice: Dice) -> None:
    """A chest drain for some who have air or fluid around the lung."""
    for lesion in study.lesions:
        if lesion.finding in ("Pneumothorax", "Effusion") and dice.chance(0.25):
            side, top = lesion.side, dice.between(0.2, 0.4)
            way = [
                (side * 0.46, 0.72),
                (side * 0.33, 0.62),
                (side * 0.25, 0.45),
                (side * 0.20, top),
            ]
            _path(scene, field, way, 0.0055, 0.16)


def _pacemaker(scene: Scene, field: Field, study: Study, dice: Dice) -> None:
    if not dice.chance(0.10 if "Cardiomegaly" in study.present else 0.015):
        return
    np.maximum(
        field, 0.38 * disc((scene.x - 0.30) / 0.045, (scene.y - 0.24) / 0.036, soft=0.1), out=field
    )
    _path(
        scene,
        field,
        [(0.27, 0.26), (0.10, 0.22), (-0.045, 0.33), (-0.05, 0.55), (0.05, 0.72)],
        0.0035,
        0.25,
    )


def _look_alikes(scene: Scene, field: Field, study: Study, dice: Dice) -> None:
    if dice.chance(0.12):  # nipples
        height = dice.between(0.62, 0.70)
        for side in (RIGHT, LEFT):
            spot = disc((scene.x - side * 0.22) / 0.016, (scene.y - height) / 0.014, soft=0.4)
            field += np.asarray(0.055 * spot, np.float32)
    if dice.chance(0.08):  # an old calcified spot: small and very dense
        x, y = dice.pick((RIGHT, LEFT)) * dice.between(0.12, 0.26), dice.between(0.25, 0.6)
        field += np.asarray(
            0.28 * disc((scene.x - x) / 0.009, (scene.y - y) / 0.009, soft=0.3), np.float32
        )
    if study.view == "AP" and dice.chance(0.2):  # a skin fold: a step, not a line
        side = dice.pick((RIGHT, LEFT))
        off = scene.side_x[side] - dice.between(0.20, 0.28) + 0.25 * (scene.y - 0.4)
        fold = (
            rise(off / 0.05) * rise((0.004 - off) / 0.004) * band(scene.y - 0.40, 0.18, soft=0.05)
        )
        field += np.asarray(0.06 * fold, np.float32)


def _marker(field: Field, dice: Dice) -> None:
    """The letter that tells the side, at a fixed size near the top of the frame."""
    if not dice.chance(0.75):
        return
    right = dice.chance(0.6)
    unit = max(field.shape[0] // 128, 1)
    glyph = np.kron(
        np.array([[int(dot) for dot in row] for row in (_R if right else _L)]),
        np.ones((unit, unit)),
    )
    top = int(field.shape[0] * dice.between(0.03, 0.12))
    left = int(field.shape[1] * (dice.between(0.04, 0.12) if right else dice.between(0.84, 0.92)))
    height, width = glyph.shape
    field[top : top + height, left : left + width] += (0.55 * glyph).astype(np.float32)
