"""Witnesses are weighed; what reports say counts only where it is news."""

import numpy as np
import pandas as pd
import pytest

from thorax.findings import FINDINGS
from thorax.label_noise import confident
from thorax.label_noise.reference import Labels, compare
from thorax.label_noise.report_evidence import NO_REPORT, ReportEvidence, arrange_evidence
from thorax.label_noise.weigh import weigh
from thorax.schemas.mined_labels import evidence_by_image

WIDTH = len(FINDINGS)


def statements(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["image", "finding", "state"])
    return table.assign(report="r", sentence="", cue="")


def heard(rows: list[tuple[str, str, str]], source: str, label: int) -> ReportEvidence:
    about = pd.DataFrame({"image": ["a"], "label_source": [source]})
    targets = np.full((1, WIDTH), label, np.int8)
    return arrange_evidence(statements(rows), about, targets)


@pytest.mark.parametrize(
    ("source", "state", "label", "news"),
    [
        ("mined", "positive", 1, False),
        ("mined", "positive", 0, True),
        ("mined", "negative", 0, False),
        ("mined", "negative", 1, True),
        ("given", "positive", 1, True),
        ("given", "negative", 0, True),
        ("mined", "uncertain", 0, False),
    ],
)
def test_a_report_is_news_unless_the_label_comes_from_it(
    source: str, state: str, label: int, news: bool
) -> None:
    found = heard([("a", "Mass", state)], source, label)
    assert bool(found.news[0, FINDINGS.index("Mass")]) is news


def test_mined_labels_that_differ_from_a_report_make_all_reports_of_that_finding_news() -> None:
    about = pd.DataFrame({"image": ["a", "b"], "label_source": ["mined", "mined"]})
    says = [(image, name, "positive") for image in "ab" for name in ("Mass", "Edema")]
    targets = np.ones((2, WIDTH), np.int8)
    targets[0, FINDINGS.index("Mass")] = 0
    news = arrange_evidence(statements(says), about, targets).news
    assert news[:, FINDINGS.index("Mass")].tolist() == [True, True]
    assert not news[:, FINDINGS.index("Edema")].any()


def test_an_image_without_a_report_that_counts_has_no_evidence() -> None:
    found = heard([], "given", 1)
    assert (found.states == NO_REPORT).all()
    assert not found.news.any()


def test_a_false_label_is_doubted_where_the_report_calls_the_chest_normal() -> None:
    """What the labeler writes for "Normal chest radiograph.": no finding is mentioned."""
    truth, targets, given = witnesses()
    states = np.where(truth == 1, "positive", "unmentioned").astype(object)
    evidence = ReportEvidence(states, np.ones(targets.shape, bool))
    found = weigh(given, targets, np.ones(targets.shape, bool), evidence, expected_wrong_share=0.05)
    false_positive = (targets == 1) & (truth == 0)
    assert false_positive.any()
    assert found.quality[false_positive].max() < 0.5


def test_of_two_reports_the_firmer_word_counts() -> None:
    mined = pd.DataFrame(
        [("r1", "Mass", "negative", "No mass.", "No"), ("r2", "Mass", "positive", "A mass.", ""),
         ("r2", "normal", "negative", "", "")],
        columns=["report", "finding", "state", "sentence", "cue"],
    )  # fmt: skip
    links = pd.DataFrame({"image": ["a", "a", "b"], "report": ["r1", "r2", "r1"]})
    found = evidence_by_image(links, mined, pd.Series(["a"]))
    assert found[["image", "report", "sentence"]].to_numpy().tolist() == [["a", "r2", "A mass."]]


