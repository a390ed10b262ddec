"""A patient's proportions, and how one study shows them.

Fractions of the frame, and densities from 0 (air, black) to 1 (bone, white). The numbers were
chosen by eye against textbook drawings, so that the healthy
cardiothoracic ratio lies near 0.44.
"""

from dataclasses import dataclass, replace

from thorax.sources.phantom.dice import Dice
from thorax.sources.phantom.shapes import Pose


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
        bubble: density taken away by air in the stomach.
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
    bubble: float
    clavicle: float
    hilum: float
    vessels: float
    seed: int


def body(seed: int, patient: int, *, sex: str, age_years: int) -> Body:
    """A patient's proportions, the same in every study but for what age adds."""
    dice = Dice(seed, patient, "body")
    width = dice.bell(0.352, 0.012) - (0.008 if sex == "F" else 0.0)
    dome = dice.bell(0.765, 0.022)
    ratio = dice.bell(0.440, 0.032) + 0.0005 * (age_years - 50)  # cardiothoracic
    heart = 2 * width * ratio
    share = dice.bell(0.30, 0.03)
    return Body(
        lung_right=width + dice.bell(0, 0.004),
        lung_left=width + dice.bell(0, 0.004),
        apex=dice.bell(0.115, 0.012),
        dome_right=dome,
        dome_left=dome + dice.bell(0.022, 0.008),
        angle=dice.bell(0.093, 0.016),
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
        air=dice.bell(0.215, 0.028),
        breast=dice.between(0.03, 0.09) if sex == "F" else dice.between(0.0, 0.015),
        bubble=max(dice.between(-0.06, 0.16), 0.0),
        clavicle=dice.bell(0.185, 0.012),
        hilum=dice.bell(0.455, 0.012),
        vessels=dice.bell(0.125, 0.022),
        seed=dice.below(1 << 31),
    )


def posed(dice: Dice, base: Body, view: str) -> tuple[Body, Pose]:
    """The body as one study shows it: AP films are taken in bed, with a larger heart."""
    bed = view == "AP"
    grown, breath = (
        (dice.between(1.03, 1.15), dice.bell(-0.020, 0.016)) if bed else (1.0, dice.bell(0, 0.010))
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
