"""Without a yes nothing is trained: refusals, waivers that ended, and files that say neither."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from thorax.errors import BadInput, Refused
from thorax.training.verdict import require_yes

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def verdict(folder: Path, **content: object) -> Path:
    path = folder / "verdict.json"
    path.write_text(json.dumps({"checks": [], "valid_until": None, **content}))
    return path


@pytest.mark.parametrize("until", [None, "2026-05-04", "2026-05-04T12:00:00+00:00"])
def test_a_yes_that_is_still_valid_lets_training_begin(tmp_path: Path, until: str | None) -> None:
    require_yes(verdict(tmp_path, verdict="accept", valid_until=until), now=NOW)
    with pytest.raises(Refused):  # the day does it, not the file
        require_yes(verdict(tmp_path, verdict="refuse", valid_until=until), now=NOW)


@pytest.mark.parametrize("until", ["2026-05-03", "2026-05-04T11:59:59"])
def test_nobody_accepts_a_waiver_that_has_ended(tmp_path: Path, until: str) -> None:
    with pytest.raises(Refused, match=f"ended on {until}"):
        require_yes(verdict(tmp_path, verdict="accept", valid_until=until), now=NOW)


def test_a_refusal_is_one_line_that_names_the_critical_check(tmp_path: Path) -> None:
    checks = [
        {"name": "age in range", "severity": "warning", "success": False},
        {"name": "patients in one split", "severity": "critical", "success": False},
        {"name": "images decode", "severity": "critical", "success": False},
    ]
    with pytest.raises(Refused, match="patients in one split and 1 more failed") as refused:
        require_yes(verdict(tmp_path, verdict="refuse", checks=checks), now=NOW)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_file_that_says_neither_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="verdict is 'maybe'"):
        require_yes(verdict(tmp_path, verdict="maybe"), now=NOW)


def test_a_verdict_that_is_missing_is_no_yes(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"verdict\.json is missing"):
        require_yes(tmp_path / "verdict.json", now=NOW)
