"""What a sentence says about each finding that it names: affirmed, hedged, denied and so on.

Cues in plain word order stand in for the dependency rules of Wang et al. (CVPR 2017, Table 6): a
cue reaches the findings of its clause, so "no effusion, pneumothorax or consolidation" denies all
three; "but", ";" and the other lines of `rules/boundary.txt` end its reach. The nearest cue
decides. Looks at one sentence; the report's state is aggregated in `labeler`.
"""

import re
from typing import Any, Literal, NamedTuple

from thorax.findings import FINDINGS
from thorax.reports.cues import counting
from thorax.reports.forms import DENIED, UNTICKED
from thorax.reports.lexicon import Cue, Direction, Kind, Lexicon, Phrase
from thorax.reports.patterns import Found, apart, keys, words_of
from thorax.reports.plain import Read, plain

Assertion = Literal["affirmed", "hedged", "denied", "suggested", "set aside"]

_MEANING: dict[Kind, Assertion] = {
    "negation": "denied",
    "uncertainty": "hedged",
    "likelihood": "affirmed",
    "historical": "set aside",
    "comparison": "set aside",
    "subject": "set aside",
    "elsewhere": "set aside",
}
_PUNCTUATION = re.compile(r"[,;:()]")
_OR = re.compile(r"\b(?:or|nor)\b")
_LISTS = re.compile(r",|\b(?:and|or|nor|with)\b|^\s*$")
_DESCRIBES_WORDS = 6
_ARTICLES = ("a", "an", "the")
_ALONE_WORDS = 3


class Mention(NamedTuple):
    """A finding named in a sentence.

    Attributes:
        finding: a finding, `other`, `noted` or `normal`.
        assertion: what the sentence says about it; `suggested` when it names only a sign of it, and
            `set aside` when it speaks of the past, another study or another person.
        start: where the phrase starts, in characters from the sentence's start.
        end: where it ends.
        phrase: the phrase as written.
        cue: the words that decide, as written; empty when none do.
        rule: the file and the line of the cue; `affirmed` without one.
        severity: mild, moderate or severe, when said.
        laterality: left, right or bilateral, when said.
        concept: the UMLS concept of the phrase, where known.
    """

    finding: str
    assertion: Assertion
    start: int
    end: int
    phrase: str
    cue: str
    rule: str
    severity: str = ""
    laterality: str = ""
    concept: str = ""


def mentions(sentence: str, lexicon: Lexicon, *, after_reach_words: int) -> tuple[Mention, ...]:
    """Every mention in `sentence`, from left to right.

    Args:
        sentence: one sentence as written.
        lexicon: phrases and rules.
        after_reach_words: how many words back a cue reaches that stands after a finding.
    """
    read = plain(sentence)
    words = words_of(read.text)
    corrected = lexicon.spelling.correct(read.text, words)
    if corrected.shifts:
        words = words_of(corrected.text)
    known = keys(corrected.text, words)
    named = _named(lexicon.phrases.all(corrected.text, known))
    if not named or lexicon.is_foreign(words):
        return ()
    clause = _Clause(corrected.text, known, lexicon, named, after_reach_words)
    found = []
    for item in named:
        cue, assertion, rule = clause.reading(item)
        start, end = _placed(item, read, corrected)
        found.append(
            Mention(
                item.what.finding,
                assertion,
                start,
                end,
                sentence[start:end],
                sentence[slice(*_placed(cue, read, corrected))].strip() if cue else "",
                rule,
                clause.described(item, clause.severity),
                clause.described(item, clause.laterality),
                item.what.concept,
            )
        )
    return tuple(found)


def _placed(item: Found[Any], read: Read, corrected: Read) -> tuple[int, int]:
    """Where a match starts and ends in the sentence as written."""
    if not (corrected.shifts or read.shifts):
        return item.start, item.end
    start, end = corrected.original(item.start), corrected.original(item.end)
    return read.original(start), read.original(end)


def _named(found: list[Found[Phrase]]) -> list[Found[Phrase]]:
    """Names and signs that no exception of the same finding overlaps, longest first at a place."""
    if len(found) < 2:
        return [item for item in found if item.what.sense != "exception"]
    barred = [item for item in found if item.what.sense == "exception"]
    by_finding: dict[str, list[Found[Phrase]]] = {}
    for item in found:
        if item.what.sense != "exception" and not any(
            item.what.finding == bar.what.finding and item.start < bar.end and bar.start < item.end
            for bar in barred
        ):
            by_finding.setdefault(item.what.finding, []).append(item)
    kept = [item for items in by_finding.values() for item in apart(items)]
    return sorted(kept, key=lambda item: (item.start, item.end))


