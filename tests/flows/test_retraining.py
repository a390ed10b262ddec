"""Why a run was refused, in the words that name the run."""

from pathlib import Path
from typing import Any

import pytest

from flows import retraining
from thorax import artifacts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    return tmp_path / "artifacts"


def check(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "table": "entries", "severity": "critical", "success": False,
            "waiver": None, **changes}  # fmt: skip


def rule(reason: str, verdict: str, on_insufficient: str = "hold") -> dict[str, str]:
    return {"reason": reason, "verdict": verdict, "on_insufficient": on_insufficient}


def test_refused_data_name_the_first_critical_check(folder: Path) -> None:
    checks = [
        check("the view is PA", severity="warning"),
        check("the age is right", waiver={"person": "A Reader"}),
        check("no patient in two splits"),
        check("no image twice"),
    ]
    verdict = {"verdict": "refuse", "valid_until": None, "checks": checks}
    artifacts.write_json(folder / "validation/verdict.json", verdict)
    assert retraining.why_refused() == "entries: no patient in two splits and 1 more"


def test_refused_data_name_the_waiver_that_ended(folder: Path) -> None:
    verdict = {"verdict": "accept", "valid_until": "2020-01-31", "checks": []}
    artifacts.write_json(folder / "validation/verdict.json", verdict)
    assert "ended on 2020-01-31" in retraining.why_refused()


def test_a_refusing_gate_names_the_first_rule_that_failed(folder: Path) -> None:
    rules = [
        rule("Mass has 2 positives.", "insufficient evidence"),
        rule("Edema has 1 positive.", "insufficient evidence", "ignore"),
        rule("Mean AUC is 0.41, below 0.6.", "fail"),
        rule("The data was accepted.", "pass"),
    ]
    artifacts.write_json(folder / "gate/decision.json", {"verdict": "fail", "rules": rules})
    assert retraining.why_not_passed() == "Mean AUC is 0.41, below 0.6 and 1 more"
