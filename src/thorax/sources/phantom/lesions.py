"""The fourteen findings: who draws each, and what each does to the body's proportions.

A finding on two sides is two lesions.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from thorax.sources.phantom import lungs, pleura
from thorax.sources.phantom.anatomy import Scene
from thorax.sources.phantom.body import Body
from thorax.sources.phantom.layer import Layer
from thorax.sources.phantom.patients import RIGHT, Lesion


def deform(shown: Body, lesion: Lesion) -> Body:
    """The body with what the lesion does to its proportions."""
    much = lesion.severity
    if lesion.finding == "Cardiomegaly":
        return _enlarge_heart(shown, 0.490 + 0.085 * much)
    if lesion.finding == "Emphysema":
        return _inflate(shown, lesion)
    if lesion.finding == "Atelectasis":
        return _raise_dome(shown, lesion.side, 0.006 + 0.030 * much)
    if lesion.finding == "Fibrosis":
        return _raise_dome(shown, lesion.side, 0.003 + 0.018 * much)
    if lesion.finding == "Edema":
        return replace(shown, vessels=shown.vessels * (1.0 + 0.12 * much))
    return shown


def _enlarge_heart(shown: Body, ratio: float) -> Body:
    now = shown.heart_left + shown.heart_right
    factor = max(ratio * (shown.lung_left + shown.lung_right) / now, 1.04)
    grown = replace(
        shown, heart_left=shown.heart_left * factor, heart_right=shown.heart_right * factor
    )
    return replace(grown, heart_y=shown.heart_y - 0.012)


def _inflate(shown: Body, lesion: Lesion) -> Body:
    lower = 0.003 + 0.027 * lesion.severity
    flat = 0.94 - 0.34 * lesion.severity
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


_PAINTERS: Final[dict[str, Callable[[Scene, Lesion], Layer]]] = {
    "Atelectasis": lungs.atelectasis,
    "Cardiomegaly": pleura.cardiomegaly,
    "Effusion": pleura.effusion,
    "Infiltration": lungs.infiltration,
    "Mass": lungs.mass,
    "Nodule": lungs.nodule,
    "Pneumonia": lungs.pneumonia,
    "Pneumothorax": pleura.pneumothorax,
    "Consolidation": lungs.consolidation,
    "Edema": lungs.edema,
    "Emphysema": lungs.emphysema,
    "Fibrosis": lungs.fibrosis,
    "Pleural_Thickening": pleura.pleural_thickening,
    "Hernia": pleura.hernia,
}
