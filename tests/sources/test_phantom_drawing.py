"""The phantom's chests: the same on every processor, findings where their boxes say."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from thorax.findings import FINDINGS
from thorax.sources.phantom.drawing import boxes, draw, draw_png
from thorax.sources.phantom.patients import LEFT, RIGHT, Lesion, Study, studies
from thorax.sources.phantom.source import PhantomConfig

SEED, SIZE_PX = 11, 128
ONE_SIDED_NOT = ("Cardiomegaly", "Hernia")
DIGEST = """
import hashlib
import numpy
from tests.sources.test_phantom_drawing import digest
features = numpy._core._multiarray_umath.__cpu_features__
dispatched = numpy._core._multiarray_umath.__cpu_dispatch__
print(digest(), [name for name in dispatched if features[name]])
"""


def study(*lesions: Lesion, view: str = "PA") -> Study:
    return Study(5, 0, 60, "M", view, lesions, (), "well")


def lesion(finding: str, side: int, severity: float = 0.6) -> Lesion:
    side = 0 if finding in ONE_SIDED_NOT else side
    return Lesion(finding, side, 0.5, 0.45, 0.5, severity, seed=77)


def several() -> list[Study]:
    prevalence = PhantomConfig().prevalence
    everyone = [
        item for patient in range(1, 60) for item in studies(SEED, patient, prevalence, 0.1)
    ]
    drawn: dict[str, Study] = {}
    for item in everyone:  # one study for each finding, and one without any
        for finding in item.present or ("none",):
            drawn.setdefault(finding, item)
    return list(drawn.values())


def digest() -> str:
    content = b"".join(draw_png(item, SEED, SIZE_PX) for item in several())
    return hashlib.sha256(content).hexdigest()


def test_every_finding_is_among_the_compared_drawings() -> None:
    assert {finding for item in several() for finding in item.present} == set(FINDINGS)


def test_the_bytes_do_not_depend_on_the_processor() -> None:
    core = np._core._multiarray_umath  # type: ignore[attr-defined]
    here = [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]
    if not here:
        pytest.skip("this processor has nothing that could be switched off")
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(here)}
    command = [sys.executable, "-c", DIGEST]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split(maxsplit=1) == [digest(), "[]\n"]


@pytest.mark.parametrize("side", [RIGHT, LEFT])
@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_changes_the_pixels_in_its_box_most(finding: str, side: int) -> None:
    ill = study(lesion(finding, side))
    (box,) = boxes(ill, seed=SEED, size_px=SIZE_PX)
    now = draw(ill, seed=SEED, size_px=SIZE_PX).astype(int)
    before = draw(study(), seed=SEED, size_px=SIZE_PX).astype(int)
    change = np.abs(now - before)
    inside = np.zeros(change.shape, bool)
    inside[box.y_px : box.y_px + box.h_px, box.x_px : box.x_px + box.w_px] = True
    assert box.finding == finding
    assert change[inside].mean() > 2
    assert change[inside].mean() > 2 * change[~inside].mean()


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_severer_finding_changes_more(finding: str) -> None:
    healthy = draw(study(), seed=SEED, size_px=SIZE_PX).astype(int)
    changes = [
        np.abs(draw(study(lesion(finding, LEFT, severity)), seed=SEED, size_px=SIZE_PX) - healthy)
        for severity in (0.1, 0.9)
    ]
    assert changes[0].sum() < changes[1].sum()


@pytest.mark.parametrize("finding", [name for name in FINDINGS if name not in ONE_SIDED_NOT])
def test_the_right_side_of_the_patient_is_on_the_left_of_the_image(finding: str) -> None:
    (right,) = boxes(study(lesion(finding, RIGHT)), seed=SEED, size_px=SIZE_PX)
    (left,) = boxes(study(lesion(finding, LEFT)), seed=SEED, size_px=SIZE_PX)
    assert right.x_px + right.w_px / 2 < SIZE_PX / 2 < left.x_px + left.w_px / 2


def test_a_box_scales_with_the_frame() -> None:
    ill = study(lesion("Mass", LEFT))
    (small,) = boxes(ill, seed=SEED, size_px=128)
    (large,) = boxes(ill, seed=SEED, size_px=256)
    for side in ("x_px", "y_px", "w_px", "h_px"):
        assert abs(getattr(large, side) - 2 * getattr(small, side)) <= 3


def test_a_mass_is_larger_than_any_nodule() -> None:
    largest = replace(lesion("Nodule", LEFT), size=0.999, across=0.0)  # a single one
    smallest = replace(lesion("Mass", LEFT), size=0.0)
    (nodule,) = boxes(study(largest), seed=SEED, size_px=256)
    (mass,) = boxes(study(smallest), seed=SEED, size_px=256)
    assert max(nodule.w_px, nodule.h_px) < min(mass.w_px, mass.h_px)


def test_an_enlarged_heart_is_wider_than_half_of_the_chest() -> None:
    (heart,) = boxes(study(lesion("Cardiomegaly", 0)), seed=SEED, size_px=256)
    lungs = boxes(
        study(lesion("Emphysema", LEFT), lesion("Emphysema", RIGHT)), seed=SEED, size_px=256
    )
    left_most = min(box.x_px for box in lungs)
    right_most = max(box.x_px + box.w_px for box in lungs)
    assert heart.w_px > 0.5 * (right_most - left_most)


def test_two_studies_of_a_patient_show_the_same_body_in_other_light() -> None:
    first, again, stranger = (
        draw(replace(study(), follow_up=follow_up, patient=patient), seed=SEED, size_px=SIZE_PX)
        for patient, follow_up in ((5, 0), (5, 1), (6, 0))
    )
    assert not np.array_equal(first, again)
    assert _alike(first, again) > _alike(first, stranger)


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
