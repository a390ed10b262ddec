"""What a sentence says about each finding that it names: affirmed, hedged or denied.

Cues in plain word order stand in for the dependency rules of Wang et al. (CVPR 2017, Table 6): a
cue reaches the findings of its clause, so "no effusion, pneumothorax or consolidation" denies all
three; "but", ";" and the other lines of `rules/boundary.txt` end its reach. The nearest cue
decides. Looks at one sentence; the report's state is aggregated in `labeler`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from thorax.reports.lexicon import Cue, Lexicon, Phrases

Assertion = Literal["affirmed", "hedged", "denied"]

_INDEPENDENT = re.compile(r"(?:^|[,;(]|\band)\s*$", re.IGNORECASE)
_MEANING: dict[str, Assertion] = {"negation": "denied", "uncertainty": "hedged"}


@dataclass(frozen=True)
class Mention:
    """A finding named in a sentence; `start` and `end` count characters from its start."""

    finding: str
    assertion: Assertion
    start: int
    end: int
    phrase: str
    cue: str
    rule: str


@dataclass(frozen=True)
class _Found:
    cue: Cue
    start: int
    end: int
    text: str


def mentions(sentence: str, lexicon: Lexicon, *, after_reach_words: int) -> tuple[Mention, ...]:
    """Every mention in `sentence`, by finding and then by place.

    Args:
        sentence: one sentence as written.
        lexicon: phrases and rules.
        after_reach_words: how many words back a cue reaches that stands after a finding.
    """
    spans = [
        (phrases.name, span) for phrases in lexicon.phrases for span in _named(sentence, phrases)
    ]
    if not spans:
        return ()
    cues = _cues(sentence, lexicon)
    boundaries = [(mark.start(), mark.end()) for mark in lexicon.boundary.finditer(sentence)]
    found = []
    for finding, (start, end) in spans:
        cue = _nearest(sentence, (start, end), cues, boundaries, after_reach_words)
        assertion = _MEANING[cue.cue.kind] if cue else "affirmed"
        rule = f"{cue.cue.kind}: {cue.cue.line}" if cue else "affirmed"
        text = cue.text if cue else ""
        found.append(Mention(finding, assertion, start, end, sentence[start:end], text, rule))
    return tuple(found)


def _named(sentence: str, phrases: Phrases) -> Iterator[tuple[int, int]]:
    barred = [m.span() for m in phrases.exception.finditer(sentence)] if phrases.exception else []
    for match in phrases.mention.finditer(sentence):
        start, end = match.span()
        if not any(start < bar_end and bar_start < end for bar_start, bar_end in barred):
            yield start, end


def _cues(sentence: str, lexicon: Lexicon) -> list[_Found]:
    found = [
        _Found(cue, match.start(), match.end(), match.group())
        for match in lexicon.cue.finditer(sentence)
        for cue in lexicon.cues[match.lastgroup or ""]
        if cue.direction != "-"
    ]
    denials = [
        item for item in found if item.cue.kind == "negation" and item.cue.direction == "before"
    ]
    return [item for item in found if not _under_a_denial(item, denials, sentence)]


def _under_a_denial(item: _Found, denials: list[_Found], sentence: str) -> bool:
    """Whether a hedge only continues a denial: "no opacity suspicious for pneumonia"."""
    if item.cue.kind != "uncertainty" or item.cue.direction != "before":
        return False
    if _INDEPENDENT.search(sentence, 0, item.start):
        return False
    return any(denial.end <= item.start for denial in denials)


def _nearest(
    sentence: str,
    span: tuple[int, int],
    cues: list[_Found],
    boundaries: list[tuple[int, int]],
    after_reach_words: int,
) -> _Found | None:
    start, end = span
    reached: list[tuple[int, _Found]] = []
    for item in cues:
        if start <= item.start and item.end <= end:  # "heart is not enlarged"
            reached.append((0, item))
        elif item.cue.direction == "before" and item.end <= start:
            if not _parted(boundaries, item.end, start):
                reached.append((start - item.end, item))
        elif item.cue.direction == "after" and item.start >= end:
            words = len(sentence[end : item.start].split())
            if words <= after_reach_words and not _parted(boundaries, end, item.start):
                reached.append((item.start - end, item))
    return min(reached, key=lambda pair: pair[0])[1] if reached else None


def _parted(boundaries: list[tuple[int, int]], left: int, right: int) -> bool:
    return any(left <= start and end <= right for start, end in boundaries)
