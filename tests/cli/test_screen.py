"""The last screen of a retraining: what it says of subgroups, points and missing intervals."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.release.test_card_evaluation import EDEMA, MEAN, PART, POINT, REFUSED, RULES
from thorax.cli import screen

AIM = "sensitivity at least 0.9 with 95% confidence"


IGNORED = {"verdict": "insufficient evidence", "on_insufficient": "ignore", "reason": "few."}
FAILED = {"verdict": "fail", "on_insufficient": "ignore", "reason": "AUC of Mass is 0.4, below."}


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the files that the screen reads."""
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    point = {"aim": AIM, "measure": "sensitivity", "findings": {"Edema": POINT, "Hernia": REFUSED}}
    files = {
        "data/source.json": {"source": "phantom", "archives": {"a.tar": {"images": 90}}},
        "artifacts/validation/verdict.json": {
            "verdict": "accept", "checks": [], "valid_until": None
        },
        "artifacts/evaluation/metrics.json": {
            "split": "test", "images": 90, "patients": 40, "mean": MEAN,
            "findings": {"Edema": EDEMA}, "operating_points": {"screening": point},
            "subgroups": {"parts": [PART], "worst": PART},
        },
        "artifacts/gate/decision.json": {"verdict": "pass", "rules": RULES},
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "data.dvc").write_text("outs:\n- md5: 0123456789abcdef.dir\n  path: data\n")
    return tmp_path


def test_the_screen_names_the_worst_part_and_what_the_points_reached(finished: Path) -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    screen.print_last(console)
    text = " ".join(console.export_text().split())
    assert "worst part age 18-39: mean AUC 0.743 against 0.943 elsewhere" in text
    assert "gap -0.300 to -0.100, over 5 findings" in text
    assert f"screening {AIM}: 1 reached, 1 without a threshold" in text
    assert "Edema 1.000 not estimable 1 interval not estimable: 1 patient with" in text


def test_rules_with_too_little_evidence_do_not_hide_the_one_that_failed(finished: Path) -> None:
    decision = {"verdict": "fail", "rules": [*RULES, *[IGNORED] * 28, FAILED]}
    (finished / "artifacts/gate/decision.json").write_text(json.dumps(decision))
    console = Console(width=160, record=True, file=io.StringIO())
    screen.print_last(console)
    text = " ".join(console.export_text().split())
    assert "gate fail 3 of 4 rules hold" in text
    assert "fail: AUC of Mass is 0.4, below." in text
    assert "28 more have too little evidence and are ignored" in text
    assert "few." not in text
