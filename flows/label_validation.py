"""Flow: mine labels, build the dataset, and ask Great Expectations whether to train on it."""

from datetime import UTC, datetime

from prefect import flow

from flows import look
from flows.label_stages import STAGES
from flows.run_log import say
from flows.stages import reproduce
from thorax import artifacts


@flow(name="label-validation", flow_run_name="label-validation")
def label_validation() -> bool:
    """Run reports, dataset and validation; True when the verdict is to accept, and still holds."""
    for stage in STAGES:
        reproduce(stage)
    verdict = artifacts.read_json(artifacts.root() / "artifacts/validation/verdict.json")
    if reason := look.ended_waiver(artifacts.root()):
        say(reason)
    return look.accepts(verdict, now=datetime.now(UTC))
