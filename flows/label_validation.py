"""Flow: mine labels, build the dataset, and ask Great Expectations whether to train on it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_link_artifact, create_markdown_artifact

from flows import look
from flows.label_stages import STAGES
from flows.stages import reproduce
from thorax import artifacts, validity


@flow(name="label-validation")
def label_validation() -> bool:
    """Run reports, dataset and validation; True when the verdict is to accept, and still holds."""
    for stage in STAGES:
        reproduce(stage)
    folder = artifacts.root() / "artifacts/validation"
    verdict = artifacts.read_json(folder / "verdict.json")
    page = folder / "docs/summary.html"
    create_link_artifact(
        key="label-quality-page",
        link=page.as_uri(),
        link_text="what is wrong with this version of the data",
        description=f"Label quality: {verdict['verdict']}",
    )
    create_markdown_artifact(key="label-quality", markdown=markdown(verdict, page))
    if reason := look.ended_waiver(artifacts.root()):
        print(reason, flush=True)
    return look.accepts(verdict, now=datetime.now(UTC))


def markdown(verdict: dict[str, Any], page: Path) -> str:
    """The verdict for Prefect's page of the run: counts, what failed, waivers, where to look."""
    failed = [check for check in verdict["checks"] if not check["success"]]
    until = f" until {verdict['valid_until']}" if verdict["valid_until"] else ""
    lines = [
        f"- {'waived' if check['waiver'] else check['severity']}: {check['table']}: "
        f"does not hold: {check['name']} (found {check['observed']}). {check['reason']}"
        for check in sorted(failed, key=lambda check: check["severity"] != "critical")
    ]
    waivers = [
        f"- {waiver['person']} accepts {waiver['expectation']} until {waiver['expires']}: "
        f"{waiver['reason']}"
        for waiver in validity.waivers(verdict)
    ]
    return "\n".join(
        [
            f"# Label quality: {verdict['verdict']}{until}",
            f"{len(failed)} of {len(verdict['checks'])} checks do not hold.",
            "",
            *(lines or ["Every expectation holds."]),
            *(["", "## Waivers", *waivers] if waivers else []),
            "",
            f"The page: [{page}]({page.as_uri()})",
        ]
    )
