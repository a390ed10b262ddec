"""Films of a knee or a hand in the same report say nothing ill of the chest."""

import pytest

from thorax.findings import NORMAL
from thorax.reports.labeler import SILENT, Label, Labeler
from thorax.reports.settings import ReportsConfig

LABELER = Labeler(ReportsConfig())


def label(text: str, finding: str = NORMAL) -> Label:
    return next(item for item in LABELER.label(text) if item.finding == finding)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Left knee. Osteophytes, moderate effusion. Chest. Lungs are clear.", "positive"),
        ("Chest: Lungs are clear. Left knee: Osteophytes.", "positive"),
        ("1. Chest. Lungs are clear. 2. Right hip and femur. Healing fracture.", "positive"),
        ("Hand 1. Fracture of the scaphoid. Chest 1. No acute disease.", "positive"),
        ("Left knee. Osteophytes. Small nodule in the right lung.", "negative"),
        ("Shoulders: Arthritis.\nDevices: Pacemaker.", "negative"),
        ("Lungs are clear. Left shoulder fracture.", "negative"),
        ("The left hip is not shown. Old fracture.", "negative"),
    ],
)
def test_only_what_is_told_of_the_chest_decides_about_it(text: str, state: str) -> None:
    for heading in ("", "FINDINGS: ", "IMPRESSION:\n"):
        assert label(heading + text).state == state


def test_another_part_ends_with_its_section() -> None:
    text = "FINDINGS: Left knee. Small effusion.\nIMPRESSION: Old fracture."
    assert label(text).state == "negative"
    assert label(text, "Effusion").state == "unmentioned"


@pytest.mark.parametrize("text", ["FINDINGS: \nIMPRESSION: ", "INDICATION: Cough.\nFindings:\n"])
def test_sections_without_a_word_are_normal_unless_the_site_says_otherwise(text: str) -> None:
    found = label(text)
    assert (found.state, found.rule) == ("positive", SILENT)
    assert text[found.start : found.end] == found.phrase == found.sentence
    careful = Labeler(ReportsConfig(silent="unmentioned"))
    assert {item.state for item in careful.label(text)} == {"unmentioned"}


@pytest.mark.parametrize(
    "text",
    [
        "", " \n", "INDICATION: Cough.", "FINDINGS: XXXX.", "FINDINGS:\nIMPRESSION: Kein Erguss.",
        "Derrame pleural grande. Corazon normal.", "Gro\u00dfer Pleuraerguss rechts. Herz normal.",
        "Versamento pleurico massivo. Cuore normal.",
        "Kein Pneumothorax. Kein Infiltrat. Herz normal.",
    ],
)  # fmt: skip
def test_no_text_lost_words_and_other_languages_are_never_normal(text: str) -> None:
    assert label(text).state == "unmentioned"
