"""What the stages before the gate leave behind, for a model that passes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thorax.gate.evidence import Evidence

REPOSITORY = Path(__file__).parents[2]


def auc(score: float | None, low: float | None, positives: int = 40) -> dict[str, Any]:
    """A finding's entry in the evaluation's metrics.json."""
    return {
        "auc_score": score,
        "auc_low": low,
        "auc_high": None if low is None else 0.99,
        "average_precision_score": 0.5,
        "brier_loss": 0.1,
        "calibration_error": 0.04,
        "positives": positives,
        "negatives": 100,
        "positive_patients": positives // 2,
        "reason": "" if score is not None else "no positive image",
    }


def evaluation() -> dict[str, Any]:
    findings = {
        "Effusion": auc(0.8, 0.7),
        "Mass": auc(0.75, 0.55),
        "Hernia": auc(None, None, positives=0),
    }
    return {
        "split": "test",
        "findings": findings,
        "mean": {**auc(0.775, 0.65), "findings": 2},
    }


def localization() -> dict[str, Any]:
    def entry(boxes: int) -> dict[str, Any]:
        known = boxes > 0
        cell = {
            "acc_score": 0.4 if known else None,
            "acc_low": 0.3 if known else None,
            "acc_high": 0.5 if known else None,
        }
        return {
            "boxes": boxes,
            "patients": boxes,
            "reason": "" if known else "no true box",
            "iou": {"0.1": cell},
            "iobb": {"0.25": cell},
        }

    findings = {"Mass": entry(20), "Hernia": entry(0)}
    return {"methods": {"paper": {"findings": findings, "mean": {**entry(20), "findings": 1}}}}


@pytest.fixture
def evidence() -> Evidence:
    """Data accepted, two findings judged well, one without a positive."""
    return Evidence(
        validation={"verdict": "accept", "checks": [], "valid_until": None},
        validation_ended=False,
        predictions={"verdict": "accept", "checks": [], "valid_until": None},
        evaluation=evaluation(),
        localization=localization(),
    )


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a checkout with that evidence in its artifacts, and two rules."""
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    monkeypatch.delenv("THORAX_BLESSING_KEY", raising=False)
    (tmp_path / "dvc.yaml").write_bytes((REPOSITORY / "dvc.yaml").read_bytes())
    (tmp_path / "params.yaml").write_text(
        "gate:\n  rules:\n"
        "    - {metric: validation, verdict: accept}\n"
        "    - {metric: validation_predictions, verdict: accept}\n"
        "    - {metric: mean_auc, min: 0.7}\n"
    )
    files = {
        "validation/verdict.json": {"verdict": "accept", "checks": [], "valid_until": None},
        "validation_predictions/verdict.json": {"verdict": "accept", "checks": []},
        "evaluation/metrics.json": evaluation(),
        "localization/metrics.json": localization(),
        "inference/predictor/predictor.json": {},
        "inference/predictor/model.onnx": "stands for the network",
    }
    for name, content in files.items():
        path = tmp_path / "artifacts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return tmp_path


@pytest.fixture
def change(checkout: Path) -> Callable[..., None]:
    """Set keys of one of the artifacts."""

    def set_keys(name: str, **values: Any) -> None:
        path = checkout / "artifacts" / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    return set_keys
