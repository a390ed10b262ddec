"""The healthy chest: the fields drawn from a body's proportions.

A schematic frontal view of our own, after what any textbook shows: shoulders, lungs between the
ribs and the domes of the diaphragm, spine, heart with aortic knob, clavicles, hila and vessels.
Densities run from 0 (air, black) to 1 (bone, white). No finding is drawn here.
"""

import math

import numpy as np

from thorax.sources.phantom.body import Body
from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.patients import LEFT, RIGHT
from thorax.sources.phantom.shapes import Pose, band, disc, grid, hump, rise, stroke

_SOFT = 0.010  # half width of an organ's edge, as a fraction of the frame


class Scene:
    """The fields that organs and findings are drawn on; all float32 [H, W].

    Attributes:
        x, y: the patient's coordinates.
        lungs: per side, 1 inside the lung.
        lateral: per side, the chest wall's distance from the midline in each row.
        side_x: per side, distance from the midline on that side (negative on the other).
        dome: per side, height of the diaphragm in each column.
        heart: 1 inside the heart's shadow.
        trunk: 1 inside the body.
    """

    def __init__(self, size_px: int, shown: Body, pose: Pose) -> None:
        self.body, self.size_px = shown, size_px
        self.x, self.y = grid(size_px, pose)
        self.side_x = {RIGHT: -self.x, LEFT: self.x}
        self.lateral: dict[int, Field] = {}
        self.dome: dict[int, Field] = {}
        self.depth: dict[int, Field] = {}
        self.lungs: dict[int, Field] = {}
        for side in (RIGHT, LEFT):
            self._shape_lung(side)
        self.heart = self._shape_heart()
        self.trunk = self._shape_trunk()

    @property
    def both(self) -> Field:
        """1 inside either lung."""
        return np.maximum(self.lungs[RIGHT], self.lungs[LEFT])

    def _shape_lung(self, side: int) -> None:
        """A lung within chest wall, mediastinum, tip and dome."""
        shown, x = self.body, self.side_x[side]
        width = shown.lung_right if side == RIGHT else shown.lung_left
        centre = 0.165
        self.lateral[side] = _wall(self.y, shown.apex, centre, width)
        medial = (
            0.045 + side * shown.turn + (centre - 0.045) * (1 - _arc((self.y - shown.apex) / 0.11))
        )
        top = shown.dome_right if side == RIGHT else shown.dome_left
        away = (x - 0.17) / (width - 0.17)
        outer = np.maximum(away, 0)
        inner = np.maximum(-away, 0)
        self.dome[side] = top + shown.angle * (
            0.9 * outer * outer * outer + 0.10 * outer + 0.25 * inner * inner
        )
        inside = np.minimum(
            np.minimum(self.lateral[side] - x, x - medial), self.dome[side] - self.y
        )
        self.depth[side] = np.asarray(np.minimum(inside, self.y - shown.apex), np.float32)
        self.lungs[side] = rise(self.depth[side] / _SOFT)

    def _shape_heart(self) -> Field:
        shown = self.body
        half = (shown.heart_left + shown.heart_right) / 2
        centre = (shown.heart_left - shown.heart_right) / 2 + shown.turn
        lean = 0.30
        ry = 0.165
        rx = half * 0.97
        v = (self.y - shown.heart_y) / ry
        narrow = 1 - 0.30 * rise((shown.heart_y - 0.055 - self.y) / 0.11)  # pear-shaped
        u = (self.x - centre - lean * (self.y - shown.heart_y - 0.03)) / (rx * narrow)
        return disc(u, v, soft=0.07)

    def _shape_trunk(self) -> Field:
        """Neck, shoulders and flanks; outside is air."""
        y, x = self.y, np.abs(self.x)
        shoulder = 0.10 + 0.43 * _arc((y - 0.035) / 0.22)
        neck = 0.125 + 0.04 * hump(((y - 0.06) / 0.08) * ((y - 0.06) / 0.08))
        return rise((np.maximum(shoulder, neck) - x) / 0.012)


def _arc(t: Field) -> Field:
    """A quarter circle's rise: 0 at 0 and below, 1 at 1 and above."""
    t = np.clip(t, 0, 1)
    return np.asarray(np.sqrt(t * (2 - t)), np.float32)


def _wall(y: Field, apex: float, centre: float, width: float) -> Field:
    """The chest wall's distance from the midline: narrow at the tip, widest low down."""
    return np.asarray(
        centre + (width - centre) * _arc((y - apex) / 0.46) - 0.3 * np.maximum(apex - y, 0)
    )


