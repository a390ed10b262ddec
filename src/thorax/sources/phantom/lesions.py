"""How each of the fourteen findings looks: a layer over the healthy chest, or another body.

The looks follow what radiology textbooks describe (meniscus, bat-wing haze, air bronchogram,
pleural line ...), in our own schematic drawing. A finding on two sides is two lesions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from thorax.sources.phantom.anatomy import Body, Scene
from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.patients import RIGHT, Lesion
from thorax.sources.phantom.shapes import band, clouds, disc, hump, rise, root


@dataclass(frozen=True)
class Layer:
    """What a lesion does to the density; all fields float32 [H, W].

    Attributes:
        veil: 0 to 1, pulls the density towards `target`.
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


def deform(shown: Body, lesion: Lesion) -> Body:
    """The body with what the lesion does to its proportions."""
    much = lesion.severity
    if lesion.finding == "Cardiomegaly":
        return _enlarge_heart(shown, 0.555 + 0.10 * much)
    if lesion.finding == "Emphysema":
        return _inflate(shown, lesion)
    if lesion.finding == "Atelectasis":
        return _raise_dome(shown, lesion.side, 0.018 + 0.030 * much)
    if lesion.finding == "Fibrosis":
        return _raise_dome(shown, lesion.side, 0.008 + 0.015 * much)
    if lesion.finding == "Edema":
        return replace(shown, vessels=shown.vessels * (1.05 + 0.18 * much))
    return shown


def _enlarge_heart(shown: Body, ratio: float) -> Body:
    now = shown.heart_left + shown.heart_right
    factor = max(ratio * (shown.lung_left + shown.lung_right) / now, 1.04)
    grown = replace(
        shown, heart_left=shown.heart_left * factor, heart_right=shown.heart_right * factor
    )
    return replace(grown, heart_y=shown.heart_y - 0.012)


def _inflate(shown: Body, lesion: Lesion) -> Body:
    lower = 0.022 + 0.035 * lesion.severity
    flat = 0.70 - 0.25 * lesion.severity
    common = replace(
        shown,
        angle=shown.angle * flat,
        heart_left=shown.heart_left * 0.95,
        heart_right=shown.heart_right * 0.95,
        vessels=shown.vessels * 0.93,
    )
    if lesion.side == RIGHT:
        return replace(
            common, dome_right=shown.dome_right + lower, lung_right=shown.lung_right + 0.008
        )
    return replace(common, dome_left=shown.dome_left + lower, lung_left=shown.lung_left + 0.008)


def _raise_dome(shown: Body, side: int, by: float) -> Body:
    if side == RIGHT:
        return replace(shown, dome_right=shown.dome_right - by)
    return replace(shown, dome_left=shown.dome_left - by)


def paint(scene: Scene, lesion: Lesion) -> Layer:
    """The lesion's layer over the (already deformed) scene."""
    return _PAINTERS[lesion.finding](scene, lesion)


