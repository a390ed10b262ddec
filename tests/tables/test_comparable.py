"""Whether a table may be compared: a sentence for each way in which it may not."""

from dataclasses import replace

import pytest

from thorax.tables import comparable
from thorax.tables.runs import Run

WHOLE = Run(
    name="this run", reason="",
    evaluation={"images": 25_596, "patients": 2797, "split": "test"},
    localization={"boxes": 984, "images": 880, "patients": 726, "split": "test"},
    model={"initial_weights": "imagenet:abc"}, source={"source": "nih"}, params={},
)  # fmt: skip
PART = replace(WHOLE, evaluation={**WHOLE.evaluation, "images": 561})


def test_the_official_test_images_with_pretrained_weights_may_be_compared() -> None:
    said = comparable.classification(WHOLE, split_published=True)
    assert said == "May be compared with the paper's: the same official test images."
    assert comparable.localization(WHOLE).startswith("May be compared with the paper's")


def test_a_split_that_was_never_published_may_be_compared_roughly_at_best() -> None:
    said = comparable.classification(WHOLE, split_published=False)
    assert said.startswith("May be compared roughly at best, since the paper's random split")


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (PART, "only 561 of the 25,596 images are here"),
        (replace(WHOLE, source={"source": "phantom"}), "phantoms drawn by a program"),
        (replace(WHOLE, source={"source": "folder"}), "come from folder, not from NIH"),
        (replace(WHOLE, source={}), "an unknown source"),
    ],
)
def test_other_images_may_not_be_compared_and_the_sentence_says_why(run: Run, reason: str) -> None:
    said = comparable.classification(run, split_published=True)
    assert said.startswith("May not be compared with the paper's") and reason in said


def test_weights_that_were_not_pretrained_are_said_beside_either_verdict() -> None:
    for run in (WHOLE, PART):
        scratch = replace(run, model={"initial_weights": "none"})
        assert "not pretrained" in comparable.classification(scratch, split_published=True)
        assert "not pretrained" not in comparable.classification(run, split_published=True)


def test_fewer_boxes_may_not_be_compared() -> None:
    part = replace(WHOLE, localization={**WHOLE.localization, "boxes": 120})
    assert "only 120 of the 984 published boxes" in comparable.localization(part)
