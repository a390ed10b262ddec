"""Wordings by kind, each with what a clinician reads; the share that is read right, per kind.

The first lines of a kind are cases that users met; the others were written for this test, a third
of them left unread while the rules were written.
"""

from collections import Counter
from pathlib import Path

import pytest

from thorax.reports.labeler import Labeler
from thorax.reports.settings import ReportsConfig

LEAST_SHARE = 0.95
LABELER = Labeler(ReportsConfig())


def read_cases() -> dict[str, list[tuple[str, dict[str, list[str]]]]]:
    """Reports and the states that are right for each finding, by kind."""
    kinds: dict[str, list[tuple[str, dict[str, list[str]]]]] = {}
    path = Path(__file__).with_name("sentences.tsv")
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        kind, text, expected = line.split("\t")
        pairs = (item.split("=") for item in expected.split(";"))
        states = {finding: allowed.split(",") for finding, allowed in pairs}
        kinds.setdefault(kind, []).append((text, states))
    return kinds


CASES = read_cases()
MET_BY_USERS = Counter(
    {
        "items of one line": 6,
        "contracted not": 6,
        "does not exclude": 2,
        "clause after a comma": 3,
        "comparison": 3,
        "infection": 2,
        "elsewhere or past": 5,
        "denied list as subject": 2,
        "words": 3,
    }
)


@pytest.mark.parametrize("kind", CASES)
def test_the_share_of_a_kind_that_is_read_right(kind: str) -> None:
    wrong = {}
    for number, (text, expected) in enumerate(CASES[kind]):
        found = {label.finding: label.state for label in LABELER.label(text)}
        differing = {
            name: found[name] for name, states in expected.items() if found[name] not in states
        }
        if differing:
            wrong[text] = differing
            assert number >= MET_BY_USERS[kind], (text, differing)
    share = 1 - len(wrong) / len(CASES[kind])
    print(f"{kind}: {share:.3f} of {len(CASES[kind])}")
    assert share >= LEAST_SHARE, (f"{share:.3f} of {len(CASES[kind])}", wrong)
