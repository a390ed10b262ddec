"""One study to pixels: pose, body, findings, devices, exposure, noise.

Each step has its own stream of random numbers, so a finding that is left out changes only what it
covered. Nothing here depends on the processor (see `shapes`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thorax.sources.phantom import anatomy, body, lesions, png
from thorax.sources.phantom.anatomy import Scene
from thorax.sources.phantom.devices import devices
from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.patients import Lesion, Study
from thorax.sources.phantom.shapes import clouds, extent

_SHOULDER = 0.72
_BOX_LEVEL = 1 / 3  # of the lesion's strongest point


@dataclass(frozen=True)
class DrawnBox:
    """The tight box of one drawn lesion, in pixels of the image."""

    finding: str
    x_px: int
    y_px: int
    w_px: int
    h_px: int


def draw(study: Study, *, seed: int, size_px: int) -> NDArray[np.uint8]:
    """The study's image, grey levels uint8 [size_px, size_px]."""
    scene = _scene(study, seed, size_px)
    layers = [lesions.paint(scene, lesion) for lesion in study.lesions]
    dice = Dice(seed, study.patient, "exposure", study.follow_up)
    mottle = 0.015 * clouds(dice, size_px, 10) + 0.012 * clouds(dice, size_px, 40)
    field = anatomy.density(scene, np.asarray(mottle, np.float32))
    kept = scene.both * (1 - 0.6 * scene.heart)
    for layer in layers:
        kept = kept * (1 - layer.strip)
    field = field + scene.body.vessels * anatomy.vessels(scene) * kept
    for layer in layers:
        field = field + layer.add
    for layer in layers:  # fluid hides what lies in it
        field = field + np.maximum(layer.target - field, 0) * layer.veil
    field = field + devices(scene, study, seed=seed)
    return _expose(np.asarray(field, np.float32), dice, study.view)


def draw_png(study: Study, seed: int, size_px: int) -> bytes:
    """The study's image as the bytes of a PNG file."""
    return png.encode(draw(study, seed=seed, size_px=size_px))


def boxes(study: Study, *, seed: int, size_px: int) -> list[DrawnBox]:
    """Tight boxes of the study's lesions, those of the heart around the whole heart."""
    scene = _scene(study, seed, size_px)
    found = []
    for lesion in study.lesions:
        shape = lesions.paint(scene, lesion).shape
        frame = extent(shape > _BOX_LEVEL * float(shape.max()))
        if frame is not None and shape.max() > 0:
            found.append(DrawnBox(lesion.finding, *frame))
    return found


def _scene(study: Study, seed: int, size_px: int) -> Scene:
    person = body.body(seed, study.patient, sex=study.sex, age_years=study.age_years)
    dice = Dice(seed, study.patient, "pose", study.follow_up)
    shown, pose = body.posed(dice, person, study.view)
    for lesion in _ordered(study.lesions):
        shown = lesions.deform(shown, lesion)
    return Scene(size_px, shown, pose)


def _ordered(found: Sequence[Lesion]) -> list[Lesion]:
    """The heart is enlarged last, against the lungs as they are then."""
    return sorted(found, key=lambda lesion: lesion.finding == "Cardiomegaly")


def _expose(field: Field, dice: Dice, view: str) -> NDArray[np.uint8]:
    """Density to grey levels: exposure, contrast, scatter at the corners, quantum noise."""
    height, width = field.shape
    gain = dice.bell(1.06, 0.07) * (0.94 if view == "AP" else 1.0)
    offset = dice.bell(-0.02, 0.025) + (0.03 if view == "AP" else 0.0)
    curve = dice.bell(0.0, 0.14)
    grain = dice.between(4.0, 8.0) if view == "PA" else dice.between(5.5, 10.0)
    shown = field + curve * field * (1 - field)
    above = np.maximum(shown - _SHOULDER, 0)  # film saturates slowly
    shown = np.minimum(shown, _SHOULDER) + above / (1 + 1.5 * above)
    level = 255 * (offset + gain * shown)
    noise = dice.grain(height + 1, width + 1)
    smooth = (noise[1:, 1:] + noise[:-1, 1:] + noise[1:, :-1] + noise[:-1, :-1]) * 0.5
    level = level + grain * (0.55 * noise[1:, 1:] + 0.6 * smooth)
    return np.clip(np.floor(level + 0.5), 0, 255).astype(np.uint8)