def _atelectasis(scene: Scene, lesion: Lesion) -> Layer:
    """Plates above the diaphragm; in the larger ones a wedge at the lung's base."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    middle = 0.165 + 0.06 * lesion.across
    base = (scene.body.dome_right if lesion.side == RIGHT else scene.body.dome_left) - 0.055
    tilt = (lesion.size - 0.5) * 0.9
    shape = np.zeros_like(x)
    for step in range(1 + int(lesion.height * 2.2)):
        off = y - (base - 0.045 * step) - tilt * (x - middle) + 1.5 * (x - middle) * (x - middle)
        long = 0.075 + 0.035 * lesion.size - 0.015 * step
        u = (x - middle) / long
        plate = band(off, 0.0065 + 0.004 * lesion.severity, soft=0.006) * rise((1 - u * u) / 0.4)
        shape = np.maximum(shape, plate)
    if lesion.height > 0.6:
        wedge = rise((0.165 - x - 0.8 * (base + 0.02 - y)) / 0.03) * rise((y - base + 0.07) / 0.06)
        shape = np.maximum(shape, 0.8 * wedge)
    shape = shape * lung
    return _added(shape, 0.10 + 0.13 * lesion.severity)


def _cardiomegaly(scene: Scene, lesion: Lesion) -> Layer:
    return _added(scene.heart, 0.0)


def _effusion(scene: Scene, lesion: Lesion) -> Layer:
    """Fluid that fills the angle and climbs the chest wall (meniscus)."""
    side = lesion.side
    x, y, lung = scene.side_x[side], scene.y, scene.lungs[side]
    wall = scene.body.lung_right if side == RIGHT else scene.body.lung_left
    top = scene.body.dome_right if side == RIGHT else scene.body.dome_left
    much = lesion.severity * lesion.severity
    level = top + scene.body.angle * 0.55 - 0.035 - 0.24 * much
    across = np.clip((x - 0.06) / (wall - 0.06), 0, 1.2)
    climb = (0.085 + 0.05 * lesion.size) * across * across * across
    shape = rise((y - level + climb) / 0.016) * lung
    return Layer(shape * 0.92, _none(x), shape, shape, target=0.71)


def _infiltration(scene: Scene, lesion: Lesion) -> Layer:
    """Several ill-defined patches of low density."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    cx, cy = 0.14 + 0.09 * lesion.across, 0.36 + 0.28 * lesion.height
    reach = 0.15 + 0.05 * lesion.size
    u, v = (x - cx) / (reach * 0.85), (y - cy) / reach
    patches = rise((_clouds(scene, lesion, 15) + 0.10) / 0.35)
    fine = 0.8 + 0.4 * _clouds(scene, lesion, 34)
    shape = hump((u * u + v * v) * 0.8) * patches * fine * lung
    return _added(shape, 0.11 + 0.12 * lesion.severity)


def _mass(scene: Scene, lesion: Lesion) -> Layer:
    """Lobulated, of more than 3 cm: a radius of 0.045 of the frame and more."""
    return _round(
        scene, lesion, 0.042 + 0.036 * lesion.size, lobes=0.22, amount=0.13 + 0.12 * lesion.severity
    )


def _nodule(scene: Scene, lesion: Lesion) -> Layer:
    """Round, of less than 3 cm; two or three where `size` is large."""
    radius = 0.017 + 0.012 * lesion.size
    layer = _round(scene, lesion, radius, lobes=0.06, amount=0.15 + 0.12 * lesion.severity)
    return layer


def _round(scene: Scene, lesion: Lesion, radius: float, *, lobes: float, amount: float) -> Layer:
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    cy = 0.25 + 0.40 * lesion.height
    room = 0.14 + 0.17 * rise(np.asarray((cy - 0.25) / 0.2))
    cx = 0.125 + radius * 0.5 + (float(room) - 0.10 - radius) * lesion.across
    u, v = (x - cx) / radius, (y - cy) / radius
    wavy = 1 + lobes * _clouds(scene, lesion, 18)
    shape = disc(u / wavy, v / wavy, soft=0.22) * lung
    dome = 0.65 + 0.35 * root(1 - u * u - v * v)
    return Layer(_none(x), shape * dome * amount, _none(x), shape)


