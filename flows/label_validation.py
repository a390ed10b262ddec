"""Flow: mine labels, build the dataset, and ask Great Expectations whether to train on it."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.stages import reproduce
from thorax import artifacts


@flow(name="label-validation")
def label_validation() -> bool:
    """Run reports, dataset and validation; True when the verdict is to accept."""
    for stage in ("reports", "dataset", "validation"):
        reproduce(stage)
    verdict = artifacts.read_json(artifacts.root() / "artifacts/validation/verdict.json")
    failed = [check for check in verdict["checks"] if not check["success"]]
    lines = [
        f"- {check['severity']}: {check['table']}: does not hold: {check['name']} "
        f"(found {check['observed']}). {check['reason']}"
        for check in failed
    ]
    create_markdown_artifact(
        key="label-quality",
        markdown="\n".join(
            [
                f"# Label quality: {verdict['verdict']}",
                *(lines or ["Every expectation holds."]),
                "",
                f"Data Docs: {artifacts.root() / 'artifacts/validation/docs'}",
            ]
        ),
    )
    return bool(verdict["verdict"] == "accept")
