"""The healthy chest: a body's proportions, and the fields drawn from them.

A schematic frontal view of our own, after what any textbook shows: shoulders, lungs between the
ribs and the domes of the diaphragm, spine, heart with aortic knob, clavicles, hila and vessels.
Densities run from 0 (air, black) to 1 (bone, white). No finding is drawn here.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from thorax.sources.phantom.dice import Dice, Field
from thorax.sources.phantom.patients import LEFT, RIGHT
from thorax.sources.phantom.shapes import Pose, band, disc, grid, hump, rise, stroke

_SOFT = 0.010  # half width of an organ's edge, as a fraction of the frame


@dataclass(frozen=True)
class Body:
    """Proportions as fractions of the frame, densities from 0 to 1.

    Attributes:
        lung_right, lung_left: from the midline to the chest wall at its widest.
        apex: height of the lung tips.
        dome_right, dome_left: height of the diaphragm's domes.
        angle: how far the costophrenic angles reach below the domes.
        heart_right, heart_left: from the midline to the heart's borders.
        heart_y: height of the heart's middle.
        knob: radius of the aortic knob.
        waist: half width of the upper mediastinum.
        turn: shift of heart and trachea by rotation about the long axis.
        spine_bend: sideways bend of the spine.
        rib_step: between ribs.
        rib_start: height of the first rib.
        rib_density, bulk: of bone, of soft tissue.
        air: density of the lungs.
        breast: density of breast shadows.
        clavicle: height of the clavicles' inner ends.
        hilum: height of the hila.
        vessels: strength of the vessels.
        seed: of the vessels' course.
    """

    lung_right: float
    lung_left: float
    apex: float
    dome_right: float
    dome_left: float
    angle: float
    heart_right: float
    heart_left: float
    heart_y: float
    knob: float
    waist: float
    turn: float
    spine_bend: float
    rib_step: float
    rib_start: float
    rib_density: float
    bulk: float
    air: float
    breast: float
    clavicle: float
    hilum: float
    vessels: float
    seed: int


def body(seed: int, patient: int, *, sex: str, age_years: int) -> Body:
    """A patient's proportions, the same in every study but for what age adds."""
    dice = Dice(seed, patient, "body")
    width = dice.bell(0.352, 0.012) - (0.008 if sex == "F" else 0.0)
    dome = dice.bell(0.765, 0.018)
    ratio = dice.bell(0.440, 0.022) + 0.0005 * (age_years - 50)  # cardiothoracic
    heart = 2 * width * ratio
    share = dice.bell(0.30, 0.03)
    return Body(
        lung_right=width + dice.bell(0, 0.004),
        lung_left=width + dice.bell(0, 0.004),
        apex=dice.bell(0.115, 0.012),
        dome_right=dome,
        dome_left=dome + dice.bell(0.022, 0.008),
        angle=dice.bell(0.095, 0.010),
        heart_right=heart * share,
        heart_left=heart * (1 - share),
        heart_y=dome - dice.bell(0.125, 0.010),
        knob=dice.bell(0.036, 0.004) + 0.00015 * (age_years - 50),
        waist=dice.bell(0.062, 0.006),
        turn=0.0,
        spine_bend=dice.bell(0, 0.010),
        rib_step=dice.bell(0.079, 0.004),
        rib_start=dice.bell(0.135, 0.012),
        rib_density=dice.bell(0.085, 0.012) - 0.0004 * (age_years - 50),
        bulk=dice.bell(0.56, 0.030),
        air=dice.bell(0.215, 0.022),
        breast=dice.between(0.03, 0.09) if sex == "F" else dice.between(0.0, 0.015),
        clavicle=dice.bell(0.185, 0.012),
        hilum=dice.bell(0.455, 0.012),
        vessels=dice.bell(0.125, 0.016),
        seed=dice.below(1 << 31),
    )


def posed(dice: Dice, base: Body, view: str) -> tuple[Body, Pose]:
    """The body as one study shows it: AP films are taken in bed, with a larger heart."""
    bed = view == "AP"
    grown, breath = (
        (dice.between(1.03, 1.13), dice.bell(-0.020, 0.016)) if bed else (1.0, dice.bell(0, 0.010))
    )
    turned = dice.bell(0, 0.011 if bed else 0.006)
    shown = replace(
        base,
        heart_right=base.heart_right * grown,
        heart_left=base.heart_left * grown,
        dome_right=base.dome_right + breath,
        dome_left=base.dome_left + breath,
        heart_y=base.heart_y + breath,
        waist=base.waist * grown,
        turn=turned,
        lung_right=base.lung_right - turned * 0.6,
        lung_left=base.lung_left + turned * 0.6,
        clavicle=base.clavicle + (dice.bell(-0.03, 0.012) if bed else dice.bell(0, 0.006)),
    )
    pose = Pose(
        tilt=dice.bell(0, 0.022 if bed else 0.012),
        shift_x=dice.bell(0, 0.012),
        shift_y=dice.bell(0, 0.012),
        zoom=dice.bell(1.0, 0.025),
    )
    return shown, pose


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
        u = (self.x - centre - lean * (self.y - shown.heart_y - 0.03)) / rx
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
    field = field + (np.where(x < 0, 0.74, 0.68) - field) * belly * 0.9
    middle = np.maximum(_mediastinum(scene), scene.heart)
    field = field + (0.70 - field) * middle * 0.93
    field = field + _breasts(scene)
    field = field + _bones(scene) - _trachea(scene)
    return np.asarray(field * scene.trunk, np.float32)


def _mediastinum(scene: Scene) -> Field:
    shown, y = scene.body, scene.y
    x = scene.x - shown.turn
    column = band(
        x, shown.waist + 0.03 * rise((y - 0.5) / 0.15) + 0.02 * rise((0.2 - y) / 0.1), soft=0.012
    )
    knob = disc((x - shown.waist + 0.012) / shown.knob, (y - 0.315) / (shown.knob * 1.1), soft=0.25)
    trunk = disc((x - shown.waist + 0.01) / 0.030, (y - shown.hilum + 0.05) / 0.045, soft=0.35)
    return np.maximum(column, np.maximum(knob, 0.9 * trunk))


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
    column = band(x, 0.036, soft=0.010)
    scaled = y / 0.062
    off = np.abs(scaled - np.floor(scaled + 0.5))
    discs = 1 - 0.45 * hump((off / 0.22) * (off / 0.22))
    stalk = hump((x / 0.008) * (x / 0.008))
    return np.asarray(0.075 * column * discs + 0.03 * stalk, np.float32)


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
