import re

from tests.release.bench import Bench
from thorax import findings


def card(released: Bench) -> str:
    return (released.output / "card.md").read_text()


def test_the_card_gives_every_finding_its_score_with_its_interval(released: Bench) -> None:
    for finding in findings.FINDINGS:
        row = re.search(
            rf"^\| {findings.display(finding)} \| (.*) \|$", card(released), re.MULTILINE
        )
        assert row is not None
        assert finding == "Hernia" or row[1].startswith("0.700 | 0.600 to 0.800")


def test_what_is_undefined_is_a_dash_with_its_reason(released: Bench) -> None:
    assert "| Hernia | - | - | - | 0 | 88 |" in card(released)
    assert "Hernia: no positives." in card(released)


def test_the_card_says_what_the_model_is_not(released: Bench) -> None:
    text = card(released)
    assert "Not a medical device" in text
    assert '"No finding flagged" is not "normal"' in text
    assert "text-mined" in text


def test_the_card_says_what_the_model_was_trained_on(released: Bench) -> None:
    assert "| trained on | phantom, not radiographs |" in card(released)


def test_the_card_says_where_it_comes_from_and_what_the_gate_said(released: Bench) -> None:
    labels = released.manifest()["labels"]
    for name in ("data", "revision", "params"):
        assert labels[name] in card(released)
    assert "Verdict: **pass**" in card(released)
    assert "| mean_auc |  | 0.700 | 0.500 | pass |" in card(released)