def density(scene: Scene, lung_gain: Field) -> Field:
    """The healthy chest's density [H, W] without vessels; `lung_gain` is added inside the lungs."""
    shown, x, y = scene.body, scene.x, scene.y
    lungs = scene.both
    tissue = shown.bulk + 0.10 * np.maximum(np.abs(x) - 0.30, 0) + 0.05 * (y - 0.5)
    air = shown.air + 0.07 * np.maximum(y - 0.3, 0) + lung_gain
    near_wall = hump(np.maximum(scene.depth[RIGHT], scene.depth[LEFT]) / 0.09)
    field = tissue + (air + 0.10 * near_wall - tissue) * lungs
    belly = rise((y - np.where(x < 0, scene.dome[RIGHT], scene.dome[LEFT])) / _SOFT)
    belly = belly * rise((y - 0.6) / 0.02)
    field = field + (0.71 - 0.03 * rise(x / 0.12) + 0.03 * rise(-x / 0.12) - field) * belly * 0.9
    field = field - _bubble(scene)
    middle = np.maximum(_mediastinum(scene), scene.heart)
    field = field + (0.70 - field) * middle * 0.93
    field = field + _breasts(scene)
    field = field + _bones(scene) - _trachea(scene)
    return np.asarray(field * scene.trunk, np.float32)


def _bubble(scene: Scene) -> Field:
    """Air in the stomach, below the left dome."""
    top = scene.body.dome_left + 0.052
    u, v = (scene.x - 0.165) / 0.075, (scene.y - top) / 0.034
    return np.asarray(scene.body.bubble * disc(u, v, soft=0.3), np.float32)


def _mediastinum(scene: Scene) -> Field:
    shown, y = scene.body, scene.y
    x = scene.x - shown.turn
    belly = 1 - 0.75 * rise((y - 0.82) / 0.05)
    neck = 1 - 0.45 * rise((0.10 - y) / 0.06)
    column = (
        belly
        * neck
        * band(
            x,
            shown.waist + 0.03 * rise((y - 0.5) / 0.15) + 0.02 * rise((0.2 - y) / 0.1),
            soft=0.012,
        )
    )
    knob = disc((x - shown.waist + 0.012) / shown.knob, (y - 0.315) / (shown.knob * 1.1), soft=0.25)
    trunk = disc((x - shown.waist + 0.01) / 0.030, (y - shown.hilum + 0.05) / 0.045, soft=0.35)
    return np.asarray(np.maximum(column, np.maximum(knob, 0.9 * trunk)), np.float32)


def _trachea(scene: Scene) -> Field:
    x, y = scene.x - scene.body.turn * 1.2, scene.y
    tube = band(x + 0.004, 0.020, soft=0.010) * rise((0.34 - y) / 0.06)
    branch = band(np.abs(x) - 0.45 * (y - 0.34), 0.012, soft=0.010)
    branch = branch * rise((y - 0.34) / 0.02) * rise((0.43 - y) / 0.03)
    return np.asarray(0.12 * tube + 0.06 * branch, np.float32)


def _breasts(scene: Scene) -> Field:
    if scene.body.breast < 0.002:
        return np.zeros_like(scene.x)
    u, v = (np.abs(scene.x) - 0.21) / 0.20, (scene.y - 0.66) / 0.19
    rim = disc(u, v, soft=0.10) * rise((scene.y - 0.55) / 0.15)
    return np.asarray(scene.body.breast * rim, np.float32)


def _bones(scene: Scene) -> Field:
    field = _ribs(scene) + _spine(scene)
    return np.asarray(field + _shoulders(scene), np.float32)


def _ribs(scene: Scene) -> Field:
    """Posterior ribs run outwards and down, anterior ones (fainter) inwards and down."""
    shown, y = scene.body, scene.y
    x = np.abs(scene.x)
    cage = np.where(scene.x < 0, scene.lateral[RIGHT], scene.lateral[LEFT]) + 0.022
    within = rise((cage - x) / 0.012)
    back = y - shown.rib_start + 0.16 * x - 0.95 * x * x
    front = y - shown.rib_start - 0.27 - 0.75 * (0.33 - x) + 0.9 * (0.33 - x) * (0.33 - x)
    posterior = _row(back, shown.rib_step, 0.30, first=0, last=9) * rise((x - 0.03) / 0.02)
    anterior = _row(front, shown.rib_step * 1.08, 0.34, first=-3, last=4)
    anterior = anterior * rise((x - 0.13) / 0.05) * within
    lower = 1 - 0.6 * rise((y - 0.80) / 0.05)
    return np.asarray(
        shown.rib_density * (within * posterior + 0.55 * anterior) * lower, np.float32
    )