class _Clause:
    """What stands around the findings of one sentence."""

    def __init__(
        self,
        sentence: str,
        known: frozenset[str],
        lexicon: Lexicon,
        named: list[Found[Phrase]],
        after_reach_words: int,
    ) -> None:
        self._sentence = sentence
        self._named = named
        self._reach = after_reach_words
        self._known = known
        self._boundary = lexicon.boundary
        self._clauses = lexicon.clauses
        self.severity = lexicon.severity.all(sentence, known)
        self.laterality = lexicon.laterality.all(sentence, known)
        self._found_boundaries: list[Found[str]] | None = None
        self._found_clauses: list[Found[str]] | None = None
        self._cues = counting(sentence, lexicon.cues.all(sentence, known), self._starts_a_clause)
        self._bare = not (self._cues or self.laterality) and _is_bare_choice(sentence, named)

    @property
    def _boundaries(self) -> list[Found[str]]:
        """What ends a reach, looked for once; half of the sentences never ask."""
        if self._found_boundaries is None:
            found = apart(self._boundary.all(self._sentence, self._known))
            self._found_boundaries = [item for item in found if item.what != "-"]
            self._found_boundaries += self._clause_starts()
        return self._found_boundaries

    def _clause_starts(self) -> list[Found[str]]:
        if self._found_clauses is None:
            self._found_clauses = self._clauses.starts(self._sentence, self._known)
        return self._found_clauses

    def _starts_a_clause(self, left: int, right: int) -> bool:
        """Whether a clause starts between two places."""
        return any(
            item.what == "both" and left <= item.start < right for item in self._clause_starts()
        )

    def reading(self, item: Found[Phrase]) -> tuple[Found[Cue] | None, Assertion, str]:
        """The cue that decides about a mention, what it makes of it, and the rule's name."""
        cue = self._nearest(item)
        assertion = _MEANING[cue.what.kind] if cue else "affirmed"
        rule = f"{cue.what.kind}: {cue.what.line}" if cue else "affirmed"
        if not cue and self._bare:
            return None, "hedged", "bare choice: A or B, with nothing said of either"
        if item.what.sense == "sign" and assertion in ("affirmed", "hedged"):
            return cue, "suggested", f"sign: {item.what.line}"
        return cue, assertion, rule

    def described(self, item: Found[Phrase], words: list[Found[str]]) -> str:
        """The nearest of `words` to a mention, with no other mention and no boundary between."""
        if not words:
            return ""
        near: list[tuple[int, str]] = []
        for word in words:
            left, right = min(word.end, item.end), max(word.start, item.start)
            inside = word.start < item.end and item.start < word.end
            between = self._sentence[left:right]
            if inside or not (
                len(between.split()) > _DESCRIBES_WORDS
                or self._parted(left, right)
                or any(left <= other.start and other.end <= right for other in self._named)
            ):
                near.append((0 if inside else right - left, word.what))
        return min(near)[1] if near else ""

    def _nearest(self, mention: Found[Phrase]) -> Found[Cue] | None:
        if not self._cues:
            return None
        start, end = mention.start, mention.end
        in_chest = mention.what.finding not in FINDINGS
        reached: list[tuple[int, Found[Cue]]] = []
        told = self._is_told_of(end)
        for item in self._cues:
            if _within(item, start, end):
                return item
            before = item.what.direction == "before" and item.end <= start
            after = item.what.direction == "after" and item.start >= end
            if not (before or after) or (in_chest and item.what.kind == "elsewhere"):
                continue
            left, right = (item.end, start) if before else (end, item.start)
            if (
                not self._parted(left, right, item.what)
                and not (before and told and self._has_met_another(item, start))
                and not (after and self._is_of_another(item, end, told=told))
                and (self._looks_on(item, start) if before else self._looks_back(item, end))
            ):
                gap = self._sentence[left:right]
                reached.append((1 if gap.strip() in _ARTICLES else len(gap), item))
        return min(reached, key=lambda pair: pair[0])[1] if reached else None

    def _looks_on(self, cue: Found[Cue], start: int) -> bool:
        """Whether a cue is not done with what stood before it: "effusion resolved, mass seen"."""
        if self._sentence[cue.start : cue.end].strip() == UNTICKED:
            return not self._sentence[cue.end : start].strip()
        if not self._sentence[cue.end : start].lstrip().startswith((",", ";")):
            return True
        return not self._stands_also(cue, "after")

    def _stands_also(self, cue: Found[Cue], direction: Direction) -> bool:
        """Whether a line of this direction found a cue's words, perhaps the cue itself."""
        return any(item[:2] == cue[:2] and item.what.direction == direction for item in self._cues)

    def _looks_back(self, cue: Found[Cue], end: int) -> bool:
        if self._describes_the_next(cue):
            return False
        between = self._sentence[end : cue.start]
        mark = self._sentence[cue.start : cue.end].strip()
        if mark == DENIED or (mark == "?" and not self._asks(between, cue)):
            return not between.strip()
        return len(between.split()) <= self._reach or self._lists(end, cue)

    def _lists(self, end: int, cue: Found[Cue]) -> bool:
        """Whether a list goes on from a mention to a cue: "a mass and a nodule are absent"."""
        at = end
        for item in self._named:
            if item.start < at or item.end > cue.start:
                continue
            gap = self._sentence[at : item.start]
            if not _LISTS.search(gap) or len(gap.split()) > self._reach:
                return False
            at = item.end
        return at > end and len(self._sentence[at : cue.start].split()) <= self._reach

    def _asks(self, between: str, cue: Found[Cue]) -> bool:
        """Whether "?" ends the sentence, with no other mention before it: "mass in right lung?"."""
        return not (
            self._sentence[cue.end :].strip()
            or _PUNCTUATION.search(between)
            or any(cue.start - len(between) <= item.start < cue.start for item in self._named)
        )

    def _is_told_of(self, end: int) -> bool:
        """Whether a word follows a mention that only what is there can have: "is unchanged"."""
        return any(
            item.what == "told"
            and item.start >= end
            and not self._sentence[end : item.start].strip()
            for item in self._boundaries
        )

    def _has_met_another(self, cue: Found[Cue], start: int) -> bool:
        """Whether a denial has its own finding, and "or" does not carry it on to the next."""
        others = [item for item in self._named if cue.end <= item.start and item.end <= start]
        return (
            cue.what.kind == "negation"
            and bool(others)
            and not _OR.search(self._sentence, others[-1].end, start)
        )

    def _is_of_another(self, cue: Found[Cue], end: int, *, told: bool) -> bool:
        """Whether a cue has its own finding: "effusion has increased, pneumothorax resolved"."""
        if not (told and cue.what.kind == "negation") and _MEANING[cue.what.kind] != "set aside":
            return False
        return any(end <= item.start and item.end <= cue.start for item in self._named)

    def _describes_the_next(self, cue: Found[Cue]) -> bool:
        """Whether a hedge stands before its own finding: "cardiomegaly and possible edema"."""
        if cue.what.kind != "uncertainty" or not self._stands_also(cue, "before"):
            return False
        gaps = (
            self._sentence[cue.end : item.start] for item in self._named if item.start >= cue.end
        )
        return any(
            len(gap.split()) <= _DESCRIBES_WORDS and not _PUNCTUATION.search(gap) for gap in gaps
        )

    def _parted(self, left: int, right: int, cue: Cue | None = None) -> bool:
        """Whether a boundary stands between two places: one for `cue`, or any for two mentions."""
        return any(
            left <= item.start < right
            and _ends(item.what, cue)
            and not (cue and self._introduces(left, item, cue))
            for item in self._boundaries
        )

    def _introduces(self, start: int, boundary: Found[str], cue: Cue) -> bool:
        """Whether a cue before a main clause is said of it: "in the right setting, this is"."""
        return (
            boundary in self._clause_starts()
            and cue.direction == "before"
            and cue.kind != "negation"
            and not any(start <= item.start < boundary.start for item in self._named)
        )


