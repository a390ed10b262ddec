"""Clinical knowledge as text: reads `phrases/*.txt` and `rules/*.txt` into compiled patterns.

`rules/README.txt` says how a line is read. Nothing here decides about a report.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL

OTHER = "other"
"""Diseases beyond the fourteen: no label, but a report that affirms one is not normal."""

Kind = Literal["negation", "uncertainty"]
Direction = Literal["before", "after", "-"]

_FOLDER = Path(__file__).parent
_GAP = r"(?:\s+[\w'/-]+){0,4}?"
_PUNCTUATION = {",", ";"}


@dataclass(frozen=True)
class Cue:
    """One line of a rule file.

    Attributes:
        kind: what it does to a finding in its reach.
        direction: where the cue stands; `-` only hides shorter cues inside it.
        line: the line as written, without comment.
    """

    kind: Kind
    direction: Direction
    line: str


@dataclass(frozen=True)
class Phrases:
    """The wordings of one finding: what names it, and what only looks as if."""

    name: str
    mention: re.Pattern[str]
    exception: re.Pattern[str] | None


@dataclass(frozen=True)
class Lexicon:
    """All that the labeler knows.

    Attributes:
        phrases: one entry per finding, then `other` and `normal`.
        cue: one pattern of all cues, longest first; the matching group's name is a key of `cues`.
        cues: what each group means; a cue may stand on either side of a finding.
        boundary: what ends the reach of a cue.
        heading: a heading and its colon; group `name`.
        sections: heading in small letters to whether its text is read.
    """

    phrases: tuple[Phrases, ...]
    cue: re.Pattern[str]
    cues: dict[str, tuple[Cue, ...]]
    boundary: re.Pattern[str]
    heading: re.Pattern[str]
    sections: dict[str, bool]


@cache
def load() -> Lexicon:
    """The lexicon beside this module; a line that cannot be read is a `BadInput` naming it."""
    names = (*FINDINGS, OTHER, NORMAL)
    cue, cues = _cues()
    sections = _sections()
    headings = "|".join(_words(name) for name in _longest_first(sections))
    return Lexicon(
        phrases=tuple(_phrases(name) for name in names),
        cue=cue,
        cues=cues,
        boundary=_any_of(_lines(_FOLDER / "rules" / "boundary.txt")),
        heading=re.compile(rf"(?:^|(?<=[\n.;]))[ \t]*(?P<name>{headings})[ \t]*:", re.IGNORECASE),
        sections=sections,
    )


def pattern_of(phrase: str) -> str:
    """The regular expression of one line: words, `word*`, `...` for a gap, `a / b` for either."""
    pieces: list[str] = []
    for token in re.sub(r"\s*/\s*", "/", phrase.strip()).split():
        if token == "...":
            pieces.append(_GAP)
        elif token in _PUNCTUATION:
            pieces.append(rf"\s*{re.escape(token)}")
        else:
            pieces.append((r"\s+" if pieces else "") + _words(token))
    return "".join(pieces)


def _words(token: str) -> str:
    options = [re.escape(option).replace(r"\*", r"\w*") for option in token.split("/")]
    return rf"(?<!\w)(?:{'|'.join(options)})(?!\w)"


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    return re.compile(
        "|".join(pattern_of(phrase) for phrase in _longest_first(phrases)), re.IGNORECASE
    )


def _phrases(name: str) -> Phrases:
    lines = _lines(_FOLDER / "phrases" / f"{name}.txt")
    exceptions = [line.removeprefix("-").strip() for line in lines if line.startswith("- ")]
    mentions = [line for line in lines if not line.startswith("- ")]
    return Phrases(name, _any_of(mentions), _any_of(exceptions) if exceptions else None)


def _cues() -> tuple[re.Pattern[str], dict[str, tuple[Cue, ...]]]:
    by_phrase: dict[str, tuple[Cue, ...]] = {}
    kinds: tuple[Kind, ...] = ("negation", "uncertainty")
    for kind in kinds:
        path = _FOLDER / "rules" / f"{kind}.txt"
        for phrase, direction in _pairs(path, {"before", "after", "-"}):
            cue = Cue(kind, direction, f"{phrase} | {direction}")  # type: ignore[arg-type]
            by_phrase[phrase] = (*by_phrase.get(phrase, ()), cue)
    groups = {f"cue{number}": phrase for number, phrase in enumerate(_longest_first(by_phrase))}
    pattern = "|".join(f"(?P<{group}>{pattern_of(phrase)})" for group, phrase in groups.items())
    return re.compile(pattern, re.IGNORECASE), {group: by_phrase[groups[group]] for group in groups}


def _sections() -> dict[str, bool]:
    pairs = _pairs(_FOLDER / "rules" / "sections.txt", {"read", "skip"})
    return {heading: what == "read" for heading, what in pairs}


def _pairs(path: Path, allowed: set[str]) -> list[tuple[str, str]]:
    pairs = []
    for line in _lines(path):
        left, _, right = (part.strip() for part in line.rpartition("|"))
        if not left or right not in allowed:
            raise BadInput(
                f"{path}: {line!r} must end in ' | ' and one of {', '.join(sorted(allowed))}"
            )
        pairs.append((left, right))
    return pairs


def _lines(path: Path) -> list[str]:
    try:
        raw = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BadInput(f"{path} is missing: the labeler needs it") from None
    lines = [line.partition("#")[0].strip() for line in raw]
    return [line for line in lines if line]


def _longest_first(
    phrases: "list[str] | dict[str, bool] | dict[str, tuple[Cue, ...]]",
) -> list[str]:
    return sorted(
        phrases, key=lambda phrase: (-len(re.sub(r"\s*/\s*", "/", phrase).split()), -len(phrase))
    )
