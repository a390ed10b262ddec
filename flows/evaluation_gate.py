"""Flow: measure the candidate, and let the gate decide."""

from prefect import flow

from flows.stages import reproduce
from thorax import artifacts


@flow(name="evaluation-gate", flow_run_name="evaluation-gate")
def evaluation_gate() -> bool:
    """Run what judges the candidate, then the gate; True when the gate passes the candidate."""
    for stage in ("validation_predictions", "localization", "evaluation", "gate"):
        reproduce(stage)
    decision = artifacts.read_json(artifacts.root() / "artifacts/gate/decision.json")
    return bool(decision["verdict"] == "pass")