def witnesses(count: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True labels of one finding, noisy ones, and what an honest image model gives."""
    chance = np.random.default_rng(2)
    truth = (chance.random((count, 1)) < 0.3).astype(np.int8)
    targets = np.where(chance.random((count, 1)) < 0.1, 1 - truth, truth).astype(np.int8)
    given = np.where(truth == 1, 0.7, 0.15) + chance.normal(0, 0.05, truth.shape)
    return truth, targets, given.clip(0.01, 0.99)


def test_without_news_quality_is_the_probability_of_the_label() -> None:
    _, targets, given = witnesses()
    silent = ReportEvidence(
        np.full(targets.shape, NO_REPORT, object), np.zeros(targets.shape, bool)
    )
    found = weigh(given, targets, np.ones(targets.shape, bool), silent, expected_wrong_share=0.05)
    np.testing.assert_array_equal(found.quality, np.where(targets == 1, given, 1 - given))
    assert not found.reports


def test_a_report_that_contradicts_the_label_lowers_its_quality() -> None:
    truth, targets, given = witnesses()
    states = np.where(truth == 1, "positive", "negative").astype(object)
    told = ReportEvidence(states, np.ones(targets.shape, bool))
    found = weigh(given, targets, np.ones(targets.shape, bool), told, expected_wrong_share=0.05)
    wrong = targets != truth
    assert found.quality[wrong].max() < found.quality[~wrong].min()
    assert found.called_present[0] == pytest.approx(targets[truth == 0].mean(), abs=0.03)
    assert found.called_absent[0] == pytest.approx(1 - targets[truth == 1].mean(), abs=0.05)


def test_labels_that_are_not_known_have_no_say() -> None:
    truth, targets, given = witnesses()
    states = np.where(truth == 1, "positive", "negative").astype(object)
    known = np.arange(len(truth))[:, None] % 4 != 0
    told = ReportEvidence(states, np.ones(targets.shape, bool))
    first, second = (
        weigh(given, each, known, told, expected_wrong_share=0.05)
        for each in (targets, np.where(known, targets, 1 - targets).astype(np.int8))
    )
    np.testing.assert_array_equal(first.called_present, second.called_present)
    np.testing.assert_array_equal(first.present, second.present)


def test_confident_learning_finds_labels_that_clear_images_contradict() -> None:
    truth, targets, given = witnesses(2000)
    found = confident.learn(given, targets, np.ones(targets.shape, bool))
    wrong = targets != truth
    assert found.issues[wrong].mean() > 0.8  # it prunes as many as it estimates
    assert found.issues[~wrong].mean() < 0.01
    assert found.called_present[0] == pytest.approx(targets[truth == 0].mean(), abs=0.02)
    assert found.called_absent[0] == pytest.approx(1 - targets[truth == 1].mean(), abs=0.02)


def test_too_few_labels_of_a_kind_give_a_reason_instead_of_a_rate() -> None:
    targets = np.zeros((50, 1), np.int8)
    found = confident.learn(np.full((50, 1), 0.1), targets, np.ones(targets.shape, bool))
    assert np.isnan(found.called_present[0])
    assert "0 labels of present" in found.reasons[0]


def labels(rows: dict[str, tuple[list[str], float]]) -> Labels:
    targets = np.array([[name in given for name in FINDINGS] for given, _ in rows.values()])
    quality = np.repeat([[score] for _, score in rows.values()], WIDTH, axis=1)
    known = np.ones(targets.shape, bool)
    return Labels(pd.Series(list(rows)), targets.astype(np.int8), known, quality)


def better(rows: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image", "finding", "label"])


def test_rates_and_precision_against_better_labels() -> None:
    given = labels({"a": (["Mass"], 0.1), "b": ([], 0.9), "c": (["Mass"], 0.8), "d": ([], 0.2)})
    truth = [("a", "Mass", "0"), ("b", "Mass", "0"), ("c", "Mass", "1"), ("d", "Mass", "1"),
             ("elsewhere", "Mass", "1"), ("a", "normal", "1")]  # fmt: skip
    found = compare(given, better(truth))
    assert found["findings"]["Mass"] == {
        "absent_images": 2, "present_images": 2, "called_present": 0.5, "called_absent": 0.5,
    }  # fmt: skip
    assert (found["wrong_labels"], found["judged_labels"]) == (2, 4)
    assert found["precision_at_wrong"] == found["auc_score"] == 1.0


def test_joined_findings_are_given_when_any_member_is() -> None:
    given = labels({"a": (["Nodule"], 0.5), "b": ([], 0.5)})
    found = compare(given, better([("a", "Mass|Nodule", "1"), ("b", "Mass|Nodule", "1")]))
    assert found["findings"]["Mass|Nodule"]["called_absent"] == 0.5


def test_what_is_not_defined_says_why() -> None:
    given = labels({"a": (["Mass"], 0.1)})
    assert compare(given, better([]))["reason"]
    agreed = compare(given, better([("a", "Mass", "1")]))
    assert np.isnan(agreed["precision_at_wrong"])
    assert agreed["found_reason"]
