"""The parent flow: pull, validate, train, gate, package. Each part is a flow of its own.

Prefect owns when and how often; DVC owns what is stale. A refusal ends the flow early and is not a
failure: the verdict is in its file.
"""

import time
from typing import Literal

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import dvc
from flows.data_pull import data_pull
from flows.evaluation_gate import evaluation_gate
from flows.label_validation import label_validation
from flows.packaging import packaging
from flows.record import record
from flows.training import training
from thorax import artifacts, config
from thorax.config import Config
from thorax.locks import hold

Outcome = Literal["packaged", "data refused", "gate refused"]


class RetrainingConfig(Config):
    """How a retraining ends."""

    push: bool = True
    """Send data and artifacts to the DVC remote. Turn it off where the remote is the same disk."""


@flow(name="retraining")
def retraining(from_path: str | None = None) -> Outcome:
    """Retrain once; returns how it ended.

    Args:
        from_path: a folder that already has the source's files.
    """
    started = time.monotonic()
    outcome: str = "failed"
    try:
        with hold(artifacts.home() / "retraining.lock", "retraining"):
            data_pull(from_path=from_path)
            outcome = ended = _after_pull()
            if config.load("retraining", RetrainingConfig).push:
                push_versions()
            return ended
    finally:
        record("runs", outcome=outcome, seconds=round(time.monotonic() - started, 1))


def _after_pull() -> Outcome:
    if not label_validation():
        return "data refused"
    training()
    if not evaluation_gate():
        return "gate refused"
    packaging()
    return "packaged"


@task(name="push", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=10)
def push_versions() -> None:
    """Send data and artifacts to the DVC remote."""
    print("push to the DVC remote", flush=True)
    dvc.write("push", "--quiet")
