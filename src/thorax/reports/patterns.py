"""Phrases as a clinician writes them, compiled, and found fast in a sentence.

A line is words, `word*`, `...` for a gap and `word / other` for either (`rules/README.txt`). Each
is a regular expression of its own, tried only where the sentence holds the beginnings of its words,
so that a thousand lines cost little. Knows nothing of medicine.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Payload = TypeVar("Payload")

_GAP = r"(?:\s+[\w'/-]+){0,4}?"
_PUNCTUATION = {",", ";", ":", "?", "("}
_MARKS = (*sorted(_PUNCTUATION), "-")
_WORD = re.compile(r"\w+")
_SLASHED = re.compile(r"\w/\w")
_KEY_LETTERS = 4


@dataclass(frozen=True)
class Found(Generic[Payload]):
    """Where a line matches: characters `start` to `end` of the sentence, and what it means."""

    start: int
    end: int
    what: Payload


@dataclass(frozen=True)
class _Entry(Generic[Payload]):
    pattern: re.Pattern[str]
    rank: int
    needed: tuple[frozenset[str], ...]
    what: Payload


class Finder(Generic[Payload]):
    """Finds many phrases in a sentence."""

    def __init__(self, phrases: Iterable[tuple[str, Payload]]) -> None:
        self._by_key: dict[str, list[_Entry[Payload]]] = defaultdict(list)
        ranked = sorted(phrases, key=lambda pair: _length(pair[0]), reverse=True)
        for rank, (phrase, what) in enumerate(ranked):
            first, *others = _needed(phrase)
            pattern = re.compile(pattern_of(phrase), re.IGNORECASE)
            for key in first:
                self._by_key[key].append(_Entry(pattern, rank, tuple(others), what))

    def all(self, sentence: str, keys: frozenset[str]) -> list[Found[Payload]]:
        """Every match, from left to right; at one place the longest, then the longest line first.

        Args:
            sentence: the text.
            keys: its `keys`, handed in because several finders look at one sentence.
        """
        entries = {
            entry.rank: entry
            for key in keys & self._by_key.keys()
            for entry in self._by_key[key]
            if not any(map(keys.isdisjoint, entry.needed))
        }
        matches = [
            (match.start(), -match.end(), rank, Found(match.start(), match.end(), entry.what))
            for rank, entry in entries.items()
            for match in entry.pattern.finditer(sentence)
        ]
        return [found for *_, found in sorted(matches, key=lambda match: match[:3])]


def apart(found: Iterable[Found[Payload]]) -> list[Found[Payload]]:
    """Of matches that overlap only the first, in the order given by `Finder.all`."""
    kept: list[Found[Payload]] = []
    for item in found:
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
    return kept


def keys(sentence: str) -> frozenset[str]:
    """What the words of a sentence begin with, and its marks; the empty key stands for any."""
    found = {word[:_KEY_LETTERS] for word in _WORD.findall(sentence.lower())}
    found.update(mark for mark in _MARKS if mark in sentence)
    found.add("")
    return frozenset(found)


def pattern_of(phrase: str) -> str:
    """The regular expression of one line: words, `word*`, `...` for a gap, `a / b` for either."""
    pieces: list[str] = []
    for token in _tokens(phrase):
        if token == "...":
            pieces.append(_GAP)
        elif token in _PUNCTUATION:
            pieces.append(rf"\s*{re.escape(token)}")
        else:
            apart = r"\s*" if pieces and pieces[-1].endswith(r"\(") else r"\s+"
            pieces.append((apart if pieces else "") + _words(token))
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
    options = [re.escape(option).replace(r"\*", r"\w*") for option in _options(token)]
    return rf"(?<!\w)(?:{'|'.join(options)})(?!\w)"


def _length(phrase: str) -> tuple[int, int]:
    return len(_tokens(phrase)), len(phrase)


def _needed(phrase: str) -> list[frozenset[str]]:
    """Per word of the line the beginnings of which a sentence must hold one; most telling first."""
    needed = []
    for token in _tokens(phrase):
        if token in _MARKS:
            needed.append((0, frozenset({token})))
            continue
        options = _options(token)
        runs = [
            match.group() if (match := _WORD.match(option.lower())) else "" for option in options
        ]
        short_stem = any(
            option[len(run) :].startswith("*") and len(run) < _KEY_LETTERS
            for option, run in zip(options, runs, strict=True)
        )
        if all(runs) and not short_stem:
            letters = min(len(run) for run in runs)
            needed.append((letters, frozenset(run[:_KEY_LETTERS] for run in runs)))
    ordered = sorted(needed, key=lambda pair: pair[0], reverse=True)
    return [keys for _, keys in ordered] or [frozenset({""})]
