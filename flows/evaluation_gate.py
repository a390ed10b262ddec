"""Flow: measure the candidate, and let the gate decide."""

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.stages import reproduce
from thorax import artifacts


@flow(name="evaluation-gate")
def evaluation_gate() -> bool:
    """Run what judges the candidate, then the gate; True when the gate passes the candidate."""
    for stage in ("validation_predictions", "localization", "evaluation", "gate"):
        reproduce(stage)
    decision = artifacts.read_json(artifacts.root() / "artifacts/gate/decision.json")
    create_table_artifact(
        key="gate",
        table=[
            {
                key: rule.get(key)
                for key in (
                    "rule",
                    "finding",
                    "compared",
                    "comparison",
                    "bound",
                    "verdict",
                    "reason",
                )
            }
            for rule in decision["rules"]
        ],
        description=f"Gate: {decision['verdict']}",
    )
    return bool(decision["verdict"] == "pass")
