"""The text files that a clinician reviews are read as `rules/README.txt` says."""

import re

import pytest

from thorax.findings import FINDINGS, NORMAL
from thorax.reports import lexicon


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("atelecta*", "Atelectases", True),
        ("atelecta*", "preatelectasis", False),
        ("mass", "massive", False),
        ("pleural effusion", "pleural\n  effusion", True),
        ("heart ... enlarged", "heart is mildly enlarged", True),
        ("heart ... enlarged", "heart enlarged", True),
        ("heart ... enlarged", "heart is fine, liver enlarged", False),
        ("heart ... enlarged", "heart one two three four five enlarged", False),
        ("suspicious / concerning for", "concerning for", True),
        ("suspicious / concerning for", "suspicious", False),
        (", a / an", "seen , an", True),
    ],
)
def test_a_line_matches_what_it_says(phrase: str, text: str, matches: bool) -> None:
    found = re.search(lexicon.pattern_of(phrase), text, re.IGNORECASE)
    assert bool(found) is matches


def test_every_finding_has_phrases_that_name_only_itself_or_a_declared_neighbour() -> None:
    names = [phrases.name for phrases in lexicon.load().phrases]
    assert names == [*FINDINGS, lexicon.OTHER, NORMAL]


def test_the_longest_cue_wins_at_one_place() -> None:
    knowledge = lexicon.load()
    match = knowledge.cue.search("there is no significant interval change in")
    assert match is not None
    assert match.group() == "no significant interval change"
    assert knowledge.cues[match.lastgroup or ""][0].direction == "-"
