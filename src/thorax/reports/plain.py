"""A sentence in plain small letters, as patterns read it, and where each of its letters stood.

Programs set other letters than people type: curly apostrophes, joined letters, hyphens and blanks
that nobody sees. Forms answer with a bar, a dash or a box where prose has words: "Effusion | No" is
read as "effusion : no", "[ ] Effusion" with a mark that `rules/negation.txt` knows.
"""

import re
from typing import NamedTuple

UNTICKED = "\u2610"
TICKED = "\u2611"

_ALIKE = {
    **dict.fromkeys((0x2018, 0x2019, 0x02BC), "'"),
    **dict.fromkeys((0x2010, 0x2011), "-"),
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
}
_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_JOINED = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl",
    "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
_OTHER_LENGTH = re.compile(f"[{_UNSEEN}{''.join(_JOINED)}]")

_OF_FORMS = re.compile(r"[|=\t\[(:\u2610-\u2612\u25a1\u2713\u2714]|\s[-\u2013\u2014]\s")
_ANSWER = r"(?:no|none|nil|neg|negative|absent|n|yes|y|pos|positive|present)"
_ANSWERS = re.compile(rf"(?:[|=\t]|(?<=\s)[-\u2013\u2014])(?=\s*{_ANSWER}\s*(?:$|[|;,.\t\n]))")
_NEXT = re.compile(rf"(:\s*{_ANSWER}\s*)[|\t]")
_YES = re.compile(r"(:\s*)y(?=\s*(?:$|[;,.\n]))")  # "y" alone is a word of Spanish
_MINUS = re.compile(r"\([-\u2013]\)")
_BOX = re.compile(r"\[ ?\]|\( \)|[\u2610\u25a1]")
_TICK = re.compile(r"\[[x\u2713]\]|\(x\)|[\u2611\u2612\u2713\u2714]")


class Read(NamedTuple):
    """A text as it is read.

    Attributes:
        text: the text.
        shifts: per change of length where it ends in `text`, and how much longer the original is.
    """

    text: str
    shifts: tuple[tuple[int, int], ...] = ()

    def original(self, place: int) -> int:
        """The place in the text as written; exact at the edges of words."""
        if not self.shifts:
            return place
        return place + sum(longer for end, longer in self.shifts if place >= end)


def plain(text: str) -> Read:
    """The text in small letters and plain marks; patterns that heed case are faster."""
    if text.isascii():
        return Read(_answers(text.lower()))
    small = _small(text.translate(_ALIKE))
    shifts = []
    grown = 0
    for match in _OTHER_LENGTH.finditer(small):
        more = len(_JOINED.get(match.group(), "")) - 1
        grown += more
        shifts.append((match.end() + grown, -more))
    if shifts:
        small = _OTHER_LENGTH.sub(lambda match: _JOINED.get(match.group(), ""), small)
    return Read(_answers(small), tuple(shifts))


def _small(text: str) -> str:
    """Small letters, each at its place."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _answers(small: str) -> str:
    """The marks of forms as marks of prose, each as long as before."""
    if not _OF_FORMS.search(small):
        return small
    small = _ANSWERS.sub(":", _MINUS.sub(": n", small))
    small = _YES.sub(r"\1+", _NEXT.sub(r"\1;", small))
    small = _BOX.sub(lambda box: UNTICKED.rjust(len(box.group())), small)
    return _TICK.sub(lambda tick: TICKED.rjust(len(tick.group())), small)
