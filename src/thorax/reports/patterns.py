"""Phrases as a clinician writes them, compiled, and found fast in a sentence.

A line is words, `word*`, `...` for a gap and `word / other` for either (`rules/README.txt`). Each
is a regular expression of its own, tried only where the sentence holds the beginnings of its words,
so that a thousand lines cost little. Knows nothing of medicine.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from thorax.reports.forms import DENIED, UNTICKED

Payload = TypeVar("Payload")

_GAP = r"(?:\s+[\w'/-]+){0,4}?"
_PUNCTUATION = {",", ";", ":", "?", "(", DENIED, UNTICKED}
_MARKS = (*sorted(_PUNCTUATION), "-")
_WORD = re.compile(r"\w+")
_SLASHED = re.compile(r"\w/\w")
_KEY_LETTERS = 4


class Found(NamedTuple, Generic[Payload]):
    """Where a line matches: characters `start` to `end` of the sentence, and what it means."""

    start: int
    end: int
    what: Payload


class _Entry(NamedTuple, Generic[Payload]):
    pattern: re.Pattern[str]
    rank: int
    every: frozenset[str]
    one_of: tuple[frozenset[str], ...]
    what: Payload


class Finder(Generic[Payload]):
    """Finds many phrases in a sentence."""

    def __init__(self, phrases: Iterable[tuple[str, Payload]]) -> None:
        self._by_key: dict[str, list[_Entry[Payload]]] = defaultdict(list)
        ranked = sorted(phrases, key=lambda pair: _length(pair[0]), reverse=True)
        for rank, (phrase, what) in enumerate(ranked):
            first, *others = _needed(phrase)
            every = frozenset(key for only in others if len(only) == 1 for key in only)
            one_of = tuple(several for several in others if len(several) > 1)
            pattern = re.compile(pattern_of(phrase.lower()))
            for key in first:
                self._by_key[key].append(_Entry(pattern, rank, every, one_of, what))
        self._keys = frozenset(self._by_key)

    def all(self, sentence: str, keys: frozenset[str]) -> list[Found[Payload]]:
        """Every match, from left to right; at one place the longest, then the longest line first.

        Args:
            sentence: the text as `plain` reads it.
            keys: its `keys`, handed in because several finders look at one sentence.
        """
        if keys.isdisjoint(self._keys):
            return []
        matches = {}
        for key in keys & self._keys:
            for pattern, rank, every, one_of, what in self._by_key[key]:
                if every <= keys and not (one_of and any(map(keys.isdisjoint, one_of))):
                    for match in pattern.finditer(sentence):
                        start, end = match.span()
                        matches[start, -end, rank] = what
        return [Found(place[0], -place[1], matches[place]) for place in sorted(matches)]


def apart(found: Iterable[Found[Payload]]) -> list[Found[Payload]]:
    """Of matches that overlap only the first, in the order given by `Finder.all`."""
    kept: list[Found[Payload]] = []
    for item in found:
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


def words_of(sentence: str) -> list[str]:
    """The words of a text in small letters, without hyphens and other marks."""
    return _WORD.findall(sentence)


def keys(sentence: str, words: list[str]) -> frozenset[str]:
    """Its words, how each of them begins, and its marks; the empty key stands for any sentence."""
    beginnings = [word[:_KEY_LETTERS] + "*" for word in words]
    marks = [mark for mark in _MARKS if mark in sentence]
    return frozenset(["", *words, *beginnings, *marks])


def pattern_of(phrase: str) -> str:
    """The regular expression of one line: words, `word*`, `...` for a gap, `a / b` for either."""
    pieces: list[str] = []
    for token in _tokens(phrase):
        if token == "...":
            pieces.append(_GAP)
        elif token in _PUNCTUATION:
            pieces.append(rf"\s*{re.escape(token)}")
        else:
            apart = r"\s*" if pieces and pieces[-1].endswith(r"\(") else r"[\s-]\s*"
            pieces.append(apart + _words(token) if pieces else _first_words(token))
    return "".join(pieces)


def literals(phrase: str) -> list[str]:
    """The words that a line spells out in full or by their beginning, in small letters."""
    return [word for token in _tokens(phrase) for word in _WORD.findall(token.lower())]


def _tokens(phrase: str) -> list[str]:
    return re.sub(r"\s*/\s*", "/", phrase.strip()).split()


def _options(token: str) -> list[str]:
    """The alternatives of a token; letters with a slash are an abbreviation, such as w/o."""
    return [token] if _SLASHED.fullmatch(token) else token.split("/")


def _words(token: str) -> str:
    return rf"(?:{'|'.join(map(_word, _options(token)))})(?!\w)"


def _first_words(token: str) -> str:
    """A line's first words: letters come before the look behind them, so that search can leap."""
    options = []
    for option in _options(token):
        letters, star, rest = option.partition("*")
        options.append(rf"{re.escape(letters)}(?<!\w{re.escape(letters)}){_word(star + rest)}")
    return rf"(?:{'|'.join(options)})(?!\w)"


def _word(option: str) -> str:
    return re.escape(option).replace(r"\*", r"\w*")


def _length(phrase: str) -> tuple[int, int]:
    return len(_tokens(phrase)), len(phrase)


def _needed(phrase: str) -> list[frozenset[str]]:
    """Per word of the line the keys of which a sentence must hold one; the most telling first."""
    needed = []
    for token in _tokens(phrase):
        options = [token] if token in _MARKS else [_key(option) for option in _options(token)]
        if all(options):
            needed.append((min(map(len, options)), frozenset(options)))
    ordered = sorted(needed, key=lambda pair: pair[0], reverse=True)
    return [keys for _, keys in ordered] or [frozenset({""})]


def _key(option: str) -> str:
    """The key of a word that a line spells out, or of its beginning; empty when it tells little."""
    match = _WORD.match(option.lower())
    run = match.group() if match else ""
    if not option[len(run) :].startswith("*"):
        return run
    return f"{run[:_KEY_LETTERS]}*" if len(run) >= _KEY_LETTERS else ""
