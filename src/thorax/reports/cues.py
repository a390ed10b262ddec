"""Which of the cues found in a sentence count."""

import re
from collections.abc import Callable, Iterable

from thorax.reports.lexicon import Cue
from thorax.reports.patterns import Found

_NOT = re.compile(r"(?:not|cannot|can not|could not)\b")
_INDEPENDENT = re.compile(r"(?:^|[,;(]|\band)\s*$")


def counting(
    sentence: str, found: Iterable[Found[Cue]], parted: Callable[[int, int], bool]
) -> list[Found[Cue]]:
    """The cues that count: the longest at a place, and no hedge under a denial.

    Args:
        sentence: the text that they were found in.
        found: every cue.
        parted: whether a new clause starts between two places.
    """
    kept: list[Found[Cue]] = []
    for item in found:
        alike = kept and item[:2] == kept[-1][:2] and kept[-1].what.direction != "-"
        if not kept or item.start >= kept[-1].end or alike:  # one line may stand on either side
            kept.append(item)
    cues = [item for item in kept if item.what.direction != "-"]
    denials = [
        item for item in cues if (item.what.kind, item.what.direction) == ("negation", "before")
    ]
    return [item for item in cues if not _under_a_denial(item, denials, sentence, parted)]


def _under_a_denial(
    item: Found[Cue],
    denials: list[Found[Cue]],
    sentence: str,
    parted: Callable[[int, int], bool],
) -> bool:
    """Whether a hedge only continues a denial: "no opacity suspicious for pneumonia"."""
    if item.what.kind == "negation" or item.what.direction != "before":
        return False
    if _INDEPENDENT.search(sentence, 0, item.start) or _NOT.match(sentence, item.start):
        return False
    return any(
        denial.end <= item.start and not parted(denial.end, item.start) for denial in denials
    )
