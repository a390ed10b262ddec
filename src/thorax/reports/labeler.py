"""A report to one state per finding, and `normal`, by numbered cases (Wang et al. 2017, 2.1).

Phrases and cues only: no parser, no ontology. A report in which nothing is recognised (no text,
another language) says nothing: every state is `unmentioned`, `normal` too. Only where Findings and
Impression stand there and hold no word may `normal` be positive (`reports.silent`).
"""

from collections import defaultdict
from functools import cache, lru_cache
from typing import NamedTuple

from thorax.findings import FINDINGS, NORMAL, State
from thorax.reports import lexicon
from thorax.reports.assertion import Assertion, Mention, mentions
from thorax.reports.lexicon import Lexicon
from thorax.reports.patterns import words_of
from thorax.reports.sections import Sentence, sentences, silent
from thorax.reports.settings import ReportsConfig

_CACHED_SENTENCES = 200_000  # reports repeat themselves; about 100 MB when full

SILENT = "no word in the sections that count"
"""The rule behind `normal` where `reports.silent` decides."""

FOREIGN = "another language"
"""The rule behind `normal` where a report has more words of other languages than of English."""

_CASES: dict[Assertion, tuple[int, State]] = {
    "affirmed": (1, "positive"),
    "hedged": (2, "uncertain"),
    "denied": (3, "negative"),
    "suggested": (4, "uncertain"),
    "set aside": (5, "unmentioned"),
}


_DENIES_NORMAL: dict[State, State] = {"positive": "negative", "uncertain": "uncertain"}


class Label(NamedTuple):
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
        rule: the rule file and its line, or the case, that gave the state.
        severity: mild, moderate or severe, when said of the deciding phrase.
        laterality: left, right or bilateral, when said of it.
        concept: its UMLS concept, where known.
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
    severity: str = ""
    laterality: str = ""
    concept: str = ""


class Labeler:
    """Labels reports; equal sentences are read once.

    Args:
        config: settings.
        knowledge: phrases and rules; by default those of this package.
    """

    def __init__(self, config: ReportsConfig, knowledge: Lexicon | None = None) -> None:
        self._lexicon = knowledge or lexicon.load()
        self._reach = config.after_reach_words
        self._silent = config.silent
        self._mentions = lru_cache(maxsize=_CACHED_SENTENCES)(self._read)

    def label(self, text: str) -> list[Label]:
        """One label per finding in the order of `FINDINGS`, then `normal`."""
        found: dict[str, list[tuple[Sentence, Mention]]] = defaultdict(list)
        for sentence, mention in self.mentions(text):
            found[mention.finding].append((sentence, mention))
        labels = [_aggregate(finding, found.get(finding)) for finding in FINDINGS]
        beyond = [_aggregate(name, found.get(name)) for name in (lexicon.OTHER, lexicon.NOTED)]
        normal = _normal([*labels, *beyond], _aggregate(NORMAL, found.get(NORMAL)))
        if not found and self._silent == "normal" and (heading := silent(text, self._lexicon)):
            normal = _of_silence(heading)
        if normal.state == "positive" and self._lexicon.is_foreign(words_of(text.lower())):
            normal = Label(NORMAL, "unmentioned", rule=FOREIGN)
        return [*labels, normal]

    def mentions(self, text: str) -> list[tuple[Sentence, Mention]]:
        """Every mention of every finding, sentence by sentence, concluding sections first."""
        read = sorted(sentences(text, self._lexicon), key=lambda sentence: not sentence.concludes)
        return [
            (sentence, mention) for sentence in read for mention in self._mentions(sentence.text)
        ]

    def _read(self, sentence: str) -> tuple[Mention, ...]:
        return mentions(sentence, self._lexicon, after_reach_words=self._reach)


def _aggregate(finding: str, found: list[tuple[Sentence, Mention]] | None) -> Label:
    """A finding's state from its mentions, by the first case that applies.

    1 any affirmed: positive; 2 any hedged: uncertain; 3 any denied: negative; 4 a sign of it:
    uncertain; 5 only told of the past, another study or another person: unmentioned, with the
    words; 6 none: unmentioned. Within a case the conclusion is quoted before the findings.
    """
    if not found:
        return _unmentioned(finding)
    sentence, mention = min(found, key=_case)  # of equals the first
    return _label(finding, _CASES[mention.assertion][1], sentence, mention)


def _case(told: tuple[Sentence, Mention]) -> int:
    return _CASES[told[1].assertion][0]


@cache
def _unmentioned(finding: str) -> Label:
    """Most labels say nothing; they are one and the same object per finding."""
    return Label(finding, "unmentioned")


def _label(finding: str, state: State, sentence: Sentence, mention: Mention) -> Label:
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
        mention.severity,
        mention.laterality,
        mention.concept,
    )


def _normal(diseases: list[Label], wording: Label) -> Label:
    """The label `normal`, by the first case that applies.

    1 nothing recognised: unmentioned, unless Findings and Impression stand there without a word and
    `reports.silent` takes that for normal (see `Labeler.label`); 2 anything affirmed: negative;
    3 anything hedged: uncertain; 4 otherwise positive.

    Wang et al. code "normal" without any disease, or with the concept "normal". Taken alone the
    second would call "cardiomegaly, lungs normal" normal; here nothing may be left standing. What
    is `noted` (a pacemaker, clips, low volumes) counts too, as for those who coded the OpenI
    reports.
    """
    told = [label for label in (wording, *diseases) if label.state != "unmentioned"]
    if not told:
        return Label(NORMAL, "unmentioned", rule="nothing recognised")
    for state, answer in _DENIES_NORMAL.items():
        for label in told:
            if label.state == state and label is not wording:
                return _because(label, answer, f"disease {state}")
    return _because(told[0], "positive", "no disease left")


def _of_silence(heading: Sentence) -> Label:
    end = heading.start + len(heading.text)
    place = (heading.section, heading.text, heading.start, end, heading.text)
    return Label(NORMAL, "positive", *place, rule=SILENT)


def _because(label: Label, state: State, rule: str) -> Label:
    return Label(NORMAL, state, *label[2:7], "", rule, *label[9:])
