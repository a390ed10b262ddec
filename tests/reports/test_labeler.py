"""What a report says about a finding, sentence by sentence."""

import time

import pytest

from thorax.findings import FINDINGS, NORMAL
from thorax.reports.labeler import Label, Labeler
from thorax.reports.settings import ReportsConfig


@pytest.fixture(scope="module")
def labeler() -> Labeler:
    return Labeler(ReportsConfig())


def states(labeler: Labeler, text: str) -> dict[str, str]:
    return {
        label.finding: label.state for label in labeler.label(text) if label.state != "unmentioned"
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("There is a small left effusion.", {"Effusion": "positive"}),
        ("The heart is enlarged.", {"Cardiomegaly": "positive"}),
        ("The heart is not enlarged.", {"Cardiomegaly": "negative"}),
        ("Bibasilar atelectatic change.", {"Atelectasis": "positive"}),
        ("Apical pleural thickening is noted.", {"Pleural_Thickening": "positive"}),
        ("A hiatal hernia behind the heart.", {"Hernia": "positive"}),
        ("Subcutaneous emphysema of the chest wall.", {}),
        ("Follow-up in cystic fibrosis.", {}),
        (
            "No effusion, pneumothorax or consolidation.",
            {"Effusion": "negative", "Pneumothorax": "negative", "Consolidation": "negative"},
        ),
        (
            "No effusion or pneumothorax, but a nodule in the right apex.",
            {"Effusion": "negative", "Pneumothorax": "negative", "Nodule": "positive"},
        ),
        (
            "No pneumothorax; consolidation at the left base.",
            {"Pneumothorax": "negative", "Consolidation": "positive"},
        ),
        ("Pleural effusion is no longer seen.", {"Effusion": "negative"}),
        ("The pneumothorax has not resolved.", {"Pneumothorax": "positive"}),
        ("No change in the left effusion.", {"Effusion": "positive"}),
        ("Lungs are free of infiltrates.", {"Infiltration": "negative"}),
        ("Findings may represent pneumonia.", {"Pneumonia": "uncertain"}),
        ("A small pneumothorax cannot be excluded.", {"Pneumothorax": "uncertain"}),
        (
            "No effusion, possible consolidation.",
            {"Effusion": "negative", "Consolidation": "uncertain"},
        ),
        ("No opacity suspicious for pneumonia.", {"Pneumonia": "negative"}),
    ],
)
def test_a_sentence_is_read_as_a_radiologist_means_it(
    labeler: Labeler, text: str, expected: dict[str, str]
) -> None:
    found = states(labeler, text)
    found.pop(NORMAL, None)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("No effusion. Moderate effusion on the left. Possible effusion.", "positive"),
        ("No effusion on the right. Possible effusion on the left.", "uncertain"),
        ("No effusion. Effusion is absent.", "negative"),
        ("The bones are intact.", "unmentioned"),
    ],
)
def test_affirmed_beats_hedged_beats_denied(labeler: Labeler, text: str, state: str) -> None:
    assert by_finding(labeler.label(text))["Effusion"].state == state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("No effusion or pneumothorax.", "positive"),
        ("Heart and lungs are normal.", "positive"),
        ("Normal heart. There is a nodule.", "negative"),
        ("Lungs are clear. Old rib fracture.", "negative"),
        ("Possible pneumonia, otherwise normal.", "uncertain"),
        ("", "unmentioned"),
        ("Kein Erguss, Herz nicht vergrößert.", "unmentioned"),
    ],
)
def test_normal_means_that_no_disease_is_left(labeler: Labeler, text: str, state: str) -> None:
    assert by_finding(labeler.label(text))[NORMAL].state == state


def test_only_findings_and_impression_are_read(labeler: Labeler) -> None:
    text = "INDICATION: rule in pneumonia.\nCOMPARISON: effusion in May.\nFINDINGS: A nodule.\n"
    assert states(labeler, text) == {"Nodule": "positive", NORMAL: "negative"}


def test_without_those_sections_the_whole_report_is_read(labeler: Labeler) -> None:
    assert states(labeler, "INDICATION: cough.\nThere is a nodule.")["Nodule"] == "positive"


def test_the_deciding_words_are_found_at_their_place(labeler: Labeler) -> None:
    text = "FINDINGS: Heart is normal.\n\nIMPRESSION:\n1. No pleural\n effusion.\n"
    label = by_finding(labeler.label(text))["Effusion"]
    assert label.start is not None
    assert text[label.start : label.end] == label.phrase == "pleural\n effusion"
    assert (label.section, label.cue) == ("impression", "No")
    assert label.rule == "negation: no | before"
    assert label.sentence in text


def test_every_report_gets_fifteen_labels_in_order(labeler: Labeler) -> None:
    for text in ("", "No effusion.", "\x00\n\n:::"):
        assert [label.finding for label in labeler.label(text)] == [*FINDINGS, NORMAL]


@pytest.mark.parametrize("piece", ["no effusion ", "heart ", "Possible mass. ", ", ", "\n"])
def test_a_huge_report_is_read_in_seconds(labeler: Labeler, piece: str) -> None:
    started = time.monotonic()
    labeler.label(piece * (200_000 // len(piece)))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "text", ["No effusion.", "Lungs are clear.", "A mass.", "Possible mass.", "No fracture."]
)
def test_whatever_is_mentioned_has_its_words(labeler: Labeler, text: str) -> None:
    for label in labeler.label(text):
        assert label.state == "unmentioned" or label.phrase
        assert label.phrase in text


def by_finding(labels: list[Label]) -> dict[str, Label]:
    return {label.finding: label for label in labels}


def test_a_heading_inside_findings_stays_in_findings(labeler: Labeler) -> None:
    found = states(labeler, "FINDINGS:\nLUNGS: A nodule.\nPLEURA: No effusion.\n")
    assert found["Nodule"] == "positive"
    assert found["Effusion"] == "negative"
