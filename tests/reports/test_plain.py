"""Forms, joined and unseen letters: read as prose, and quoted as they were written."""

import time

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
        "FINDINGS: Effusion [ ] Pneumothorax [x]",
        "FINDINGS:\neffusion | no | pneumothorax | yes | no",
        "FINDINGS:\neffusion | no\npneumothorax | yes",
        "FINDINGS: Effusion -- no; pneumothorax (pos)",
        "FINDINGS: Effusion\u2014no, pneumothorax\u2014yes",
        "FINDINGS: Effusion (\u2212), pneumothorax (+)",
        "FINDINGS: \u2610 Effusion \u2612 Pneumothorax",
    ],
)
def test_forms_answer_as_prose_does(text: str) -> None:
    assert states(text) == {"Effusion": "negative", "Pneumothorax": "positive"}


@pytest.mark.parametrize(
    ("text", "positive"),
    [
        ("Heart - normal. Left effusion - small.", {"Effusion"}),
        ("Effusion | left | small", {"Effusion"}),
        ("Effusion (see series 2) - no change.", {"Effusion"}),
        ("Effusion:no change.", {"Effusion"}),
        ("Effusion at [location].", {"Effusion"}),
        ("There is a [ ] cm nodule in the right lung.", {"Nodule"}),
        ("There is a small ( ) pneumothorax on the left.", {"Pneumothorax"}),
        ("Follow up in [ ] months for a 5 mm nodule", {"Nodule"}),
        ("[x] left [ ] right effusion", {"Effusion"}),
        ("[x] small [ ] moderate [ ] large effusion", {"Effusion"}),
        ("[x] Portable [ ] Upright: cardiomegaly and effusion", {"Cardiomegaly", "Effusion"}),
        ("Moderate effusion [ ] with adjacent atelectasis", {"Effusion", "Atelectasis"}),
        ("Consolidation, effusion - no.", {"Consolidation", "Effusion"}),
        ("Moderate effusion, pneumothorax | no", {"Effusion", "Pneumothorax"}),
        ("Finding | Present | New\nEffusion | Yes | No", {"Effusion"}),
        ("Effusion | Yes | No | Left", {"Effusion"}),
        ("Effusion: N/A", {"Effusion"}),
        ("Nodules: n = 4.", {"Nodule"}),
        ("Small pneumothorax - n.b. chest drain clamped.", {"Pneumothorax"}),
        ("Left effusion - N. Smith informed.", {"Effusion"}),
        ("Left lower lobe pneumonia, COVID PCR (-).", {"Pneumonia"}),
        ("Consolidation, sputum AFB (-), left upper lobe.", {"Consolidation"}),
        ("Effusion (-)mass (+)", {"Effusion", "Mass"}),
    ],
)
def test_marks_in_prose_deny_nothing(text: str, positive: set[str]) -> None:
    assert states(f"FINDINGS:\n{text}") == dict.fromkeys(positive, "positive")


@pytest.mark.parametrize(
    "text",
    [
        "No evidence of pneumothorax [x] or effusion [x].",
        "No pneumothorax \u2713 or effusion \u2713.",
        "The pleura shows\tno\teffusion or pneumothorax.",
        "Pleura:\tNo\teffusion or\tpneumothorax",
        "Pleura: no pneumothorax\tor effusion",
        "No\u200beffusion or\u200bpneumothorax",
        "Effusion or pneumothorax: no",
    ],
)
def test_marks_in_prose_end_no_denial(text: str) -> None:
    assert states(f"FINDINGS: {text}") == {"Effusion": "negative", "Pneumothorax": "negative"}


def test_the_cue_is_quoted_as_it_was_written() -> None:
    assert told("FINDINGS: Effusion | No")["Effusion"].cue == "| No"
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
        ("There is an e\ufb00u\u2060sion.", "Effusion", "e\ufb00u\u2060sion"),
        ("Pneumotohrax, e\ufb00usion.", "Effusion", "e\ufb00usion"),
    ],
)
def test_joined_and_unseen_letters_are_read(written: str, finding: str, phrase: str) -> None:
    found = told(f"FINDINGS: {written}")[finding]
    assert (found.state, found.phrase) == ("positive", phrase)


def test_places_are_those_of_the_original() -> None:
    read = plain("e\ufb00usion\u2060 and \ufb01brosis")
    assert read.text == "effusion and fibrosis"
    assert [read.original(place) for place in (0, 8, 9, 13, 21)] == [0, 8, 9, 13, 20]
    assert plain("No Effusion") == ("no effusion", ())


def test_thousands_of_marks_are_read_in_no_time() -> None:
    started = time.process_time()
    for mark in ("\t", "|", "[ ]", " - ", "(-)", "\u200b", "a:"):
        LABELER.label(f"FINDINGS: a:{mark * 20_000}b")
    assert time.process_time() - started < 10
