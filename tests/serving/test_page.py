"""The page at `/` says what was accepted in the model's data, and takes no words as markup."""

import json
from pathlib import Path

import pytest

from serving.page import render


def decision(folder: Path, **content: object) -> Path:
    (folder / "decision.json").write_text(json.dumps(content))
    return folder


def test_waivers_of_the_decision_are_printed_and_escaped(tmp_path: Path) -> None:
    waiver = {
        "expectation": "a: b",
        "reason": "<b>typos</b>",
        "person": "A & B",
        "expires": "2027-01-31",
    }
    page = render(decision(tmp_path, waivers=[waiver]))
    assert "Waiver until 2027-01-31" in page
    assert "&lt;b&gt;typos&lt;/b&gt;" in page and "<b>typos" not in page
    assert "A &amp; B accepts that" in page


def test_without_waivers_or_decision_none_is_mentioned(tmp_path: Path) -> None:
    for path in (decision(tmp_path, waivers=[]), decision(tmp_path), tmp_path / "missing"):
        page = render(path)
        assert "Waiver until" not in page
        assert "not a medical device" in page


@pytest.mark.parametrize(
    ("trained_on", "text"),
    [
        ({"source": "phantom", "images": 9}, "Trained on: phantom, not radiographs."),
        ({"source": "<nih>", "images": 1234}, "Trained on: &lt;nih&gt;, 1,234 images."),
        ({"source": 3}, "Trained on: not recorded."),
        ([], "Trained on: not recorded."),
    ],
)
def test_it_says_what_the_model_was_trained_on(
    trained_on: object, text: str, tmp_path: Path
) -> None:
    (tmp_path / "predictor").mkdir()
    path = tmp_path / "predictor/predictor.json"
    path.write_text(json.dumps({"trained_on": trained_on}))
    assert text in render(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"waivers": 3}', '{"waivers": [1, {}]}'])
def test_a_broken_decision_does_not_break_the_page(text: str, tmp_path: Path) -> None:
    (tmp_path / "decision.json").write_text(text)
    assert "not a medical device" in render(tmp_path)
