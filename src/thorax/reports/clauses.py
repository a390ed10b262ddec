"""Where a new clause starts inside a sentence: "no effusion, the heart is enlarged".

A comma parts the items of a list as well as two clauses. What follows one is a clause of its own
when it has a subject and a finite verb, and is not the end of a list: "no effusion, nodule or mass
is seen" denies all three. The words that tell are those of `rules/clause.txt`.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, get_args

from thorax.reports.patterns import Found

Word = Literal["verb", "predicate", "or", "aside", "denial"]
WORDS: Final[tuple[Word, ...]] = get_args(Word)

_EDGE = re.compile(r"[,;:()]|\.(?!\d)|\band\b")
_STOPS = frozenset(";:.()")


class _Part(NamedTuple):
    """Words behind a comma, or behind an "and" that joins clauses; `start` is its place."""

    start: int
    words: list[str]
    verb: int | None


class Clauses:
    """Finds the starts of clauses.

    Args:
        lines: a word, or several with a slash between, and what it is: a finite verb; a predicate
            that the end of a list may have too ("seen"); or / nor; the start of an aside, whose
            verb does not count ("which"); a denial.
    """

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        words: dict[str, set[str]] = {kind: set() for kind in WORDS}
        for line, kind in lines:
            words[kind].update(word.strip().lower() for word in line.split("/"))
        self._verbs = frozenset(words["verb"])
        self._predicates = frozenset(words["predicate"])
        self._or = frozenset(words["or"])
        self._asides = frozenset(words["aside"])
        self._denials = frozenset(words["denial"])

    def starts(self, sentence: str, known: frozenset[str]) -> list[Found[str]]:
        """Where clauses start, and of which cues that ends the reach, as in `rules/boundary.txt`.

        Args:
            sentence: the text as `plain` reads it.
            known: its `keys`, which tell fast whether it has a verb.
        """
        found: list[Found[str]] = []
        edges = [place for place in (sentence.find(","), sentence.find(" and ")) if place >= 0]
        if not edges or self._verbs.isdisjoint(known):
            return found
        if self._verbs.isdisjoint(sentence[min(edges) :].split()):
            return found
        for parts in self._parts(sentence):
            first = 0
            for number in range(1, len(parts)):
                part = parts[number]
                kind = self._ends_reach(part, parts[first:number])
                if kind:
                    found.append(Found(part.start, part.start + 1, kind))
                if kind in ("both", "before"):
                    first = number
        return found

    def _parts(self, sentence: str) -> Iterable[list[_Part]]:
        """The parts between stops such as ";"."""
        parts: list[_Part] = []
        words: list[str] = []
        start = at = 0
        for edge in _EDGE.finditer(sentence):
            words += sentence[at : edge.start()].split()
            mark, at = edge.group(), edge.end()
            if mark == "and" and (not words or self._verbs.isdisjoint(words)):
                words.append(mark)
                continue
            parts.append(_Part(start, words, self._verb(words)))
            start, words = edge.start(), []
            if mark in _STOPS:
                yield parts
                parts = []
        words += sentence[at:].split()
        yield [*parts, _Part(start, words, self._verb(words))]

    def _verb(self, words: list[str]) -> int | None:
        """The first finite verb that belongs to no aside."""
        aside = False
        for place, word in enumerate(words):
            if word in self._asides:
                aside = True
            elif word in self._verbs:
                if not aside:
                    return place
                aside = False
        return None

    def _ends_reach(self, part: _Part, before: list[_Part]) -> str:
        """Of which cues a part ends the reach, as a clause of its own; empty where it is none."""
        subject = part.words[: part.verb or 0]
        if part.verb is None or not subject or subject == ["and"] or subject[0] in self._or:
            return ""
        if any(each.verb is not None for each in before):
            return "both"
        if not self._or.isdisjoint(subject):
            return ""
        listed = not self._predicates.isdisjoint(part.words[part.verb : part.verb + 4])
        words = [word for each in before for word in each.words]
        if "and" in subject:
            alone = subject[0] == "and" and len(before) == 1 and not self._denials.isdisjoint(words)
            return "before" if alone or not listed else ""
        if len(before) == 1 or not listed or "and" in words or not self._or.isdisjoint(words):
            return "both"
        return "after"
