"""A report's text to the sentences that count, with their places in the text.

Wang et al. (CVPR 2017, section 2.1) detect only in Findings and Impression, and read the whole
report when it has neither. Sentences end at `.`, `!`, `?`, a blank line, or before a line that
begins with a list number, a dash or a capital; where all lines are short, at every line's end;
and before each item of a list on one line (`thorax.reports.items`).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterator
from itertools import pairwise
from typing import NamedTuple

from thorax.reports.items import item_starts
from thorax.reports.lexicon import Lexicon
from thorax.reports.patterns import keys, words_of
from thorax.reports.plain import plain

WHOLE = "whole report"

# Text without a full stop for this many characters is no sentence; it is cut at a blank, because
# the search for cues takes time with the square of a sentence's length.
_LONGEST_SENTENCE = 1_000

_LIST_LINES = 3
_SHORT_LINE = 50  # characters; text is broken to more
_GOES_ON = re.compile(r"(?:,|\b(?:or|and|of|with|in|the|a|an|no|is|are|to|for))\s*$", re.IGNORECASE)

_LONGEST_HEADING = 200  # characters, blanks included; no heading comes near it

_WORD = re.compile(r"\w")
_CAPITALS = re.compile(r"(?<=[a-z?)])\s+([A-Z]{4,}(?: [A-Z]+)*\s*)$")

_SHORTENED = ("vs", "dr", "pl", "rt", "lt", "approx", r"e\.g", r"i\.e")
_NO_END = "".join(rf"(?<!\b(?i:{short})\.)" for short in _SHORTENED)
_STOP = (  # a mark comes first, which is what makes the search fast
    r"[.!?](?:"
    rf"(?<=[.!])(?<!\n\d\.){_NO_END}\s+|"
    r"(?<=[\w)?]\?)\s+|"
    r"(?<=[A-Za-z]{3}\.)(?=[A-Za-z]{2}))"  # nothing stands between two sentences
)
_ITEM = r"[ \t]*(?:[-*•]|\d+[.)])[ \t]"
_BULLET = re.compile(_ITEM)
_AFTER_LIST = re.compile(rf"\n{_ITEM}[^\n]*(\n)(?!{_ITEM})(?=\S)")
_SENTENCE_END = re.compile(rf"{_STOP}|\n(?:\s*\n|(?={_ITEM})|(?=[ \t]*[A-Z][a-z]))")
_LINE_END = re.compile(rf"{_STOP}|\n(?:\s*\n)?")


class Sentence(NamedTuple):
    """A sentence and its place.

    Attributes:
        section: heading that it stands under, in small letters.
        text: the sentence.
        start: where it starts in the report's text, in characters.
        concludes: whether its section sums the report up.
    """

    section: str
    text: str
    start: int
    concludes: bool


def sentences(text: str, lexicon: Lexicon) -> Iterator[Sentence]:
    """The sentences of the sections that count, in the order of the text."""
    for section, start, end in _sections_that_count(text, lexicon):
        concludes = lexicon.sections.get(section) == "conclude"
        for left, right in lexicon.parts.of_chest(text, _split(text, start, end, lexicon)):
            if sentence := text[left:right].strip():
                yield Sentence(section, sentence, text.index(sentence, left), concludes)


def silent(text: str, lexicon: Lexicon) -> Sentence | None:
    """The first heading of a report whose sections that count are there and hold no word."""
    counted = _sections_that_count(text, lexicon)
    section, start, _ = counted[0]
    if section == WHOLE or any(_WORD.search(text, left, right) for _, left, right in counted):
        return None
    heading = next(each for each in _headings(text, lexicon.sections) if each.end == start)
    written = text[heading.start : heading.end].rstrip(": \t")
    return Sentence(section, written, heading.start, concludes=False)


def _sections_that_count(text: str, lexicon: Lexicon) -> list[tuple[str, int, int]]:
    headings = list(_headings(text, lexicon.sections))
    ends = [heading.start for heading in headings[1:]] + [len(text)]
    counted = [
        (heading.name, heading.end, end)
        for heading, end in zip(headings, ends, strict=False)
        if lexicon.sections[heading.name] != "skip"
    ]
    return counted or [(WHOLE, 0, len(text))]


class _Heading(NamedTuple):
    """A heading in small letters, where it starts, and where its colon ends."""

    name: str
    start: int
    end: int


def _headings(text: str, known: Container[str]) -> Iterator[_Heading]:
    """Every known heading: what stands before a colon where a line or a sentence starts."""
    colon = text.find(":")
    while colon >= 0:
        left = max(colon - _LONGEST_HEADING, 0)
        start = 1 + max(
            text.rfind("\n", left, colon),
            text.rfind(".", left, colon),
            text.rfind(";", left, colon),
        )
        if start or not left:
            written = text[start:colon]
            name = " ".join(written.lower().split())
            if name not in known and (capitals := _CAPITALS.search(written)):
                start += capitals.start(1)  # "INDICATION: Cough FINDINGS: Clear": no stop between
                written = capitals.group(1)
                name = " ".join(written.lower().split())
            if name in known:
                yield _Heading(name, start + len(written) - len(written.lstrip()), colon + 1)
        colon = text.find(":", colon + 1)


def _split(text: str, start: int, end: int, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    found = _split_at_marks(text, start, end, lexicon)
    items = item_starts(text, start, end, lambda lead: _cues_ahead(lead, lexicon))
    return _cut(found, items) if items else found


def _cut(found: Iterator[tuple[int, int]], items: list[int]) -> Iterator[tuple[int, int]]:
    for left, right in found:
        inside = items[bisect_right(items, left) : bisect_left(items, right)]
        yield from pairwise([left, *inside, right])


def _split_at_marks(text: str, start: int, end: int, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    at = start
    ends = _LINE_END if _is_list(text[start:end]) else _SENTENCE_END
    may_lead = text.find(":", start, end) >= 0
    for mark in [*ends.finditer(text, start, end), None]:
        stop = end if mark is None else mark.start() + (text[mark.start()] != "\n")
        if may_lead and _leads(text[at:stop], lexicon):
            if mark and _BULLET.match(text, mark.end()):
                continue
            if after := _AFTER_LIST.search(text, at, stop):
                yield from _pieces(text, at, after.start(1))
                at = after.end()
        yield from _pieces(text, at, stop)
        at = mark.end() if mark else end


def _is_list(text: str) -> bool:
    """Whether a section is a list of short lines, as no text is that was broken to a width."""
    if text.count("\n") < _LIST_LINES - 1:
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    return (
        len(lines) >= _LIST_LINES
        and max(map(len, lines)) <= _SHORT_LINE
        and not any(map(_GOES_ON.search, lines))
    )


def _leads(piece: str, lexicon: Lexicon) -> bool:
    """Whether a list stands under a cue: "No evidence of:", with an item to a line."""
    lead = piece.lstrip().split("\n", 1)[0].rstrip()
    return lead.endswith(":") and _cues_ahead(lead, lexicon)


def _cues_ahead(text: str, lexicon: Lexicon) -> bool:
    """Whether a text holds a cue that applies to what follows it."""
    if not text:
        return False
    lead = plain(text).text
    found = lexicon.cues.all(lead, keys(lead, words_of(lead)))
    return any(cue.what.direction == "before" for cue in found)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > _LONGEST_SENTENCE:
        blank = text.rfind(" ", start, start + _LONGEST_SENTENCE)
        cut = blank if blank > start else start + _LONGEST_SENTENCE
        yield start, cut
        start = cut
    yield start, end
