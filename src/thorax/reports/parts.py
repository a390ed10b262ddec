"""Films of other parts of the body that one report covers beside the chest.

"Left knee. Advanced osteoarthritis. Chest. No active disease." says nothing ill of the chest. The
names, and the words that lead back to the chest, stand in `rules/parts.txt`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from thorax.reports.patterns import literals, pattern_of

Part = Literal["elsewhere", "chest"]

_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)")
_SIDES = ("left", "right", "both", "bilateral")
_HEADING = re.compile(r"[A-Za-z][\w /&-]{0,40}:")


class Parts:
    """Tells sentences of the chest from those of other parts.

    Args:
        lines: a name or a word, and which it is.
    """

    def __init__(self, lines: Iterable[tuple[str, Part]]) -> None:
        told = list(lines)
        elsewhere, chest = (
            "|".join(pattern_of(line) for line, part in told if part == which)
            for which in ("elsewhere", "chest")
        )
        name = rf"(?:(?:{'|'.join(_SIDES)})\s+)?(?:{elsewhere})"
        opens = rf"{name}(?:\s+and\s+{name})?(?:\s+\d+)?\s*(?:[.:]|$)"
        self._opens = re.compile(opens, re.IGNORECASE)
        self._chest = re.compile(chest, re.IGNORECASE)
        firsts = (word for line, part in told if part == "elsewhere" for word in literals(line))
        self._firsts = frozenset([*_SIDES, *firsts])

    def of_chest(self, text: str, found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Of a section's sentences, places in `text`, those that are not told of another part."""
        elsewhere = False
        for start, end in found:
            if self._opens_with(text, start, end):
                elsewhere = True
            elif elsewhere:
                sentence = text[start:end].strip()
                elsewhere = not (_HEADING.match(sentence) or self._chest.search(sentence))
            if not elsewhere:
                yield start, end

    def _opens_with(self, text: str, start: int, end: int) -> bool:
        """Whether a sentence is but a part's name, or begins with it and a colon."""
        first = _FIRST_WORD.match(text, start, end)
        return (
            first is not None
            and first[1].lower() in self._firsts
            and self._opens.match(text, first.start(1), end) is not None
        )