def _row(height: Field, step: float, thickness: float, *, first: int, last: int) -> Field:
    """Equal bands with denser edges: rib after rib."""
    scaled = height / step
    number = np.floor(scaled + 0.5)
    off = np.abs(scaled - number)
    body_ = rise((thickness - off) / 0.07)
    edge = hump(((off - thickness + 0.05) / 0.12) * ((off - thickness + 0.05) / 0.12))
    wanted = (number >= first) & (number <= last)
    return np.asarray((0.75 * body_ + 0.55 * edge) * wanted, np.float32)


def _spine(scene: Scene) -> Field:
    shown, y = scene.body, scene.y
    x = scene.x - shown.spine_bend * hump(((y - 0.5) / 0.5) * ((y - 0.5) / 0.5))
    belly = 1 - 0.75 * rise((y - 0.82) / 0.05)
    neck = 1 - 0.45 * rise((0.10 - y) / 0.06)
    column = belly * neck * band(x, 0.036, soft=0.010)
    scaled = y / 0.062
    off = np.abs(scaled - np.floor(scaled + 0.5))
    discs = 1 - 0.45 * hump((off / 0.22) * (off / 0.22))
    stalk = hump((x / 0.008) * (x / 0.008))
    fade = 1 - 0.4 * rise((y - 0.80) / 0.06)
    return np.asarray((0.075 * column * discs + 0.03 * stalk) * fade, np.float32)


def _shoulders(scene: Scene) -> Field:
    """Clavicles, shoulder blades, heads of the upper arms."""
    shown, x, y = scene.body, np.abs(scene.x), scene.y
    along = (x - 0.03) / 0.36
    course = (
        shown.clavicle
        - 0.085 * along
        + 0.05 * along * along
        - 0.03 * hump((along - 0.25) * (along - 0.25) * 9)
    )
    thick = 0.012 + 0.006 * hump((along / 0.2) * (along / 0.2))
    clavicle = (
        band(y - course, thick, soft=0.006) * rise((x - 0.035) / 0.012) * rise((0.40 - x) / 0.02)
    )
    edge = x - 0.375 + 0.20 * (y - 0.15)
    blade = (
        band(edge - 0.055, 0.055, soft=0.015)
        * rise((y - 0.14) / 0.03)
        * rise((0.46 - y - 0.5 * (x - 0.33)) / 0.04)
    )
    rim = hump((edge / 0.012) * (edge / 0.012)) * rise((y - 0.16) / 0.03) * rise((0.44 - y) / 0.05)
    head = disc((x - 0.455) / 0.055, (y - 0.185) / 0.06, soft=0.15)
    return np.asarray(0.15 * clavicle + 0.05 * blade + 0.045 * rim + 0.12 * head, np.float32)


def vessels(scene: Scene) -> Field:
    """Hila and the tree of vessels from each, thinning outwards [H, W]; 1 at the densest."""
    field = np.zeros_like(scene.x)
    dice = Dice(scene.body.seed, "vessels")
    for side in (RIGHT, LEFT):
        y0 = scene.body.hilum + (0.02 if side == RIGHT else -0.01)
        for slope, spread in ((-1.3, 0.6), (-0.35, 0.4), (0.35, 0.4), (1.0, 0.4), (2.2, 0.8)):
            course = slope + dice.between(-0.5, 0.5) * spread
            _branch(
                scene,
                field,
                dice,
                (side * (0.075 + scene.body.turn * side), y0),
                (1.0, course),
                0.0085,
            )
        u = (scene.side_x[side] - 0.095) / 0.038
        v = (scene.y - y0 - 0.012) / 0.070
        np.maximum(field, 0.95 * hump(u * u + v * v), out=field)
    return np.asarray(field, np.float32)


def _branch(
    scene: Scene,
    field: Field,
    dice: Dice,
    start: tuple[float, float],
    direction: tuple[float, float],
    half_width: float,
) -> None:
    side = RIGHT if start[0] < 0 else LEFT
    dx, dy = direction
    while half_width > 0.0019:
        length = dice.between(0.035, 0.060)
        norm = math.sqrt(dx * dx + dy * dy)
        end = (start[0] + side * length * dx / norm, start[1] + length * dy / norm)
        stroke(
            field,
            scene.x,
            scene.y,
            start=start,
            end=end,
            half_width=half_width,
            amount=0.35 + half_width * 75,
        )
        if dice.chance(0.75) and half_width > 0.003:
            sway = dice.between(0.5, 1.1) * (1 if dice.chance(0.5) else -1)
            _branch(scene, field, dice, end, (dx - sway * dy * 0.6, dy + sway), half_width * 0.62)
        dy += dice.between(-0.35, 0.35)
        start, half_width = end, half_width * dice.between(0.72, 0.86)
