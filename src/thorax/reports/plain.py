"""A sentence in plain small letters, as patterns read it, and where each of its letters stood.

Programs set other letters than people type: curly apostrophes, joined letters, hyphens that nobody
sees. A contracted "not" is written out ("isn't": "is not"), so that rules need but one form. Lines
of forms are read as prose (`thorax.reports.forms`).
"""

import re
from typing import NamedTuple

from thorax.reports.forms import as_prose

_ALIKE = {
    **dict.fromkeys((0x2018, 0x2019, 0x201B, 0x2032, 0x02BC, 0x00B4, 0x0060), "'"),
    **dict.fromkeys((0x2010, 0x2011), "-"),
    0x200B: " ",  # where a line may break
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
}
_UNSEEN = "\u00ad\u200c\u200d\u2060\ufeff"
_JOINED = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl",
    "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
_OTHER_LENGTH = re.compile(rf"[{_UNSEEN}{''.join(_JOINED)}]|n['`]?t(?!\w)")
_LAST_WORD = re.compile(r"(?<!\w)\w+$")
_VERB_BEFORE_NOT = re.compile(
    r"is|are|was|were|ai|has|have|had|do|does|did|could|would|should|might|must|need|wo|sha"
)


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
        small = text.lower()
        if not (
            "'t" in small
            or "`t" in small
            or "snt " in small
            or "dnt " in small
            or " cant " in small
            or " dont " in small
            or "avent " in small
        ):  # as nearly always; a regular expression would cost more than all else here
            return Read(as_prose(small))
    else:
        small = _small(text.translate(_ALIKE))
    if not _OTHER_LENGTH.search(small):
        return Read(as_prose(small))
    return _of_other_length(small)


def _of_other_length(small: str) -> Read:
    pieces: list[str] = []
    shifts: list[tuple[int, int]] = []
    at = length = 0
    for match in _OTHER_LENGTH.finditer(small):
        written = match.group()
        before = small[at : match.start()]
        if len(written) == 1:
            read = _JOINED.get(written, "")
        elif (new := _negated(small, match.start())) is not None:
            before, read = before + new, "not"
            if new:
                shifts.append((length + len(before), -len(new)))
        else:
            continue
        pieces += (before, read)
        length += len(before) + len(read)
        shifts.append((length, len(written) - len(read)))
        at = match.end()
    text = "".join([*pieces, small[at:]])
    return Read(as_prose(text), tuple((end, more) for end, more in shifts if more))


def _negated(small: str, start: int) -> str | None:
    """What belongs between a verb and the "not" that is contracted with it; None for no verb."""
    verb = _LAST_WORD.search(small, max(start - 6, 0), start)
    stem = verb.group() if verb else ""
    if stem == "ca":
        return "n"
    return " " if _VERB_BEFORE_NOT.fullmatch(stem) else None


def _small(text: str) -> str:
    """Small letters, each at its place."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