def _within(cue: Found[Cue], start: int, end: int) -> bool:
    """Whether a cue lies in a mention ("heart is not enlarged"), or a hedge around it.

    "Not allow an effusion to be excluded" hedges what its own gap holds.
    """
    if start <= cue.start and cue.end <= end:
        return True
    around = cue.start < start and end < cue.end
    return around and (cue.what.kind, cue.what.direction) == ("uncertainty", "after")


def _ends(boundary: str, cue: Cue | None) -> bool:
    if boundary in ("both", "told"):
        return boundary == "both"
    if boundary == "after":
        return cue is not None and cue.direction == "after"
    if boundary in ("before", "item"):
        through = boundary == "item" and cue is not None and cue.through_list
        return cue is None or (cue.direction == "before" and not through)
    return cue is not None and _MEANING[cue.kind] == "set aside"


def _is_bare_choice(sentence: str, named: list[Found[Phrase]]) -> bool:
    """Whether a sentence is but findings joined by "or": "Pleural effusions or pneumothorax."

    Nobody reports a disease so; mostly a "no" was lost in dictation.
    """
    told = [item for item in named if item.what.finding in FINDINGS]
    if len({item.what.finding for item in told}) < 2 or " or " not in sentence:
        return False
    words = sum(len(sentence[item.start : item.end].split()) for item in apart(told))
    return len(sentence.replace(" or ", " ").split()) - words <= _ALONE_WORDS
