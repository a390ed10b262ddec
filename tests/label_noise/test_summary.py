"""What the screen says of the shares of wrong labels: the estimate, and what better labels say."""

from typing import Any

import pytest

from thorax.label_noise.summary import say_summary

SHARES = {"called_present": 0.019, "called_absent": 0.248, "reason": ""}
TOO_FEW = {"called_present": None, "called_absent": None, "reason": "2 labels of present"}


def summary(**compared: dict[str, Any]) -> dict[str, Any]:
    nothing = {"findings": {}, "reason": "no image here has a better label"}
    return {
        "labels": 200, "images": 100, "flagged_labels": 5, "reports_weigh_in": False,
        "findings": {"Mass": {"by_images": SHARES}, "Hernia": {"by_images": TOO_FEW}},
        "compared": {"adjudicated": nothing, "truth": nothing} | compared,
    }  # fmt: skip


def row(said: str, name: str) -> list[str]:
    return next(line.split() for line in said.splitlines() if line.split()[:1] == [name])


def test_estimates_stand_beside_what_better_labels_say(capsys: pytest.CaptureFixture[str]) -> None:
    better = {
        "Mass": {"called_present": 0.001, "called_absent": 0.0},
        "Mass|Nodule": {"called_present": 0.25, "called_absent": None},
    }
    found = {"reason": "", "findings": better, "wrong_labels": 0, "judged_labels": 0,
             "found_reason": "none of these labels was judged here"}  # fmt: skip
    say_summary(summary(adjudicated=found))
    said = capsys.readouterr().err
    assert any(line.split() == ["estimated", "adjudicated"] for line in said.splitlines())
    assert row(said, "Mass") == ["Mass", "1.9%", "24.8%", "0.1%", "0.0%"]
    assert row(said, "Mass|Nodule") == ["Mass|Nodule", "-", "25.0%", "-"]
    assert "images alone: too high where" in said


def test_without_better_labels_there_is_the_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    say_summary(summary())
    said = capsys.readouterr().err
    assert row(said, "Mass") == ["Mass", "1.9%", "24.8%"]
    assert row(said, "Hernia") == ["Hernia", "too", "few"]
