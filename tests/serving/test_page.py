"""The page at `/` says what was accepted in the model's data, and takes no words as markup."""

import json
from pathlib import Path

from serving.page import render


def decision(folder: Path, **content: object) -> Path:
    path = folder / "decision.json"
    path.write_text(json.dumps(content))
    return path


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
    for path in (decision(tmp_path, waivers=[]), decision(tmp_path), tmp_path / "missing.json"):
        page = render(path)
        assert "Waiver until" not in page
        assert "not a medical device" in page
