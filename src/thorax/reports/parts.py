"""Films of other parts of the body that one report covers beside the chest.

"Left knee. Advanced osteoarthritis. Chest. No active disease." says nothing ill of the chest. The
names, and the words that lead back to the chest, stand in `rules/parts.txt`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from thorax.reports.patterns import pattern_of

Part = Literal["elsewhere", "chest"]

_SIDE = r"(?:(?:left|right|both|bilateral|the)\s+)?"
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
        name = rf"{_SIDE}(?:{elsewhere})"
        opens = rf"{name}(?:\s+and\s+{name})?(?:\s+\d+)?\s*(?:[.:]|$)"
        self._opens = re.compile(opens, re.IGNORECASE)
        self._opens_within = re.compile(rf"(?:^|[.;:\n\d])[ \t]{{0,8}}{opens}", re.IGNORECASE)
        self._chest = re.compile(chest, re.IGNORECASE)

    def of_chest(self, text: str, found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Of a section's sentences, places in `text`, those that are not told of another part."""
        elsewhere = False
        for start, end in found:
            sentence = text[start:end].strip()
            if self._opens.match(sentence):
                elsewhere = True
            elif elsewhere:
                elsewhere = not (_HEADING.match(sentence) or self._chest.search(sentence))
            if not elsewhere:
                yield start, end

    def any_in(self, text: str, start: int, end: int) -> bool:
        """Whether a section opens another part at all; few do."""
        return self._opens_within.search(text, max(start - 1, 0), end) is not None
