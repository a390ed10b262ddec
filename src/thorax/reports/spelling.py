"""Long words misspelt by one letter: read as the word of `rules/spelling.txt` that was meant.

One letter added, left out, changed, or two neighbours swapped (Damerau 1964), looked up by deletion
(after Garbe's SymSpell, 2012). Of words of less than eight letters only swaps are mended: they have
neighbours that mean something else ("nodular", "modular"). Places in the text are kept: `Read`
maps them back. A listed word that is written in two ("cardio-megaly") is read as one.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

from thorax.reports.plain import Read

SHORTEST = 5
_LONG = 8
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")
_SHORTEST_HALF = 4
_HALVES = re.compile(r"(?<!\w)([^\W\d_]+)(?:-\s*|\s+)([^\W\d_]+)(?!\w)")
_CACHED_WORDS = 100_000


class Corrector:
    """Mends words that are one letter away from a listed one.

    Args:
        words: words to mend towards, in small letters.
        right: beginnings of words that are right as they are.
    """

    def __init__(self, words: Iterable[str], right: Iterable[str]) -> None:
        known = sorted(set(words))
        listed = [word for word in known if len(word) >= _LONG]
        self._right = tuple({*known, *(word for word in right if len(word) >= _LONG - 2)})
        self._swapped = {swap: word for word in known for swap in _swaps(word) if swap != word}
        self._meant: dict[str, str] = {}
        for word in listed:
            for shorter in (word, *_without_one(word)):
                self._meant.setdefault(shorter, word)
        self._known = frozenset(known)
        self._halves = frozenset(
            word[:place] for word in listed for place in range(_SHORTEST_HALF, len(word) - 2)
        )
        self._answers: dict[str, str] = {}
        self._right_words: set[str] = set()  # known to need no correction

    def correct(self, sentence: str, words: list[str]) -> Read:
        """A sentence in small letters, its long words mended where exactly one letter is wrong.

        Args:
            sentence: the sentence.
            words: its words, handed in because they are needed elsewhere too.
        """
        if not self._halves.isdisjoint(words) and (halves := self._split_words(words)):
            return self._joined(sentence, halves)
        if self._right_words.issuperset(words):
            return Read(sentence)
        text, shifts = sentence, []
        grown = 0
        for match in _WORD.finditer(sentence):
            meant = self._meant_by(match.group())
            if meant:
                start, end = match.start() + grown, match.end() + grown
                text = text[:start] + meant + text[end:]
                longer = len(match.group()) - len(meant)
                grown -= longer
                shifts.append((start + len(meant), longer))
        if not shifts and len(self._right_words) < _CACHED_WORDS:
            self._right_words.update(words)
        return Read(text, tuple(shifts)) if shifts else Read(sentence)

    def _split_words(self, words: list[str]) -> set[str]:
        """The first halves of listed words that are written in two: "cardio megaly"."""
        return {first for first, second in pairwise(words) if first + second in self._known}

    def _joined(self, sentence: str, halves: set[str]) -> Read:
        """The sentence with words in one that a hyphen, a blank or the end of a line parts."""
        text, shifts = "", []
        at = place = 0
        while match := _HALVES.search(sentence, place):
            joined = match[1] + match[2]
            place = match.start(2)
            if match[1] in halves and joined in self._known:
                text += sentence[at : match.start()] + joined
                at = match.end()
                shifts.append((len(text), len(match.group()) - len(joined)))
        return Read(text + sentence[at:], tuple(shifts))

    def _meant_by(self, word: str) -> str:
        if word not in self._answers:
            if len(self._answers) >= _CACHED_WORDS:
                self._answers.clear()
            self._answers[word] = self._look_up(word)
        return self._answers[word]

    def _look_up(self, word: str) -> str:
        if word.startswith(self._right):
            return ""
        if word in self._swapped or len(word) < _LONG - 1:
            return self._swapped.get(word, "")
        for shorter in (word, *_without_one(word)):
            meant = self._meant.get(shorter)
            if meant and _one_apart(word, meant):
                return meant
        return ""


def _without_one(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _swaps(word: str) -> list[str]:
    return [
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(len(word) - 1)
    ]


def _one_apart(word: str, meant: str) -> bool:
    """Whether one letter added, left out, changed or swapped with the next makes one the other."""
    if len(word) != len(meant):
        short, long = sorted((word, meant), key=len)
        return short in _without_one(long)
    wrong = [place for place in range(len(word)) if word[place] != meant[place]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        first, second = wrong
        return word[first] == meant[second] and word[second] == meant[first]
    return len(wrong) == 1
