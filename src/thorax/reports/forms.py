"""Forms in a report, read as prose: "Effusion | No", "Effusion - none", "[ ] Effusion".

A line counts as a form only where all of it is one: names with their answers, or items with their
boxes. Anything else keeps its marks, since a bar, a dash or an empty box can mean much in prose.
Letters keep their places. What an answer or a box denies is said by the two marks below, which the
rules know; they reach no farther than the neighbouring name.
"""

import re
from itertools import pairwise
from typing import Final

DENIED: Final = "\u2298"
"""Stands where a form's answer says no, behind the name."""

UNTICKED: Final = "\u2610"
"""Stands where a box is not ticked, before the item."""

_LONGEST = 400  # characters; no line of a form is longer

_NO = ("no", "none", "nil", "neg", "negative", "absent", "n", "-", "\u2013", "\u2212")
_YES = ("yes", "y", "pos", "positive", "present", "+")
_LETTERS = ("n", "y")
_SHORT = ("n", "y", "neg", "nil")
_WORDS = "|".join(word for word in (*_NO, *_YES) if word.isalpha())

_HINT = re.compile(
    r"[|=\t\[\u2014\u2610\u25a1]|\s[-\u2013\u2212]|\([-\u2013\u2212np]|:(?:\w|\s*(?:n|y|neg|nil)\b)"
)
_BOX = r"(?:\[[ x\u2713]?\]|[\u2610-\u2612\u25a1])"
_EMPTY = re.compile(r"\[ ?\]|[\u2610\u25a1]")
_BOX_FIRST = re.compile(rf"\s*(?:[-*\u2022]\s*)?{_BOX}")
_BOX_LAST = re.compile(rf"{_BOX}[\s.,;]*$")
_CELL = re.compile(r"[^|\t]+")
_MARK = r"(?:=|\u2014|:|(?<=\s)(?:--?|[\u2013\u2212])(?=\s))"
_ANSWERED = re.compile(
    rf"\s*[^:=()\[\]]*?\w(?P<told>\s*{_MARK}\s*(?P<answer>{_WORDS})|"
    r"\s*\((?P<sign>[-+\u2013\u2212]|neg|negative|pos|positive)\))[\s.]*"
)
_PIECE = re.compile(r"[^,;]+")


def as_prose(small: str) -> str:
    """A text in small letters with the lines of forms as prose; as long as before."""
    if not _HINT.search(small):
        return small
    return "\n".join(map(_line, small.split("\n")))


def _line(line: str) -> str:
    if len(line) > _LONGEST:
        return line
    if _BOX_FIRST.match(line):
        return _EMPTY.sub(lambda box: UNTICKED.rjust(len(box.group())), line)
    if _BOX_LAST.search(line):
        return _EMPTY.sub(lambda box: DENIED.rjust(len(box.group())), line)
    return _row(line) or _answers(line) or line


def _row(line: str) -> str:
    """A table's row of names, each with one answer or more behind it; empty where it is none."""
    cells = [(match, match.group().strip(" .")) for match in _CELL.finditer(line)]
    cells = [(match, text) for match, text in cells if text]
    named = [text not in _NO and text not in _YES for _, text in cells]
    if len(cells) < 2 or not named[0] or named[-1]:
        return ""
    if any(first and second for first, second in pairwise(named)):
        return ""
    read = [" "] * len(line)
    for place, (match, text) in enumerate(cells):
        if named[place]:
            if any(mark in text for mark in ",;:"):
                return ""
            read[match.start() : match.end()] = match.group()
            if place:
                read[match.start() - 1] = ";"
        elif named[place - 1] and text in _NO:
            read[match.end() - 1] = DENIED
    return "".join(read)


def _answers(line: str) -> str:
    """Names with their answers, parted by commas; empty where it is anything else."""
    read = line
    for piece in _PIECE.finditer(line):
        match = _ANSWERED.fullmatch(line, *piece.span())
        if not match:
            return ""
        answer = match["answer"] or match["sign"]
        start, end = match.span("told")
        told = line[start:end]
        if answer in _LETTERS and told.strip()[0] not in ":=(":  # "Left effusion - N. Smith called"
            return ""
        if ":" in told and answer not in _SHORT and ": " in told:
            continue  # the rules read these as they are
        mark = DENIED if answer in _NO else ""
        read = read[:start] + mark.rjust(end - start) + read[end:]
    return read
