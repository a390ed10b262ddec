"""How the findings within the lungs look.

After what radiology textbooks describe, in our own schematic drawing.
"""

from dataclasses import replace

import numpy as np

from thorax.sources.phantom.anatomy import Scene
from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.layer import Layer, added, nothing, stripes, texture
from thorax.sources.phantom.patients import RIGHT, Lesion
from thorax.sources.phantom.shapes import band, disc, hump, rise, root


def atelectasis(scene: Scene, lesion: Lesion) -> Layer:
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
    return added(shape, 0.055 + 0.13 * lesion.severity)


def infiltration(scene: Scene, lesion: Lesion) -> Layer:
    """Several ill-defined patches of low density."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    cx, cy = 0.14 + 0.09 * lesion.across, 0.36 + 0.28 * lesion.height
    reach = 0.15 + 0.05 * lesion.size
    u, v = (x - cx) / (reach * 0.85), (y - cy) / reach
    patches = rise((texture(scene, lesion, 15) + 0.10) / 0.35)
    fine = 0.8 + 0.4 * texture(scene, lesion, 34)
    shape = hump((u * u + v * v) * 0.8) * patches * fine * lung
    return added(shape, 0.06 + 0.13 * lesion.severity)


def mass(scene: Scene, lesion: Lesion) -> Layer:
    """Lobulated, of more than 3 cm: a radius of 0.046 of the frame and more."""
    shape, dome = _round(scene, lesion, 0.046 + 0.042 * lesion.size, lobes=0.22)
    return Layer(nothing(shape), dome * (0.125 + 0.14 * lesion.severity), nothing(shape), shape)


def nodule(scene: Scene, lesion: Lesion) -> Layer:
    """Round, of less than 3 cm; two or three where `across` is large."""
    shape, dome = np.zeros_like(scene.x), np.zeros_like(scene.x)
    dice = Dice(lesion.seed, "nodules")
    for number in range(1 + int(lesion.across * 2.5)):
        one = replace(lesion, across=dice.unit(), height=dice.unit()) if number else lesion
        radius = (0.019 + 0.011 * lesion.size) * (dice.between(0.75, 1.0) if number else 1.0)
        ball = _round(scene, one, radius, lobes=0.06)
        shape, dome = np.maximum(shape, ball[0]), np.maximum(dome, ball[1])
    return Layer(nothing(shape), dome * (0.15 + 0.15 * lesion.severity), nothing(shape), shape)


def _round(scene: Scene, lesion: Lesion, radius: float, *, lobes: float) -> tuple[Field, Field]:
    """A ball's outline and its thickness, both 0 to 1."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    cy = 0.25 + 0.40 * lesion.height
    room = 0.24 + 0.07 * min(lesion.height * 2, 1.0)  # the lung is narrower at the top
    inner = 0.125 + radius * 0.5
    cx = inner + max(room - radius * 0.8 - inner, 0.0) * lesion.across
    u, v = (x - cx) / radius, (y - cy) / radius
    wavy = 1 + lobes * texture(scene, lesion, 18)
    shape = np.asarray(disc(u / wavy, v / wavy, soft=0.22) * lung, np.float32)
    dome = 0.65 + 0.35 * root(1 - u * u - v * v)
    behind = 1 - 0.65 * scene.heart  # the heart hides most of it
    return shape, np.asarray(shape * dome * behind, np.float32)


def pneumonia(scene: Scene, lesion: Lesion) -> Layer:
    """One ill-defined focus of middle density with small airspaces."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    cx, cy = 0.13 + 0.10 * lesion.across, 0.52 + 0.16 * lesion.height
    reach = 0.105 + 0.045 * lesion.size
    u, v = (x - cx) / reach, (y - cy) / reach
    uneven = 1 + 0.30 * texture(scene, lesion, 12)
    spotted = 0.78 + 0.44 * rise(texture(scene, lesion, 48) / 0.5)
    shape = hump((u * u + v * v) / (uneven * uneven) * 0.62) * spotted * lung
    return added(shape, 0.05 + 0.14 * lesion.severity)


def consolidation(scene: Scene, lesion: Lesion) -> Layer:
    """A dense lobe ending sharply at its fissure, with air-filled bronchi in it."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    upper = lesion.height > 0.5
    fissure = (
        (0.43 if upper else 0.56) + 0.06 * lesion.across + (lesion.size - 0.5) * 0.35 * (x - 0.18)
    )
    side_ = rise((fissure - y) / 0.008) if upper else rise((y - fissure) / 0.008)
    far = rise((y - fissure + 0.23) / 0.09) if upper else rise((fissure + 0.20 - y) / 0.09)
    across = rise((x - 0.05) / 0.05) * rise((0.30 + 0.04 * lesion.size - x) / 0.07)
    bronchi = hump((texture(scene, lesion, 12) / 0.16) * (texture(scene, lesion, 12) / 0.16))
    shape = np.asarray(side_ * far * across * lung, np.float32)
    veil = shape * (0.13 + 0.33 * lesion.severity) * (1 - 0.40 * bronchi)
    return Layer(
        np.asarray(veil, np.float32), nothing(x), shape * 0.6, np.asarray(shape, np.float32)
    )


def edema(scene: Scene, lesion: Lesion) -> Layer:
    """Bat-wing haze around the hilum, blurred vessels, short lines at the base."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    u, v = (x - 0.12) / 0.20, (y - 0.50) / 0.27
    haze = hump((u * u + v * v) * 0.75) * (0.85 + 0.35 * texture(scene, lesion, 14))
    lines = stripes(y, 0.016) * rise((x - 0.27) / 0.02) * rise((y - 0.60) / 0.04)
    shape = haze * lung
    add = shape * (0.020 + 0.095 * lesion.severity) + lines * lung * (0.02 + 0.03 * lesion.severity)
    return Layer(nothing(x), np.asarray(add, np.float32), nothing(x), np.asarray(shape, np.float32))


def emphysema(scene: Scene, lesion: Lesion) -> Layer:
    """Dark lung, few vessels, bullae at the top; the body is inflated besides."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    bullae = rise((texture(scene, lesion, 9) - 0.15) / 0.3) * rise((0.52 - y) / 0.12)
    shape = lung * (0.8 + 0.2 * bullae)
    add = -lung * (0.005 + 0.024 * lesion.severity) - 0.022 * bullae * lung
    return Layer(
        nothing(x), np.asarray(add, np.float32), lung * (0.15 + 0.35 * lesion.severity), shape
    )


def fibrosis(scene: Scene, lesion: Lesion) -> Layer:
    """A net of fine lines, coarsest at the base and the periphery."""
    x, y, lung = scene.side_x[lesion.side], scene.y, scene.lungs[lesion.side]
    net = np.zeros_like(x)
    for cells in (26, 34, 46):
        level = texture(scene, lesion, cells) / 0.22
        broken = rise(texture(scene, lesion, cells + 7) / 0.5 + 0.3)
        net = np.maximum(net, hump(level * level) * broken)
    low = rise((y - 0.54 + 0.10 * lesion.height) / 0.16)
    outer = 0.45 + 0.55 * rise((x - 0.19) / 0.07)
    place = np.asarray(low * outer * lung * (1 - 0.6 * scene.heart), np.float32)
    add = place * (net * (0.035 + 0.085 * lesion.severity) + 0.015)
    return Layer(nothing(x), np.asarray(add, np.float32), nothing(x), place)
