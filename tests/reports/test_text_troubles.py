"""Reports as they come: gaps, misspellings, lists, other languages; and two properties."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thorax.findings import FINDINGS, NORMAL, display
from thorax.reports.labeler import Label, Labeler
from thorax.reports.settings import ReportsConfig

LABELER = Labeler(ReportsConfig())

READINGS = Path(__file__).with_name("readings.txt").read_text(encoding="utf-8").splitlines()[3:]
SENTENCES = tuple(
    text
    for line in READINGS
    if re.fullmatch(r"[A-Z][^:.!\\]+\.", text := line.partition("|")[2].strip())
)
"""Hundreds of single sentences that mean the same wherever they stand."""

NOUNS = {finding: display(finding).lower() for finding in FINDINGS}
DENIALS = ("No {}.", "There is no {}.", "No evidence of {}.", "{} is not seen.", "Negative for {}.")


def label(text: str, finding: str = "Effusion") -> Label:
    return next(item for item in LABELER.label(text) if item.finding == finding)


def states(text: str) -> dict[str, str]:
    return {item.finding: item.state for item in LABELER.label(text)}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(SENTENCES), max_size=5),
    st.sampled_from(FINDINGS),
    st.sampled_from(DENIALS),
)
def test_appending_a_denied_mention_never_turns_anything_positive(
    said: list[str], finding: str, denial: str
) -> None:
    before = states("FINDINGS: " + " ".join(said))
    after = states("FINDINGS: " + " ".join([*said, denial.format(NOUNS[finding])]))
    assert {name for name in FINDINGS if after[name] == "positive"} <= {
        name for name in FINDINGS if before[name] == "positive"
    }
    if before[finding] == "unmentioned":
        assert after[finding] == "negative"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(SENTENCES), unique=True, max_size=6).flatmap(
    lambda said: st.tuples(st.just(said), st.permutations(said))
))  # fmt: skip
def test_the_order_of_unrelated_sentences_does_not_matter(
    orders: tuple[list[str], list[str]],
) -> None:
    first, second = orders
    assert states("FINDINGS: " + " ".join(first)) == states("FINDINGS: " + " ".join(second))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_no_text_stops_it_and_every_place_is_true(text: str) -> None:
    for item in LABELER.label(text):
        if item.phrase:
            assert text[item.start : item.end] == item.phrase


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("No XXXX of a pleural effusion.", "negative"),
        ("Small XXXX XXXX effusion.", "positive"),
        ("Small pleural efusion.", "positive"),
        ("Small pleural effussion.", "positive"),
        ("No pleural effusoins.", "negative"),
        ("NO PLEURAL EFFUSION OR PNEUMOTHORAX", "negative"),
        ("No pneumothorax\nSmall effusion\n", "positive"),
        ("No pneumothorax, no effusion, no edema, heart normal, no nodule", "negative"),
        ("No pneumothorax but there is an effusion.", "positive"),
        ("It is not certain that there is no effusion.", "uncertain"),
        ("It is not true that there is no effusion.", "positive"),
        ("Effusion cannot entirely, given the technique, be excluded.", "uncertain"),
        ("Pleural effusions or pneumothorax.", "uncertain"),
        ("Family history of pleural effusion.", "unmentioned"),
        ("History of effusion.", "unmentioned"),
        ("Prior CT showed an effusion.", "unmentioned"),
        ("The effusion has resolved.", "negative"),
        ("No increase in the left effusion.", "positive"),
        ("Knee joint effusion.", "unmentioned"),
        ("Probable small effusion.", "positive"),
        ("Blunting of the left costophrenic angle.", "uncertain"),
        ("Blunting of the left costophrenic angle. No effusion.", "negative"),
        ("Effusion and a nodule are absent.", "negative"),
        ("Status post thoracentesis, with a smaller effusion.", "positive"),
        ("Effusion: no. Pneumothorax: yes.", "negative"),
        ("Pleura: no effusion.", "negative"),
        ("Rule out effusion.", "uncertain"),
        ("No consolidation, a pleural effusion, or a pneumothorax.", "negative"),
        ("No consolidation, a pleural effusion is seen.", "positive"),
        ("Kein Pneumothorax, kein Effusion.", "unmentioned"),
        ("", "unmentioned"),
    ],
)  # fmt: skip
def test_a_sentence_means_what_its_reader_takes_it_for(text: str, state: str) -> None:
    assert label(f"FINDINGS: {text}").state == state


@pytest.mark.parametrize(
    ("text", "severity", "laterality"),
    [
        ("There is a moderate left pleural effusion.", "moderate", "left"),
        ("Large effusions bilaterally.", "severe", "bilateral"),
        ("Moderate to severe effusion on the right.", "severe", "right"),
        ("There is a pleural effusion.", "", ""),
        ("Severe cardiomegaly; left effusion.", "", "left"),
    ],
)
def test_degree_and_side_are_kept_when_said(text: str, severity: str, laterality: str) -> None:
    found = label(text)
    assert (found.severity, found.laterality) == (severity, laterality)


def test_the_concept_tells_pericardial_from_pleural() -> None:
    assert label("Pericardial effusion.").concept == "C0031039"
    assert label("Pleural effusion.").concept == "C0032227"


def test_the_conclusion_is_quoted_before_the_findings() -> None:
    found = label("FINDINGS: Left effusion.\nIMPRESSION: Small effusion.")
    assert found.section == "impression"


@pytest.mark.parametrize("aside", ["Left pacemaker.", "Low lung volumes.", "Old rib fracture."])
def test_what_is_noted_makes_a_report_not_normal(aside: str) -> None:
    assert label(f"FINDINGS: Lungs are clear. {aside}", NORMAL).state == "negative"