def _pneumonia(scene: Scene, lesion: Lesion) -> Layer:
    """One ill-defined focus of middle density with small airspaces."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    cx, cy = 0.13 + 0.10 * lesion.across, 0.52 + 0.16 * lesion.height
    reach = 0.105 + 0.045 * lesion.size
    u, v = (x - cx) / reach, (y - cy) / reach
    uneven = 1 + 0.30 * _clouds(scene, lesion, 12)
    spotted = 0.78 + 0.44 * rise(_clouds(scene, lesion, 48) / 0.5)
    shape = hump((u * u + v * v) / (uneven * uneven) * 0.62) * spotted * lung
    return _added(shape, 0.17 + 0.14 * lesion.severity)


def _pneumothorax(scene: Scene, lesion: Lesion) -> Layer:
    """A black rim without vessels outside a thin white pleural line, widest at the tip."""
    side = lesion.side
    x, y, lung = scene.side_x[side], scene.y, scene.lungs[side]
    gap = 0.020 + 0.055 * lesion.severity + 0.015 * lesion.size
    reach = 0.55 + 0.25 * lesion.severity
    fade = rise((reach - y) / 0.12)
    drop = scene.body.apex + gap * 1.35
    t = np.clip((y - drop) / 0.46, 0, 1)
    wall = scene.body.lung_right if side == RIGHT else scene.body.lung_left
    edge = (
        0.150 + (wall - 0.150) * np.sqrt(t * (2 - t)) - gap * fade - 0.3 * np.maximum(drop - y, 0)
    )
    free = rise((x - edge) / 0.006) * fade
    free = np.maximum(free, rise((drop - y) / 0.006)) * lung
    line = band(x - edge, 0.0035, soft=0.0035) * rise((y - drop) / 0.01) * fade * lung
    add = 0.16 * line - (0.075 + 0.025 * lesion.severity) * free
    return Layer(
        _none(x),
        np.asarray(add, np.float32),
        np.asarray(free, np.float32),
        np.asarray(free, np.float32),
    )


def _consolidation(scene: Scene, lesion: Lesion) -> Layer:
    """A dense lobe ending sharply at its fissure, with air-filled bronchi in it."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    upper = lesion.height > 0.5
    fissure = (
        (0.43 if upper else 0.56) + 0.06 * lesion.across + (lesion.size - 0.5) * 0.35 * (x - 0.18)
    )
    side_ = rise((fissure - y) / 0.008) if upper else rise((y - fissure) / 0.008)
    far = rise((y - fissure + 0.23) / 0.09) if upper else rise((fissure + 0.20 - y) / 0.09)
    across = rise((x - 0.05) / 0.05) * rise((0.30 + 0.04 * lesion.size - x) / 0.07)
    bronchi = hump((_clouds(scene, lesion, 12) / 0.16) * (_clouds(scene, lesion, 12) / 0.16))
    shape = side_ * far * across * lung
    veil = shape * (0.42 + 0.38 * lesion.severity) * (1 - 0.40 * bronchi)
    return Layer(np.asarray(veil, np.float32), _none(x), shape * 0.6, np.asarray(shape, np.float32))


def _edema(scene: Scene, lesion: Lesion) -> Layer:
    """Bat-wing haze around the hilum, blurred vessels, short lines at the base."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    u, v = (x - 0.12) / 0.20, (y - 0.50) / 0.27
    haze = hump((u * u + v * v) * 0.75) * (0.85 + 0.35 * _clouds(scene, lesion, 14))
    lines = _stripes(y, 0.016) * rise((x - 0.27) / 0.02) * rise((y - 0.60) / 0.04)
    shape = haze * lung
    add = shape * (0.12 + 0.13 * lesion.severity) + lines * lung * (0.02 + 0.03 * lesion.severity)
    return Layer(_none(x), np.asarray(add, np.float32), _none(x), np.asarray(shape, np.float32))


def _emphysema(scene: Scene, lesion: Lesion) -> Layer:
    """Dark lung, few vessels, bullae at the top; the body is inflated besides."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    bullae = rise((_clouds(scene, lesion, 9) - 0.15) / 0.3) * rise((0.52 - y) / 0.12)
    shape = lung * (0.8 + 0.2 * bullae)
    add = -lung * (0.035 + 0.03 * lesion.severity) - 0.035 * bullae * lung
    return Layer(
        _none(x), np.asarray(add, np.float32), lung * (0.30 + 0.3 * lesion.severity), shape
    )


