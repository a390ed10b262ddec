"""Forms, joined and unseen letters: read as prose, and quoted as they were written."""

import pytest

from thorax.findings import NORMAL
from thorax.reports.labeler import Label, Labeler
from thorax.reports.plain import plain
from thorax.reports.settings import ReportsConfig

LABELER = Labeler(ReportsConfig())


def told(text: str) -> dict[str, Label]:
    found = {label.finding: label for label in LABELER.label(text) if label.state != "unmentioned"}
    for label in found.values():
        assert label.start is not None
        assert text[label.start : label.end] == label.phrase
    found.pop(NORMAL, None)
    return found


def states(text: str) -> dict[str, str]:
    return {finding: label.state for finding, label in told(text).items()}


@pytest.mark.parametrize(
    "text",
    [
        "FINDINGS:\nEffusion | No\nPneumothorax | Yes",
        "FINDINGS:\nEffusion\tNo\nPneumothorax\tYes\n",
        "FINDINGS:\n| Effusion | No |\n| Pneumothorax | Yes |\n",
        "FINDINGS: Effusion | No | Pneumothorax | Yes",
        "FINDINGS: EFFUSION - NO. PNEUMOTHORAX - YES.",
        "FINDINGS: Effusion = none; pneumothorax = present",
        "FINDINGS: Effusion (-), pneumothorax (+)",
        "FINDINGS: Effusion: N. Pneumothorax: Y.",
        "FINDINGS: Effusion:nil, Pneumothorax:yes",
        "FINDINGS: [ ] Effusion [x] Pneumothorax",
        "FINDINGS: [X] Pneumothorax [ ] Effusion",
        "FINDINGS:\n[] Effusion\n[x] Pneumothorax",
        "FINDINGS: ( ) Effusion (x) Pneumothorax",
        "FINDINGS: \u2610 Effusion \u2612 Pneumothorax",
    ],
)
def test_forms_answer_as_prose_does(text: str) -> None:
    assert states(text) == {"Effusion": "negative", "Pneumothorax": "positive"}


@pytest.mark.parametrize(
    "text",
    [
        "FINDINGS: Heart - normal. Left effusion - small.",
        "FINDINGS: Effusion | left | small",
        "FINDINGS: Effusion (see series 2) - no change.",
        "FINDINGS: Effusion at [location].",
    ],
)
def test_marks_that_answer_nothing_deny_nothing(text: str) -> None:
    assert states(text) == {"Effusion": "positive"}


def test_the_cue_is_quoted_as_it_was_written() -> None:
    assert told("FINDINGS: Effusion | No")["Effusion"].cue.strip() == "| No"
    assert told("FINDINGS: [ ] Effusion")["Effusion"].cue == "[ ]"


@pytest.mark.parametrize(
    ("written", "finding", "phrase"),
    [
        (
            "Pulmonary in\ufb01ltrates. No e\ufb00usion.",
            "Infiltration",
            "Pulmonary in\ufb01ltrates",
        ),
        ("Some \ufb01brosis.", "Fibrosis", "\ufb01brosis"),
        ("A pneumo\u00adthorax is seen.", "Pneumothorax", "pneumo\u00adthorax"),
        ("There is an e\ufb00u\u200bsion.", "Effusion", "e\ufb00u\u200bsion"),
        ("Pneumotohrax, e\ufb00usion.", "Effusion", "e\ufb00usion"),
    ],
)
def test_joined_and_unseen_letters_are_read(written: str, finding: str, phrase: str) -> None:
    found = told(f"FINDINGS: {written}")[finding]
    assert (found.state, found.phrase) == ("positive", phrase)


def test_places_are_those_of_the_original() -> None:
    read = plain("e\ufb00usion\u200b and \ufb01brosis")
    assert read.text == "effusion and fibrosis"
    assert [read.original(place) for place in (0, 8, 9, 13, 21)] == [0, 8, 9, 13, 20]
    assert plain("No Effusion") == ("no effusion", ())
