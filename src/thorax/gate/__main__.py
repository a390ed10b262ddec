"""The gate stage: what the earlier stages found against the rules -> artifacts/gate/decision.json.

A no is an answer: it is written, said, and exits 0.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from thorax import artifacts, config, keys, stage
from thorax.errors import BadInput
from thorax.gate import decision
from thorax.gate.decide import Outcome, judge
from thorax.gate.evidence import Evidence
from thorax.gate.settings import GateConfig
from thorax.validity import ended, require_whole, waivers

_VALIDATION: Final = "artifacts/validation/verdict.json"
_PREDICTIONS: Final = "artifacts/validation_predictions/verdict.json"
_EVALUATION: Final = "artifacts/evaluation/metrics.json"
_LOCALIZATION: Final = "artifacts/localization/metrics.json"
_PREDICTOR: Final = (
    "artifacts/inference/predictor/model.onnx",
    "artifacts/inference/predictor/predictor.json",
)


def main(clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Read the evidence, judge the rules, write the decision, and say it."""
    settings = config.load("gate", GateConfig)
    root = artifacts.root()
    evidence = read_evidence(root, now=clock())
    outcomes = judge(settings.rules, evidence)
    answer = decision.document(
        outcomes,
        digests(root),
        valid_until=evidence.validation.get("valid_until"),
        waivers=waivers(evidence.validation),
        key_path=keys.private_key_path(),
    )
    with artifacts.atomic_folder(stage.output_folder("gate")) as folder:
        artifacts.write_json(folder / "decision.json", answer)
    print("\n".join(report(answer["verdict"], outcomes)))


def read_evidence(root: Path, *, now: datetime) -> Evidence:
    """The files that the gate reads, and whether the validation's verdict has ended.

    Raises:
        BadInput: a file is missing or no verdict, or the evaluation is not of the test split.
    """
    validation = require_whole(artifacts.read_json(root / _VALIDATION), _VALIDATION)
    predictions = require_whole(artifacts.read_json(root / _PREDICTIONS), _PREDICTIONS)
    evaluation = artifacts.read_json(root / _EVALUATION)
    if evaluation["split"] != "test":
        raise BadInput(
            f"{_EVALUATION} is of the {evaluation['split']} split and a gate needs the test split: "
            "set params.yaml: evaluation.split to test and evaluate again"
        )
    return Evidence(
        validation=validation,
        validation_ended=ended(validation.get("valid_until"), now=now, where=_VALIDATION),
        predictions=predictions,
        evaluation=evaluation,
        localization=artifacts.read_json(root / _LOCALIZATION),
    )


def digests(root: Path) -> dict[str, str]:
    """The sha256 of every file behind the decision, the judged predictor among them."""
    names = (_VALIDATION, _PREDICTIONS, _EVALUATION, _LOCALIZATION, *_PREDICTOR)
    for name in names:
        if not (root / name).is_file():
            raise BadInput(f"{name} is missing: run the stage that writes it (dvc repro)")
    return {name: artifacts.sha256_file(root / name) for name in names}


def report(verdict: str, outcomes: list[Outcome]) -> list[str]:
    """The verdict, then one plain line per rule and finding."""
    lines = [f"gate: {verdict}"]
    for outcome in outcomes:
        note = " (ignored)" if outcome.is_ignored else ""
        lines.append(f"  {outcome.verdict:<23}{outcome.reason}{note}")
    return lines


if __name__ == "__main__":
    stage.run("gate", main)
