"""The text files that a clinician reviews are read as `rules/README.txt` says."""

import re
import shutil
from pathlib import Path

import pytest

from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.reports import lexicon, patterns
from thorax.reports.labeler import Labeler
from thorax.reports.plain import plain
from thorax.reports.settings import ReportsConfig


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
    found = re.search(patterns.pattern_of(phrase), text, re.IGNORECASE)
    assert bool(found) is matches


def named(sentence: str) -> set[str]:
    small = plain(sentence).text
    found = lexicon.load().phrases.all(small, patterns.keys(small, patterns.words_of(small)))
    return {item.what.finding for item in found}


def test_every_finding_has_phrases_and_a_word_of_no_finding_names_none() -> None:
    for finding in FINDINGS:
        assert finding in named(finding.replace("_", " "))
    assert "normal" in named("Normal.")
    assert named("The examination consists of words.") == set()


def test_the_longest_cue_wins_at_one_place() -> None:
    sentence = "there is no significant interval change in"
    small = plain(sentence).text
    first = lexicon.load().cues.all(small, patterns.keys(small, patterns.words_of(small)))[0]
    assert sentence[first.start : first.end] == "no significant interval change"
    assert first.what.direction == "-"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for part in ("phrases", "rules"):
        shutil.copytree(lexicon.BUILT_IN / part, tmp_path / part)
    return tmp_path


def test_a_phrase_is_added_without_code(copied: Path) -> None:
    with (copied / "phrases" / "Effusion.txt").open("a") as file:
        file.write("water on the lung | C0032227\n")
    labeler = Labeler(ReportsConfig(), lexicon.load(copied))
    label = labeler.label("FINDINGS: No water on the lung.")[FINDINGS.index("Effusion")]
    assert (label.state, label.phrase, label.concept) == (
        "negative", "water on the lung", "C0032227",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("rules/negation.txt", "no sign of"),
        ("rules/negation.txt", "no sign of | beside"),
        ("rules/negation.txt", "... | before"),
        ("rules/sections.txt", "findings | perhaps"),
        ("rules/severity.txt", "| mild"),
        ("rules/spelling.txt", "mass"),
        ("phrases/Mass.txt", "~"),
        ("phrases/Mass.txt", "lump | C12"),
    ],
)
def test_a_broken_line_is_named_with_file_and_number(copied: Path, file: str, line: str) -> None:
    path = copied / file
    lines = path.read_text().count("\n")
    path.write_text(path.read_text() + f"\n{line}\n")
    with pytest.raises(BadInput, match=rf"{re.escape(file)}:{lines + 2}: "):
        lexicon.load(copied)


def test_a_rules_file_in_another_encoding_or_with_nothing_in_it_is_named(copied: Path) -> None:
    path = copied / "rules" / "negation.txt"
    path.write_bytes(b"no | before\ncaf\xe9 | before\n")
    with pytest.raises(BadInput, match=r"negation\.txt:2: not UTF-8"):
        lexicon.load(copied)
    path.write_text("\n")
    with pytest.raises(BadInput, match=r"negation\.txt is empty"):
        lexicon.load(copied)
    path.write_text("# none\n", encoding="utf-8-sig")
    assert lexicon.load(copied).sections


def test_a_missing_rules_file_is_named(copied: Path) -> None:
    (copied / "rules" / "subject.txt").unlink()
    with pytest.raises(BadInput, match=r"subject.txt is missing"):
        lexicon.load(copied)


@pytest.mark.parametrize(
    ("text", "small"),
    [
        ("PLEURAL Effusion", "pleural effusion"),
        ("\u0130 EFFUSION \u212a", "\u0130 effusion k"),
        ("Patient\u2019s LEFT\u2011sided", "patient's left-sided"),
        ("\uff2e\uff4f \uff25\uff46\uff46\uff55\uff53\uff49\uff4f\uff4e\uff0c", "no effusion,"),
    ],
)
def test_small_letters_keep_their_places(text: str, small: str) -> None:
    assert plain(text) == (small, ())
