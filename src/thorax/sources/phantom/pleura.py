"""How the findings of the pleura, the heart and the diaphragm look.

After what radiology textbooks describe (meniscus, pleural line, air above a level ...), in our own
schematic drawing.
"""

import numpy as np

from thorax.sources.phantom.anatomy import Scene
from thorax.sources.phantom.layer import Layer, added, nothing, texture
from thorax.sources.phantom.patients import RIGHT, Lesion
from thorax.sources.phantom.shapes import band, disc, hump, rise, root


def cardiomegaly(scene: Scene, lesion: Lesion) -> Layer:
    """The enlarged heart itself, which the deformed body already shows; only its box is new."""
    return added(scene.heart, 0.0)


def effusion(scene: Scene, lesion: Lesion) -> Layer:
    """Fluid that fills the angle and climbs the chest wall (meniscus)."""
    side = lesion.side
    x, y, lung = scene.side_x[side], scene.y, scene.lungs[side]
    wall = scene.body.lung_right if side == RIGHT else scene.body.lung_left
    top = scene.body.dome_right if side == RIGHT else scene.body.dome_left
    much = lesion.severity * lesion.severity
    level = top + scene.body.angle * 0.55 + 0.012 - 0.20 * much
    across = np.clip((x - 0.06) / (wall - 0.06), 0, 1.2)
    climb = (0.085 + 0.05 * lesion.size) * across * across * across
    shape = rise((y - level + climb) / 0.016) * lung
    return Layer(shape * (0.36 + 0.50 * lesion.severity), nothing(x), shape, shape, target=0.71)


def pneumothorax(scene: Scene, lesion: Lesion) -> Layer:
    """A black rim without vessels outside a thin white pleural line, widest at the tip."""
    side = lesion.side
    x, y, lung = scene.side_x[side], scene.y, scene.lungs[side]
    gap = 0.012 + 0.050 * lesion.severity + 0.010 * lesion.size
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
    add = (0.06 + 0.08 * lesion.severity) * line - (0.025 + 0.047 * lesion.severity) * free
    return Layer(
        nothing(x),
        np.asarray(add, np.float32),
        np.asarray(free, np.float32),
        np.asarray(free, np.float32),
    )


def pleural_thickening(scene: Scene, lesion: Lesion) -> Layer:
    """A dense rind along the chest wall or over the tip."""
    side = lesion.side
    y, lung = scene.y, scene.lungs[side]
    thick = 0.017 + 0.021 * lesion.severity
    uneven = thick * (1 + 0.45 * texture(scene, lesion, 20))
    apical = lesion.height > 0.55
    centre, reach = (
        (scene.body.apex + 0.03, 0.10) if apical else (0.48 + 0.16 * lesion.across, 0.13)
    )
    stretch = hump(((y - centre) / reach) * ((y - centre) / reach) * 0.5)
    inward = np.minimum(scene.lateral[side] - scene.side_x[side], y - scene.body.apex)
    shape = rise((uneven * root(stretch) - inward) / 0.006) * rise(stretch / 0.15) * lung
    shape = shape * rise((scene.side_x[side] - 0.06) / 0.03)
    return added(np.asarray(shape, np.float32), 0.19 + 0.15 * lesion.severity)


def hernia(scene: Scene, lesion: Lesion) -> Layer:
    """A rounded shadow behind the heart with air above a level."""
    radius = 0.055 + 0.036 * lesion.size
    cx = scene.body.turn + 0.010 + 0.04 * lesion.across
    cy = scene.body.heart_y + 0.045 + 0.03 * lesion.height
    wavy = 1 + 0.20 * texture(scene, lesion, 11)
    u = (scene.x - cx) / (radius * 1.12) / wavy
    v = (scene.y - cy) / radius / wavy
    whole = disc(u, v, soft=0.16)
    rim = hump((np.sqrt(u * u + v * v) - 0.88) / 0.20 * ((np.sqrt(u * u + v * v) - 0.88) / 0.20))
    air = disc(u / 0.84, v / 0.84, soft=0.16) * rise((0.10 - 0.3 * lesion.across - v) / 0.05)
    much = 0.24 + 0.62 * lesion.severity
    add = much * (0.045 * whole + 0.05 * rim - 0.24 * air)
    return Layer(nothing(u), np.asarray(add, np.float32), nothing(u), whole)
