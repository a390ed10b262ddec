"""Clinical knowledge as text: reads `phrases/*.txt` and `rules/*.txt` into compiled patterns.

`rules/README.txt` says how a line is read. A line that cannot be read is named with its file and
number. Nothing here decides about a report.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Literal

from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import spelling
from thorax.reports.clauses import WORDS, Clauses
from thorax.reports.parts import Parts
from thorax.reports.patterns import Finder, literals

OTHER: Final = "other"
"""Diseases beyond the fourteen: no label, but a report that affirms one is not normal."""

NOTED: Final = "noted"
"""Devices, operations and limits of the study: no disease, but nobody calls the chest normal."""

Kind = Literal[
    "negation", "uncertainty", "likelihood", "historical", "comparison", "subject", "elsewhere"
]
Direction = Literal["before", "after", "-"]
Sense = Literal["name", "sign", "exception"]
Reading = Literal["read", "conclude", "skip"]

KINDS: Final[tuple[Kind, ...]] = (
    "negation",
    "uncertainty",
    "likelihood",
    "historical",
    "comparison",
    "subject",
    "elsewhere",
)
BOUNDARIES: Final = ("both", "before", "item", "aside", "told", "-")
BUILT_IN: Final = Path(__file__).parent
_CONCEPT = re.compile(r"C\d{7}")
_SENSES: Final[dict[str, Sense]] = {"-": "exception", "~": "sign"}


@dataclass(frozen=True)
class Line:
    """One line of a knowledge file without its comment, and where it stands."""

    path: Path
    number: int
    text: str

    def broken(self, why: str) -> BadInput:
        """The error that names the line."""
        return BadInput(f"{self.path}:{self.number}: {self.text!r} {why}")


@dataclass(frozen=True)
class Phrase:
    """One line of a phrase file.

    Attributes:
        finding: whom it names: a finding, `other`, `noted` or `normal`.
        sense: whether it names it, is only a sign of it, or only looks like it.
        concept: its UMLS concept, or empty.
        line: the line as written, without mark and concept.
    """

    finding: str
    sense: Sense
    concept: str
    line: str


@dataclass(frozen=True)
class Cue:
    """One line of a rule file.

    Attributes:
        kind: what it does to a finding in its reach; the file's name.
        direction: where the cue stands; `-` only hides shorter cues inside it.
        line: the line as written, without comment.
        through_list: whether it reaches through a list whose items have articles of their own.
    """

    kind: Kind
    direction: Direction
    line: str
    through_list: bool = False


@dataclass(frozen=True)
class Lexicon:
    """All that the labeler knows.

    Attributes:
        phrases: the wordings of every finding, then of `other`, `noted` and `normal`.
        cues: what changes the meaning of a finding in its reach.
        boundary: what ends the reach of a cue, and of which (`rules/README.txt`).
        clauses: finds where a new clause starts, which ends it too.
        severity: words of degree, and the degree.
        laterality: words of side, and the side.
        sections: heading in small letters to how its text is read.
        parts: what of a report is told of other parts of the body.
        foreign: words of other languages to True, frequent words of English to False.
        spelling: corrects long words that are misspelt by one letter.
    """

    phrases: Finder[Phrase]
    cues: Finder[Cue]
    boundary: Finder[str]
    clauses: Clauses
    severity: Finder[str]
    laterality: Finder[str]
    sections: dict[str, Reading]
    parts: Parts
    foreign: dict[str, bool]
    spelling: spelling.Corrector

    def is_foreign(self, words: list[str]) -> bool:
        """Whether more of the words are frequent in other languages than in English."""
        if self.foreign_words.isdisjoint(words):
            return False
        known = [self.foreign[word] for word in words if word in self.foreign]
        return sum(known) > len(known) - sum(known)

    @cached_property
    def foreign_words(self) -> frozenset[str]:
        """The frequent words of other languages; most sentences hold none."""
        return frozenset(word for word, foreign in self.foreign.items() if foreign)


@cache
def load(folder: Path = BUILT_IN) -> Lexicon:
    """The knowledge in `folder` (its `phrases/` and `rules/`); by default that beside this module.

    Raises:
        BadInput: a file is missing, or a line cannot be read: it names file and line.
    """
    rules = folder / "rules"
    phrases = [
        pair for name in (*FINDINGS, OTHER, NOTED, NORMAL) for pair in _phrases(folder, name)
    ]
    sections = dict(_pairs(rules / "sections.txt", ("read", "conclude", "skip")))
    return Lexicon(
        phrases=Finder(phrases),
        cues=Finder(pair for kind in KINDS for pair in _cues(rules, kind)),
        boundary=Finder(_pairs(rules / "boundary.txt", BOUNDARIES)),
        clauses=Clauses(_pairs(rules / "clause.txt", WORDS)),
        severity=Finder(_pairs(rules / "severity.txt", ("mild", "moderate", "severe"))),
        laterality=Finder(_pairs(rules / "laterality.txt", ("left", "right", "bilateral"))),
        sections={heading: what for heading, what in sections.items()},  # type: ignore[misc]
        parts=Parts(_pairs(rules / "parts.txt", ("elsewhere", "chest"))),  # type: ignore[arg-type]
        foreign={
            word: what == "foreign"
            for word, what in _pairs(rules / "language.txt", ("english", "foreign"))
        },
        spelling=_spelling(rules / "spelling.txt", [phrase for phrase, _ in phrases]),
    )


def _phrases(folder: Path, finding: str) -> Iterator[tuple[str, Phrase]]:
    for line in _lines(folder / "phrases" / f"{finding}.txt"):
        text, _, concept = (part.strip() for part in line.text.partition("|"))
        mark = text[:2].strip()
        sense = _SENSES.get(mark, "name")
        phrase = text[1:].strip() if sense != "name" else text
        if not literals(phrase):
            raise line.broken("holds no word")
        if "|" in line.text and not _CONCEPT.fullmatch(concept):
            raise line.broken("must have a UMLS concept such as C0032227 after '|'")
        yield phrase, Phrase(finding, sense, concept, phrase)


def _spelling(path: Path, phrases: list[str]) -> spelling.Corrector:
    words = []
    for line in _lines(path):
        if not (line.text.isalpha() and len(line.text) >= spelling.SHORTEST):
            raise line.broken(f"must be one word of at least {spelling.SHORTEST} letters")
        words.append(line.text.lower())
    return spelling.Corrector(words, (word for phrase in phrases for word in literals(phrase)))


def _cues(rules: Path, kind: Kind) -> Iterator[tuple[str, Cue]]:
    for phrase, told in _pairs(rules / f"{kind}.txt", ("before", "after", "list", "-")):
        direction = "before" if told == "list" else told
        yield (
            phrase,
            Cue(kind, direction, f"{phrase} | {told}", told == "list"),  # type: ignore[arg-type]
        )


def _pairs(path: Path, allowed: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for line in _lines(path):
        left, _, right = (part.strip() for part in line.text.rpartition("|"))
        if right not in allowed or not left:
            raise line.broken(f"must be words, then ' | ', then one of {', '.join(allowed)}")
        if not left.strip("*/. "):
            raise line.broken("holds neither a word nor a mark")
        yield left, right


def _lines(path: Path) -> Iterator[Line]:
    refuse_special(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path} is missing: the labeler needs it") from None
    if not raw.strip():  # no negation at all would turn every denial into a finding
        raise BadInput(f"{path} is empty: a comment must say so where no line is wanted")
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{path}:{number}: not UTF-8; save the file as UTF-8") from None
    for number, text in enumerate(lines, 1):
        if bare := text.partition("#")[0].strip():
            yield Line(path, number, bare)
