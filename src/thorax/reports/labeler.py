"""A report to one state per finding, and `normal`, by numbered cases (Wang et al. 2017, 2.1).

Phrases and cues only: no parser, no ontology. A report in which nothing is recognised (empty,
another language) says nothing: every state is `unmentioned`, `normal` too.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from thorax.findings import FINDINGS, NORMAL, State
from thorax.reports import lexicon
from thorax.reports.assertion import Assertion, Mention, mentions
from thorax.reports.sections import Sentence, sentences
from thorax.reports.settings import ReportsConfig

_CACHED_SENTENCES = 200_000  # reports repeat themselves; about 100 MB when full

_STATE: dict[Assertion, State] = {
    "affirmed": "positive",
    "hedged": "uncertain",
    "denied": "negative",
}


@dataclass(frozen=True)
class Label:
    """What a report says about one finding, and the words that decide it.

    Attributes:
        finding: one of the fourteen, or `normal`.
        state: positive, negative, uncertain or unmentioned.
        section: heading of the deciding sentence in small letters; empty when nothing decides.
        sentence: the deciding sentence.
        start: where the deciding phrase starts in the report's text, in characters; None without.
        end: where it ends.
        phrase: the deciding phrase as written.
        cue: the words that negate or hedge it; empty when affirmed.
        rule: the line of the rule file, or the case, that gave the state.
    """

    finding: str
    state: State
    section: str = ""
    sentence: str = ""
    start: int | None = None
    end: int | None = None
    phrase: str = ""
    cue: str = ""
    rule: str = "unmentioned"


class Labeler:
    """Labels reports; equal sentences are read once."""

    def __init__(self, config: ReportsConfig) -> None:
        self._lexicon = lexicon.load()
        self._reach = config.after_reach_words
        self._mentions = lru_cache(maxsize=_CACHED_SENTENCES)(self._read)

    def label(self, text: str) -> list[Label]:
        """One label per finding in the order of `FINDINGS`, then `normal`."""
        found: dict[str, list[tuple[Sentence, Mention]]] = defaultdict(list)
        for sentence in sentences(text, self._lexicon):
            for mention in self._mentions(sentence.text):
                found[mention.finding].append((sentence, mention))
        labels = [_aggregate(finding, found[finding]) for finding in FINDINGS]
        other = _aggregate(lexicon.OTHER, found[lexicon.OTHER])
        normal = _aggregate(NORMAL, found[NORMAL])
        return [*labels, _normal([*labels, other], normal)]

    def _read(self, sentence: str) -> tuple[Mention, ...]:
        return mentions(sentence, self._lexicon, after_reach_words=self._reach)


def _aggregate(finding: str, found: list[tuple[Sentence, Mention]]) -> Label:
    """1 any mention affirmed: positive; 2 any hedged: uncertain; 3 any denied: negative; 4 none."""
    for assertion, state in _STATE.items():
        for sentence, mention in found:
            if mention.assertion == assertion:
                return Label(
                    finding,
                    state,
                    sentence.section,
                    sentence.text,
                    sentence.start + mention.start,
                    sentence.start + mention.end,
                    mention.phrase,
                    mention.cue,
                    mention.rule,
                )
    return Label(finding, "unmentioned")


def _normal(diseases: list[Label], wording: Label) -> Label:
    """The label `normal`: 1 nothing recognised: unmentioned; 2 a disease affirmed: negative;
    3 a disease hedged: uncertain; 4 otherwise positive.

    Wang et al. code "normal" without any disease, or with the concept "normal". Taken alone the
    second would call "cardiomegaly, lungs normal" normal; here no disease may be left standing.
    """
    if wording.state == "unmentioned" and all(label.state == "unmentioned" for label in diseases):
        return Label(NORMAL, "unmentioned", rule="nothing recognised")
    for state, answer in (("positive", "negative"), ("uncertain", "uncertain")):
        for label in diseases:
            if label.state == state:
                return _because(label, answer, f"disease {state}")  # type: ignore[arg-type]
    witness = next(label for label in (wording, *diseases) if label.state != "unmentioned")
    return _because(witness, "positive", "no disease left")


def _because(label: Label, state: State, rule: str) -> Label:
    return Label(
        NORMAL, state, label.section, label.sentence, label.start, label.end, label.phrase, "", rule
    )
