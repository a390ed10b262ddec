"""Items of a list that follow one another on a line: "1) no effusion 2) nodule", "* a * b".

Each item is a sentence of its own, so that a "no" in the first says nothing of the second. Numbers
count only as a run that starts with 1; letters ("a", "i") and dashes only where the text starts
with one, since they have other uses in prose.
"""

import re
from collections.abc import Callable, Iterator

_NUMBER = re.compile(
    r"(?<![^\s:;,.])(?P<open>[(\[#]?)\s?(?P<label>\d{1,2}|[a-zA-Z]|[ivxIVX]{2,4})"
    r"(?P<close>\s?[.)\]:/]{1,2}|\s?[-\u2013\u2014](?=\s)|(?=\s))(?:\s*(?=[^\W\d_(])|\s+(?=\d))"
)
_SECOND = re.compile(r"2[).:\]/ -]")
_OPENINGS = "aAiI([#-\u2013\u2014>+"
_LONGEST_BLANK = 8  # characters between a heading and its list
_OPENING = re.compile(r"\s*(?:(?P<dash>[-\u2013\u2014>+]|--)\s+[^\W_]|[(\[#]?\s?[aAiI]\s?[.)\]:/])")
_STRONG = re.compile(r"(?<!\S)[*\u2022\u00b7\u2023\u25aa\u25a0\u25e6\u25cf\u2043](?=\s*[^\W_])")
_WEAK = re.compile(r"(?<!\S)(?:[-\u2013\u2014>+]|--)(?=\s+[^\W_])")
_WEAK_LINE = re.compile(r"\n\s*[-\u2013\u2014>+]")
_ANSWER = re.compile(r"\s*\W+\s*(?:no|none|nil|neg|negative|absent|yes|present|n|y)\b\W*$", re.I)
_FULL_STOP = re.compile(r"[.!?;](?=\s|$)|\n\s*\n")
_LETTERS = ("a", "A", "i", "I")
_LONGEST_LEAD = 300  # characters
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def item_starts(text: str, start: int, end: int, leads: Callable[[str], bool]) -> list[int]:
    """Where the items of one-line lists between two places start.

    Args:
        text: the report.
        start: where its section starts.
        end: where it ends.
        leads: whether words before a list apply to every item ("no evidence of"); then the list is
            read as one sentence.
    """
    found: list[int] = []
    # Few texts have a list, so the cheapest tests come first.
    two = text.find("2", start, end)
    letter = text[start : start + _LONGEST_BLANK].lstrip()[:1]
    opening = _OPENING.match(text, start, end) if letter and letter in _OPENINGS else None
    dash = opening is not None and opening["dash"] is not None
    if (two >= 0 and _SECOND.search(text, two, end)) or (opening and not dash):
        found += _numbered(text, start, end, leads)
    if ("*" in text or not text.isascii()) and _STRONG.search(text, start, end):
        found += [mark.start() for mark in _bullets(text, start, end, leads)]
    if opening and dash and not _WEAK_LINE.search(text, opening.end(), end):
        found += _dashed(text, opening.start("dash"), end)
    return sorted(found)


def _numbered(text: str, start: int, end: int, leads: Callable[[str], bool]) -> Iterator[int]:
    run: list[int] = []
    wanted = ""
    for match in _NUMBER.finditer(text, start, end):
        label, marked = match["label"], bool(match["open"] or match["close"].strip())
        if not marked and not (label.isdigit() and text[match.end() : match.end() + 1].isupper()):
            continue
        if run and label == wanted:
            run.append(match.start())
            wanted = _next(label, wanted in _ROMAN[1:])
        elif label == "1" or (label in _LETTERS and match.start() - start < _LONGEST_BLANK):
            lead = _lead(text, start, match.start())
            if (lead and not (marked and label == "1")) or leads(lead):
                continue
            if len(run) > 1:
                yield from run
            run, wanted = [match.start()], _next(label, label in ("i", "I"))
    if len(run) > 1:
        yield from run


def _next(label: str, roman: bool) -> str:
    """The label of the next item."""
    if label.isdigit():
        return str(int(label) + 1)
    if roman and label.lower() in _ROMAN[:-1]:
        after = _ROMAN[_ROMAN.index(label.lower()) + 1]
        return after if label.islower() else after.upper()
    return chr(ord(label) + 1) if len(label) == 1 else ""


def _lead(text: str, start: int, mark: int) -> str:
    """What is written between the last full stop and a list."""
    start = max(start, mark - _LONGEST_LEAD)
    for stop in _FULL_STOP.finditer(text, start, mark):
        start = stop.end()
    return text[start:mark].strip()


def _bullets(
    text: str, start: int, end: int, leads: Callable[[str], bool]
) -> Iterator[re.Match[str]]:
    marks = list(_STRONG.finditer(text, start, end))
    lead = _lead(text, start, marks[0].start())
    if not (leads(lead) and lead.endswith(":")) and (len(marks) > 1 or not lead):
        yield from marks


def _dashed(text: str, start: int, end: int) -> list[int]:
    """Items behind dashes; none where a dash stands before an answer, as in a form."""
    mark = text[start : start + 1]
    found = [match.start() for match in _WEAK.finditer(text, start, end)]
    found = [place for place in found if text[place] == mark]
    items = [text[left:right] for left, right in zip(found, [*found[1:], end], strict=True)]
    return [] if any(map(_ANSWER.match, items)) else found
