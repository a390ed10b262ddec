"""The phantom's reports: two halves without a common sentence, and nothing untrue asserted."""

import re
from typing import get_args

import pytest

from thorax.findings import FINDINGS
from thorax.sources.phantom.patients import LEFT, Lesion, Study, studies
from thorax.sources.phantom.source import PhantomConfig
from thorax.sources.phantom.wording import Half, report, wordings

HALVES = get_args(Half)
WORDS = ("nouns", "headings")  # single terms, not sentences
FILLED = "(?:left|right|bilateral|upper|mid|lower|mild|moderate|severe|small|large|[0-9.]+)"
SLOTS = {"side", "zone", "grade", "amount", "cm", "item", "other", "third", "view"}


def sentences(node: object) -> list[str]:
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node
    return [text for child in children for text in sentences(child)]  # type: ignore[attr-defined]


def plain(sentence: str) -> str:
    return " ".join(re.findall(r"[a-z{}]+", sentence.lower()))


def study(*present: str, severity: float = 0.6, suspected: tuple[str, ...] = ()) -> Study:
    lesions = tuple(Lesion(name, LEFT, 0.5, 0.5, 0.5, severity, 1) for name in present)
    return Study(3, 0, 60, "F", "PA", lesions, suspected, "well")


def asserted(text: str, half: Half) -> set[str]:
    """The findings of which a positive sentence stands in the text."""
    found = set()
    for finding, templates in wordings(half)["positive"].items():
        for template in templates:
            pattern = re.sub(r"\\\{\w+\\\}", FILLED, re.escape(template))
            if re.search(rf"(?:^|[.:?] ){pattern}(?: |$)", text, re.IGNORECASE | re.MULTILINE):
                found.add(finding)
    return found


def body(text: str, half: Half) -> str:
    """The text without its indication and comparison."""
    words = wordings(half)["headings"]
    dropped = (*words["indication"], *words["comparison"])
    return "\n".join(line for line in text.splitlines() if not line.startswith(dropped))


def test_the_halves_share_no_template() -> None:
    first, second = (
        {
            plain(text)
            for name, node in wordings(half).items()
            if name not in WORDS
            for text in sentences(node)
        }
        for half in HALVES
    )
    assert not first & second


def test_reports_of_the_halves_share_no_sentence() -> None:
    config = PhantomConfig()
    said: list[set[str]] = []
    for half in HALVES:
        texts = [
            report(one, seed=config.seed, half=half)
            for patient in range(1, 120)
            for one in studies(config.seed, patient, config.prevalence, config.doubt_share)
        ]
        split = [re.split(r"(?<=[.:?])\s+", text) for text in texts]
        headings = {plain(heading) for heading in sentences(wordings(half)["headings"])}
        said.append({plain(sentence) for parts in split for sentence in parts} - headings - {""})
    assert not said[0] & said[1]


@pytest.mark.parametrize("half", HALVES)
def test_each_half_words_all_fourteen_findings_in_several_ways(half: Half) -> None:
    words = wordings(half)
    for finding in FINDINGS:
        assert len(words["positive"][finding]) >= 4
        assert words["nouns"][finding]
    assert set(words["positive"]) == set(words["nouns"]) == set(FINDINGS)
    slots = {slot for text in sentences(words) for slot in re.findall(r"\{(\w+)\}", text)}
    assert slots <= SLOTS


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("finding", FINDINGS)
def test_what_is_drawn_is_asserted_in_words_of_that_finding(finding: str, half: Half) -> None:
    for seed in range(10):
        assert asserted(report(study(finding), seed=seed, half=half), half) == {finding}


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("finding", FINDINGS)
def test_what_is_only_suspected_is_hedged_and_never_asserted(finding: str, half: Half) -> None:
    for seed in range(10):
        text = body(report(study(suspected=(finding,)), seed=seed, half=half), half)
        assert not asserted(text, half)
        assert any(noun in text.lower() for noun in wordings(half)["nouns"][finding])


@pytest.mark.parametrize("half", HALVES)
def test_a_normal_study_gets_a_normal_report(half: Half) -> None:
    for seed in range(30):
        assert not asserted(report(study(), seed=seed, half=half), half)


@pytest.mark.parametrize("half", HALVES)
def test_a_faint_finding_is_sometimes_hedged_and_a_clear_one_never(half: Half) -> None:
    said = {
        severity: {
            bool(asserted(report(study("Mass", severity=severity), seed=seed, half=half), half))
            for seed in range(30)
        }
        for severity in (0.05, 0.6)
    }
    assert said == {0.05: {True, False}, 0.6: {True}}


@pytest.mark.parametrize("half", HALVES)
def test_clear_lungs_are_never_said_beside_a_lung_finding(half: Half) -> None:
    clear = wordings(half)["healthy"]["lungs"]
    for seed in range(60):
        text = report(study("Nodule"), seed=seed, half=half)
        assert not any(sentence in text for sentence in clear)


@pytest.mark.parametrize("half", HALVES)
def test_every_report_has_findings_and_is_filled_in(half: Half) -> None:
    config = PhantomConfig()
    for patient in range(1, 60):
        for one in studies(config.seed, patient, config.prevalence, config.doubt_share):
            text = report(one, seed=config.seed, half=half)
            assert any(heading in text for heading in wordings(half)["headings"]["findings"])
            assert not re.search(r"[{}]", text)
            assert text == report(one, seed=config.seed, half=half)
