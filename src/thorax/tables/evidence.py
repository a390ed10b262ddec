"""The poster's localization picture: the report beside the image, its evidence sentence marked.

What the labeller read in the text stands beside what the network saw in the image, so that a reader
can hold one against the other. Lays out text; labels nothing and finds no boxes.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax import images

Picture = NDArray[np.uint8]  # [H, W, 3], blue, green, red
Colour = tuple[int, int, int]  # blue, green, red

_PAPER: Final[Colour] = (24, 20, 18)
_INK: Final[Colour] = (225, 225, 225)
_QUIET: Final[Colour] = (150, 150, 150)
_STATES: Final[dict[str, tuple[Colour, Colour]]] = {  # behind the sentence, and its phrase
    "positive": ((38, 74, 98), (110, 215, 255)),
    "uncertain": ((92, 52, 74), (240, 170, 215)),
    "negative": ((72, 66, 42), (220, 210, 150)),
}
_WIDTH_SHARE, _MARGIN_SHARE = 0.86, 0.045  # of the picture's side
_SIZES_PX = range(24, 9, -1)  # letters of a picture of 768 px, the largest that fits
_REFERENCE_PX = 768
_LINE, _SPACE = 1.55, 0.3  # of the letters' size


@dataclass(frozen=True)
class Evidence:
    """A report, and where in it the labeller found the finding.

    Attributes:
        report: its name.
        text: all of it.
        finding: as people read it.
        state: positive, negative, uncertain or unmentioned.
        sentence: the evidence sentence; empty when unmentioned.
        start, end: the phrase in `text`; equal when unmentioned.
    """

    report: str
    text: str
    finding: str
    state: str
    sentence: str = ""
    start: int = 0
    end: int = 0

    def span(self) -> tuple[int, int]:
        """Where the sentence lies in `text`; the phrase alone when it is not found as it stands."""
        at = self.text.find(self.sentence, max(0, self.end - len(self.sentence)))
        found = bool(self.sentence) and 0 <= at <= self.start
        return (at, at + len(self.sentence)) if found else (self.start, self.end)


@dataclass(frozen=True)
class _Word:
    text: str
    start: int  # in the report's text
    x: int
    line: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def beside(picture: bytes, evidence: Evidence) -> bytes:
    """A picture with the report at its right.

    Args:
        picture: an overlay as PNG.
        evidence: the report and its evidence.

    Returns:
        The bytes of a PNG of the same height.
    """
    left = np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    height, side = left.shape[:2]
    page = np.full((height, round(side * _WIDTH_SHARE), 3), _PAPER, np.uint8)
    _draw(page, evidence, scale=side / _REFERENCE_PX)
    return images.encode_png(np.hstack([left, page]))


def _draw(page: Picture, evidence: Evidence, *, scale: float) -> None:
    height, width = page.shape[:2]
    margin = round(width * _MARGIN_SHARE / _WIDTH_SHARE)
    small = max(9, round(18 * scale))
    _write(page, f"Report {evidence.report}", (margin, margin + small), small, _QUIET)
    top, foot = margin + round(2.4 * small), margin + 2 * small
    size, words = _fit(evidence.text, width - 2 * margin, height - top - foot - margin, scale)
    step = round(size * _LINE)
    _mark(page, words, evidence, (margin, top), size)
    start, end = evidence.start, evidence.end
    for word in words:
        own = evidence.state in _STATES and word.start < end and word.end > start
        colour = _STATES[evidence.state][1] if own else _INK
        base = (margin + word.x, top + word.line * step + size)
        _write(page, word.text, base, size, colour)
    _foot(page, evidence, (margin, height - margin), small)


def _foot(page: Picture, evidence: Evidence, corner: tuple[int, int], size: int) -> None:
    """What the labeller says, with a patch of the mark's colour."""
    x, base = corner
    if evidence.state in _STATES:
        behind, bright = _STATES[evidence.state]
        cv2.rectangle(page, (x, base - size), (x + 2 * size, base + size // 4), behind, cv2.FILLED)
        x += round(2.6 * size)
        said = f"evidence for {evidence.finding}: {evidence.state}"
        _write(page, said, (x, base), size, bright)
    else:
        _write(page, f"{evidence.finding} is not mentioned", (x, base), size, _QUIET)


def _fit(text: str, width: int, height: int, scale: float) -> tuple[int, list[_Word]]:
    """The largest letters with which the text fits, and its words; too long a text ends in dots."""
    for pixels in _SIZES_PX:
        size = max(9, round(pixels * scale))
        words = _wrap(text, width, size)
        lines = words[-1].line + 1 if words else 0
        if lines * size * _LINE <= height:
            return size, words
    last = int(height / (size * _LINE)) - 1
    kept = [word for word in words if word.line < last]
    return size, [*kept, _Word("...", len(text), 0, last)]


def _wrap(text: str, width: int, size: int) -> list[_Word]:
    words: list[_Word] = []
    line, at = 0, 0
    for paragraph in text.splitlines(keepends=True):
        x = 0
        for piece in paragraph.split():
            start = text.index(piece, at)
            long = _length(piece, size)
            if x and x + long > width:
                x, line = 0, line + 1
            words.append(_Word(piece, start, x, line))
            x += long + round(size * _SPACE)
            at = start + len(piece)
        line += 1
    return words


def _mark(
    page: Picture, words: list[_Word], evidence: Evidence, corner: tuple[int, int], size: int
) -> None:
    """Lay the mark behind the words of the evidence sentence, one bar a line."""
    if evidence.state not in _STATES:
        return
    first, last = evidence.span()
    marked = [word for word in words if word.start < last and word.end > first]
    step, pad = round(size * _LINE), round(size * 0.22)
    for line in dict.fromkeys(word.line for word in marked):
        own = [word for word in marked if word.line == line]
        left = corner[0] + own[0].x - pad
        right = corner[0] + own[-1].x + _length(own[-1].text, size) + pad
        top = corner[1] + line * step - pad
        bottom = top + size + round(2.6 * pad)
        behind = _STATES[evidence.state][0]
        cv2.rectangle(page, (left, top), (right, bottom), behind, cv2.FILLED)


def _write(page: Picture, text: str, base: tuple[int, int], size: int, colour: Colour) -> None:
    # One weight everywhere: OpenCV's glyph cache mixes the weights of a font.
    cv2.putText(page, text, base, colour, cv2.FontFace("sans"), size)


def _length(text: str, size: int) -> int:
    """The width of a word in pixels."""
    _, _, length, _ = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size)
    return int(length)
