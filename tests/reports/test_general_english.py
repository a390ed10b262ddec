"""Hundreds of short reports in general English, each with what a radiologist takes it to say."""

from pathlib import Path

import pytest

from thorax.findings import FINDINGS, NORMAL
from thorax.reports.labeler import Labeler
from thorax.reports.settings import ReportsConfig

STATES = {"+": "positive", "-": "negative", "?": "uncertain", ".": "unmentioned"}
LETTERS = {
    "Px": "Pneumothorax",
    "Pn": "Pneumonia",
    "PT": "Pleural_Thickening",
    "n": NORMAL,
} | {name[:2]: name for name in FINDINGS if not name.startswith(("Pn", "Pl"))}


def readings() -> dict[str, list[tuple[str, dict[str, str]]]]:
    """Reports with their expected states, by the file's headings."""
    parts: dict[str, list[tuple[str, dict[str, str]]]] = {}
    lines = Path(__file__).with_name("readings.txt").read_text(encoding="utf-8").splitlines()
    heading = ""
    for line in lines[3:]:
        if line.startswith("# "):
            heading = line[2:]
        elif line:
            states, _, text = line.partition("|")
            told = {LETTERS[word[:-1]]: STATES[word[-1]] for word in states.split()}
            parts.setdefault(heading, []).append((text.strip().replace("\\n", "\n"), told))
    return parts


READINGS = readings()
LABELER = Labeler(ReportsConfig())


@pytest.mark.parametrize("heading", READINGS)
def test_general_english_is_read_as_it_is_meant(heading: str) -> None:
    wrong = {}
    for text, told in READINGS[heading]:
        found = {label.finding: label.state for label in LABELER.label(text)}
        expected = {finding: told.get(finding, "unmentioned") for finding in FINDINGS} | told
        if differing := {f: found[f] for f, state in expected.items() if found[f] != state}:
            wrong[text] = differing
    assert not wrong
