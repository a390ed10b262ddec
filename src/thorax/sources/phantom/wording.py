"""A study's free-text report, from one of two halves of wordings that share no sentence.

The wordings are text for a clinician to review: `wording/first.yaml`, `wording/second.yaml`.
A report asserts what is drawn, hedges what is drawn faintly or only suspected, negates some of what
is absent, and may recall old disease in its indication. It never asserts what is not drawn.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from thorax.findings import FINDINGS
from thorax.sources.phantom.dice import Dice
from thorax.sources.phantom.patients import LEFT, Lesion, Study

Half = Literal["first", "second"]

# Findings of which a negation would contradict the other's presence in a reader's eyes.
_ALIKE: Final = (
    frozenset({"Infiltration", "Pneumonia", "Consolidation", "Edema", "Atelectasis"}),
    frozenset({"Mass", "Nodule"}),
    frozenset({"Effusion", "Pleural_Thickening"}),
)
_PLEURAL: Final = {"Effusion", "Pleural_Thickening", "Pneumothorax"}
_OUTSIDE_LUNGS: Final = {"Cardiomegaly", "Hernia", "Effusion", "Pleural_Thickening"}
_FAINT: Final = 0.15  # severity below which half of the reports hedge
_OFTEN_NEGATED: Final = (
    "Pneumothorax",
    "Effusion",
    "Consolidation",
    "Edema",
    "Pneumonia",
    "Infiltration",
)


def report(study: Study, *, seed: int, half: Half) -> str:
    """The report's text: headings on their own lines, sentences behind them."""
    dice = Dice(seed, study.patient, "report", study.follow_up)
    words = wordings(half)
    hedged = set(study.suspected) | {
        name for name in study.present if _is_hedged(dice, study, name)
    }
    stated = [name for name in study.present if name not in hedged]
    body = _findings(dice, words, study, stated, sorted(hedged, key=FINDINGS.index))
    closing = _impression(dice, words, study, stated, sorted(hedged, key=FINDINGS.index))
    parts = []
    if dice.chance(0.6):
        parts.append(_section(dice, words, "indication", _indication(dice, words, study)))
    if dice.chance(0.35):
        kind = "comparison_some" if study.follow_up else "comparison_none"
        parts.append(_section(dice, words, "comparison", [dice.pick(words[kind])]))
    parts.append(_section(dice, words, "findings", body))
    if closing:
        parts.append(_section(dice, words, "impression", closing))
    return "\n".join(parts)


@cache
def wordings(half: Half) -> dict[str, Any]:
    """The named half, as it stands in its file."""
    text = (Path(__file__).parent / "wording" / f"{half}.yaml").read_text(encoding="utf-8")
    words: dict[str, Any] = yaml.safe_load(text)
    return words


def _is_hedged(dice: Dice, study: Study, finding: str) -> bool:
    clearest = max(lesion.severity for lesion in study.lesions if lesion.finding == finding)
    return dice.chance(0.5) and clearest < _FAINT


def _section(dice: Dice, words: dict[str, Any], name: str, sentences: list[str]) -> str:
    return " ".join([dice.pick(words["headings"][name]), *map(_capital, sentences)])


def _indication(dice: Dice, words: dict[str, Any], study: Study) -> list[str]:
    sentences = [dice.pick(words["indication"][study.company])]
    if dice.chance(0.2):
        item = dice.pick(words["nouns"][dice.pick(FINDINGS)])
        sentences.append(dice.pick(words["past"]).format(item=item))
    return sentences


def _findings(
    dice: Dice, words: dict[str, Any], study: Study, stated: list[str], hedged: list[str]
) -> list[str]:
    opening = [dice.pick(words["technique"]).format(view=study.view)] if dice.chance(0.3) else []
    if study.view == "AP" and dice.chance(0.4):
        opening.append(dice.pick(words["devices"]["AP"]))
    told = [_positive(dice, words, study, name) for name in stated]
    told += [_doubt(dice, words, name) for name in hedged]
    told += _healthy(dice, words, {*stated, *hedged})
    told += _negations(dice, words, {*stated, *hedged})
    for last in range(len(told) - 1, 0, -1):
        other = dice.below(last + 1)
        told[last], told[other] = told[other], told[last]
    return opening + told


def _positive(dice: Dice, words: dict[str, Any], study: Study, finding: str) -> str:
    lesions = [lesion for lesion in study.lesions if lesion.finding == finding]
    text: str = dice.pick(words["positive"][finding])
    return text.format(**_slots(lesions))


def _slots(lesions: list[Lesion]) -> dict[str, str]:
    sides = {lesion.side for lesion in lesions}
    severity = max(lesion.severity for lesion in lesions)
    third = min(int(severity * 3), 2)
    lesion = lesions[0]
    radius = 3.1 + 2.6 * lesion.size if lesion.finding == "Mass" else 1.0 + 0.9 * lesion.size
    return {
        "side": "bilateral" if len(sides) > 1 else ("left" if LEFT in sides else "right"),
        "zone": ("upper", "mid", "lower")[min(int(lesion.height * 3), 2)],
        "grade": ("mild", "moderate", "severe")[third],
        "amount": ("small", "moderate", "large")[third],
        "cm": f"{int(radius * 10 + 0.5) / 10:.1f}",
    }


def _doubt(dice: Dice, words: dict[str, Any], finding: str) -> str:
    item = dice.pick(words["nouns"][finding])
    text: str = dice.pick(words["hedged"])
    return text.format(item=item)


def _healthy(dice: Dice, words: dict[str, Any], told: set[str]) -> list[str]:
    """Sentences on organs in which nothing was told."""
    kinds = []
    if not told - _OUTSIDE_LUNGS:
        kinds.append("lungs")
    if "Cardiomegaly" not in told:
        kinds.append("heart")
    if not told & _PLEURAL:
        kinds.append("pleura")
    kinds.append("bones")
    chances = {"lungs": 0.7, "heart": 0.6, "pleura": 0.25, "bones": 0.3}
    return [dice.pick(words["healthy"][kind]) for kind in kinds if dice.chance(chances[kind])]


def _negations(dice: Dice, words: dict[str, Any], told: set[str]) -> list[str]:
    absent = [name for name in FINDINGS if name not in told and not _contradicts(name, told)]
    pool = [name for name in absent if dice.chance(0.55 if name in _OFTEN_NEGATED else 0.08)]
    sentences = []
    while pool:
        count = min(1 + dice.below(3), len(pool))
        group = [dice.pick(words["nouns"][pool.pop(dice.below(len(pool)))]) for _ in range(count)]
        kind = ("negative_one", "negative_two", "negative_three")[count - 1]
        text = dice.pick(words[kind])
        sentences.append(text.format(**dict(zip(("item", "other", "third"), group, strict=False))))
    return sentences


def _contradicts(finding: str, told: set[str]) -> bool:
    return any(finding in alike and alike & told for alike in _ALIKE)


def _impression(
    dice: Dice, words: dict[str, Any], study: Study, stated: list[str], hedged: list[str]
) -> list[str]:
    if dice.chance(0.25):
        return []
    if not stated and not hedged:
        return [dice.pick(words["impression_normal"])]
    lines = [_positive(dice, words, study, name) for name in stated]
    lines += [_doubt(dice, words, name) for name in hedged]
    if dice.chance(0.3):
        lines.append(dice.pick(words["impression_other"]))
    if len(lines) > 1 and dice.chance(0.4):
        return [f"{number}. {_capital(line)}" for number, line in enumerate(lines, 1)]
    return lines


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
