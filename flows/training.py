"""Flow: train the network, export it, score with the exported graph, and score its boxes."""

from prefect import flow

from flows.stages import reproduce


@flow(name="training")
def training() -> None:
    """Run training and inference."""
    for stage in ("training", "inference"):
        reproduce(stage)