def _fibrosis(scene: Scene, lesion: Lesion) -> Layer:
    """A net of fine lines, coarsest at the base and the periphery."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    net = np.zeros_like(x)
    for cells in (22, 30, 42):
        level = _clouds(scene, lesion, cells) / 0.16
        net = np.maximum(net, hump(level * level))
    low = rise((y - 0.52 + 0.10 * lesion.height) / 0.14)
    outer = 0.55 + 0.45 * rise((x - 0.20) / 0.06)
    place = low * outer * lung
    add = place * (net * (0.10 + 0.11 * lesion.severity) + 0.02)
    return Layer(_none(x), np.asarray(add, np.float32), _none(x), np.asarray(place, np.float32))


def _pleural_thickening(scene: Scene, lesion: Lesion) -> Layer:
    """A dense rind along the chest wall or over the tip."""
    side = lesion.side
    y, lung = scene.y, scene.lungs[side]
    thick = 0.012 + 0.014 * lesion.severity
    uneven = thick * (1 + 0.45 * _clouds(scene, lesion, 20))
    apical = lesion.height > 0.55
    centre, reach = (
        (scene.body.apex + 0.03, 0.10) if apical else (0.48 + 0.16 * lesion.across, 0.13)
    )
    stretch = hump(((y - centre) / reach) * ((y - centre) / reach) * 0.5)
    inward = np.minimum(scene.lateral[side] - scene.side_x[side], y - scene.body.apex)
    shape = rise((uneven * root(stretch) - inward) / 0.006) * rise(stretch / 0.15) * lung
    shape = shape * rise((scene.side_x[side] - 0.06) / 0.03)
    return _added(np.asarray(shape, np.float32), 0.17 + 0.13 * lesion.severity)


def _hernia(scene: Scene, lesion: Lesion) -> Layer:
    """A rounded shadow behind the heart with air above a level."""
    radius = 0.052 + 0.032 * lesion.size
    cx = scene.body.turn + 0.015 + 0.035 * lesion.across
    cy = scene.body.heart_y + 0.045 + 0.03 * lesion.height
    u, v = (scene.x - cx) / (radius * 1.15), (scene.y - cy) / radius
    whole = disc(u, v, soft=0.10)
    rim = band(np.sqrt(u * u + v * v) - 0.93, 0.06, soft=0.07)
    air = disc(u / 0.84, v / 0.84, soft=0.08) * rise((-0.05 - v) / 0.05)
    add = 0.07 * whole + 0.08 * rim - (0.18 + 0.14 * lesion.severity) * air
    return Layer(_none(u), np.asarray(add, np.float32), _none(u), whole)


def _added(shape: Field, amount: float) -> Layer:
    shape = np.asarray(shape, np.float32)
    return Layer(_none(shape), np.asarray(shape * amount, np.float32), _none(shape), shape)


def _none(like: Field) -> Field:
    return np.zeros_like(like)


def _clouds(scene: Scene, lesion: Lesion, cells: int) -> Field:
    return clouds(Dice(lesion.seed, lesion.finding, lesion.side + 1, cells), scene.size_px, cells)


def _stripes(y: Field, step: float) -> Field:
    off = y / step - np.floor(y / step) - 0.5
    return hump((off / 0.22) * (off / 0.22))


_PAINTERS: Final[dict[str, Callable[[Scene, Lesion], Layer]]] = {
    "Atelectasis": _atelectasis,
    "Cardiomegaly": _cardiomegaly,
    "Effusion": _effusion,
    "Infiltration": _infiltration,
    "Mass": _mass,
    "Nodule": _nodule,
    "Pneumonia": _pneumonia,
    "Pneumothorax": _pneumothorax,
    "Consolidation": _consolidation,
    "Edema": _edema,
    "Emphysema": _emphysema,
    "Fibrosis": _fibrosis,
    "Pleural_Thickening": _pleural_thickening,
    "Hernia": _hernia,
}
