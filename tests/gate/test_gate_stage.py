import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from thorax import artifacts, blessing
from thorax.errors import BadInput, Refused
from thorax.gate.__main__ import main
from thorax.keys import private_key_path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Change = Callable[..., None]


def decide(checkout: Path, *, now: datetime = NOW) -> dict[str, Any]:
    main(clock=lambda: now)
    return json.loads((checkout / "artifacts/gate/decision.json").read_text())


def test_a_pass_is_blessed_with_this_machine_s_key(checkout: Path) -> None:
    document = decide(checkout)
    assert document["verdict"] == "pass"
    key = blessing.load_or_make_key(checkout / ".thorax/keys/blessing.pem")
    decision = blessing.require_pass(document, public_key=blessing.public_half(key), now=NOW)
    assert [rule["verdict"] for rule in decision["rules"]] == ["pass", "pass", "pass"]


def test_the_blessing_binds_the_evidence_and_the_predictor_that_was_judged(checkout: Path) -> None:
    inputs = decide(checkout)["inputs"]
    assert sorted(inputs) == [
        "artifacts/evaluation/metrics.json",
        "artifacts/inference/predictor/model.onnx",
        "artifacts/inference/predictor/predictor.json",
        "artifacts/localization/metrics.json",
        "artifacts/validation/verdict.json",
        "artifacts/validation_predictions/verdict.json",
    ]
    assert all(artifacts.sha256_file(checkout / path) == inputs[path] for path in inputs)


@pytest.mark.parametrize("part", ["verdict", "rules", "inputs", "valid_until"])
def test_a_changed_decision_no_longer_fits_its_blessing(checkout: Path, part: str) -> None:
    document = decide(checkout)
    changed: Any = {"verdict": "pass", "rules": [], "inputs": {}, "valid_until": "2030-01-01"}
    if part == "verdict":
        document["rules"][0]["verdict"] = "fail"
    else:
        document[part] = changed[part]
    with pytest.raises(Refused, match="does not fit"):
        blessing.require_pass(document, public_key=None, now=NOW)


def test_the_same_evidence_and_key_give_the_same_bytes(checkout: Path) -> None:
    decide(checkout)
    path = checkout / "artifacts/gate/decision.json"
    first = path.read_bytes()
    decide(checkout)
    assert path.read_bytes() == first


def test_a_fail_is_written_without_a_blessing_and_makes_no_key(
    checkout: Path, change: Change
) -> None:
    change("validation/verdict.json", verdict="refuse")
    document = decide(checkout)
    assert document["verdict"] == "fail"
    assert document["blessing"] is None
    assert not (checkout / ".thorax/keys").exists()
    with pytest.raises(Refused, match="verdict is 'fail'"):
        blessing.require_pass(document, public_key=None, now=NOW)


def test_a_named_key_signs(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "elsewhere/key.pem"
    monkeypatch.setenv("THORAX_BLESSING_KEY", str(path))
    assert private_key_path() == path
    document = decide(checkout)
    expected = blessing.public_half(blessing.load_or_make_key(path))
    assert document["blessing"]["public_key"] == expected


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), "pass"),
        (datetime(2026, 3, 1, 0, 1, tzinfo=UTC), "fail"),
    ],
)
def test_a_waiver_holds_to_the_end_of_its_day_and_the_pass_no_longer(
    checkout: Path, change: Change, now: datetime, verdict: str
) -> None:
    change("validation/verdict.json", valid_until="2026-02-28")
    document = decide(checkout, now=now)
    assert (document["verdict"], document["valid_until"]) == (verdict, "2026-02-28")
    with pytest.raises(Refused):
        blessing.require_pass(document, public_key=None, now=NOW)


def test_the_waivers_behind_the_data_are_in_the_signed_decision_and_are_said(
    checkout: Path, change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    waiver = {"expectation": "a: b", "reason": "r", "person": "A Reader", "expires": "2026-03-02"}
    used = [{**waiver, "used": True}, {**waiver, "expectation": "c: d", "used": False}]
    change("validation/verdict.json", valid_until="2026-03-02", waivers=used)
    document = decide(checkout)
    assert document["waivers"] == [waiver]
    assert "accepted the data on a waiver of A Reader until 2026-03-02" in capsys.readouterr().out
    document["waivers"] = []
    with pytest.raises(Refused, match="does not fit"):
        blessing.require_pass(document, public_key=None, now=NOW)


def test_the_verdict_and_every_reason_are_printed(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "params.yaml").write_text(
        "gate:\n  rules:\n"
        "    - {metric: validation, verdict: accept}\n"
        "    - {metric: auc, min: 0.78, on_insufficient: ignore}\n"
    )
    decide(checkout)
    assert capsys.readouterr().out.splitlines() == [
        "gate: fail",
        "  pass                   The label checks accepted the data.",
        "  pass                   AUC of Effusion is 0.8, at least 0.78.",
        "  fail                   AUC of Mass is 0.75, below 0.78.",
        "  insufficient evidence  AUC of Hernia: no positive image. (ignored)",
    ]


def test_an_evaluation_of_another_split_is_refused(checkout: Path, change: Change) -> None:
    change("evaluation/metrics.json", split="validation")
    with pytest.raises(BadInput, match="of the validation split"):
        main(clock=lambda: NOW)


@pytest.mark.parametrize(
    "name",
    [
        "validation/verdict.json",
        "validation_predictions/verdict.json",
        "localization/metrics.json",
        "inference/predictor/model.onnx",
    ],
)
def test_a_missing_input_is_named(checkout: Path, name: str) -> None:
    (checkout / "artifacts" / name).unlink()
    with pytest.raises(BadInput, match=rf"{name} is missing"):
        main(clock=lambda: NOW)


@pytest.mark.parametrize(("verdict", "said"), [("accept", "gate: pass"), ("refuse", "gate: fail")])
def test_a_no_exits_0_like_a_yes(checkout: Path, change: Change, verdict: str, said: str) -> None:
    change("validation/verdict.json", verdict=verdict)
    run = _run(checkout)
    assert (run.returncode, run.stdout.splitlines()[0]) == (0, said)


def test_an_unknown_metric_exits_1_with_a_line_and_no_traceback(checkout: Path) -> None:
    (checkout / "params.yaml").write_text("gate:\n  rules:\n    - {metric: luck, min: 1}\n")
    run = _run(checkout)
    assert run.returncode == 1
    assert "unknown metric, expected one of validation, validation_predictions, mean" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (checkout / "artifacts/gate").exists()


def _run(checkout: Path) -> subprocess.CompletedProcess[str]:
    source = str(Path(__file__).parents[2] / "src")
    environment = {**os.environ, "PYTHONPATH": source, "THORAX_ROOT": str(checkout)}
    command = [sys.executable, "-m", "thorax.gate"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
