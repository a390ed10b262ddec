"""A sentence in plain small letters, as patterns read it, and where each of its letters stood.

Programs set other letters than people type: curly apostrophes, joined letters, hyphens that nobody
sees. Lines of forms are read as prose (`thorax.reports.forms`).
"""

import re
from typing import NamedTuple

from thorax.reports.forms import as_prose

_ALIKE = {
    **dict.fromkeys((0x2018, 0x2019, 0x02BC), "'"),
    **dict.fromkeys((0x2010, 0x2011), "-"),
    0x200B: " ",  # where a line may break
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
}
_UNSEEN = "\u00ad\u200c\u200d\u2060\ufeff"
_JOINED = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl",
    "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
_OTHER_LENGTH = re.compile(f"[{_UNSEEN}{''.join(_JOINED)}]")


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
    """The text in small letters; patterns that heed case are faster."""
    if text.isascii():
        return Read(as_prose(text.lower()))
    small = _small(text.translate(_ALIKE))
    shifts = []
    grown = 0
    for match in _OTHER_LENGTH.finditer(small):
        more = len(_JOINED.get(match.group(), "")) - 1
        grown += more
        shifts.append((match.end() + grown, -more))
    if shifts:
        small = _OTHER_LENGTH.sub(lambda match: _JOINED.get(match.group(), ""), small)
    return Read(as_prose(small), tuple(shifts))


def _small(text: str) -> str:
    """Small letters, each at its place."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
