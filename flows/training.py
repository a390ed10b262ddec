"""Flow: train the network, export it, and score every image with the exported graph."""

from prefect import flow

from flows.stages import reproduce


@flow(name="training", flow_run_name="training")
def training() -> None:
    """Run training and inference."""
    for stage in ("training", "inference"):
        reproduce(stage)
