"""What Prefect's page of a retraining shows: its name, tables of few digits, links to pages.

Everything hangs on the parent run, where a person looks first; the parts are flows below it.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
from prefect import runtime
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.client.orchestration import get_client

from flows import pages
from thorax import artifacts, validity
from thorax.findings import FINDINGS, display

JUDGED = ("validation",)
MEASURED = (*JUDGED, "validation_predictions", "evaluation", "localization")
RELEASED = (*MEASURED, "release")
_NAME_LENGTH = 120


def rename(name: str) -> None:
    """Give the run that goes on a name that says how it ended."""
    with suppress(httpx.HTTPError), get_client(sync_client=True) as client:
        client.set_flow_run_name(UUID(_run()), name[:_NAME_LENGTH])


def show_dataset(version: str) -> None:
    """The version of the data, and where it comes from."""
    source = artifacts.read_json(artifacts.root() / "data/source.json")
    images = sum(archive["images"] for archive in source["archives"].values())
    row = {"version": version[:12], "source": source["source"], "images": f"{images:,}"}
    create_table_artifact(key="dataset", table=[row], description="Dataset")


def show_label_quality() -> None:
    """The verdict on the data: what failed, the waivers, and the page with the images."""
    pages.keep(_run(), JUDGED)
    verdict = artifacts.read_json(artifacts.root() / "artifacts/validation/verdict.json")
    page = pages.url(_run(), "validation/summary.html")
    create_markdown_artifact(
        key="label-quality",
        markdown=label_quality(verdict, page),
        description=f"Label quality: {verdict['verdict']}",
    )
    _link("label-quality-page", page, "what is wrong with this version of the data")


def show_gate() -> None:
    """The scores, the gate's rules, and the figures."""
    pages.keep(_run(), MEASURED)
    folder = artifacts.root() / "artifacts"
    decision = artifacts.read_json(folder / "gate/decision.json")
    metrics = artifacts.read_json(folder / "evaluation/metrics.json")
    create_table_artifact(key="scores", table=scores(metrics), description=_scored_on(metrics))
    create_table_artifact(
        key="gate", table=rules(decision), description=f"Gate: {decision['verdict']}"
    )
    _link("figures", pages.url(_run()), "reports and figures of this run")


def show_release(tag: str) -> None:
    """The model card, whole."""
    pages.keep(_run(), RELEASED)
    card = (artifacts.root() / "artifacts/release/card.md").read_text(encoding="utf-8")
    create_markdown_artifact(key="model-card", markdown=card, description=f"Released {tag}")
    _link("model-card-page", pages.url(_run(), "release/card.html"), f"model card of {tag}")


def label_quality(verdict: dict[str, Any], page: str) -> str:
    """The verdict as Markdown: how many checks failed, a table of them, waivers, the page."""
    counts = validity.count(verdict["checks"])
    failed = [check for check in verdict["checks"] if not check["success"]]
    until = f" until {verdict['valid_until']}" if verdict["valid_until"] else ""
    rows = [
        _row(
            "waived" if check["waiver"] else check["severity"],
            check["table"],
            check["name"],
            _short(check["observed"]),
            check["reason"],
        )
        for check in sorted(failed, key=lambda check: check["severity"] != "critical")
    ]
    heads = [_row("severity", "table", "check", "found", "why it matters"), _row(*["---"] * 5)]
    waivers = [
        f"- {waiver['person']} accepts {waiver['expectation']} until {waiver['expires']}: "
        f"{waiver['reason']}"
        for waiver in validity.waivers(verdict)
    ]
    return "\n".join(
        [
            f"# Label quality: {verdict['verdict']}{until}",
            f"{counts.failed} of {counts.evaluated} checks failed{counts.apart}.",
            "",
            *([*heads, *rows] if rows else []),
            *(["", "## Waivers", *waivers] if waivers else []),
            "",
            f"[The page with the images]({page}), while `thorax schedule up` runs.",
        ]
    )


def scores(metrics: dict[str, Any]) -> list[dict[str, str]]:
    """AUC and its interval per finding, the mean last."""
    rows = [
        {"finding": display(finding), **_auc(metrics["findings"][finding])}
        for finding in FINDINGS
        if finding in metrics["findings"]
    ]
    mean = {"finding": f"mean of {metrics['mean']['findings']}", **_auc(metrics["mean"])}
    return [*rows, {**mean, "positives": ""}]


def rules(decision: dict[str, Any]) -> list[dict[str, str]]:
    """Each rule with what it compared, in few digits."""
    return [
        {
            "rule": str(rule["rule"]),
            "finding": display(rule["finding"]) if rule["finding"] else "",
            "compared": _compared(rule),
            "bound": _short(rule["bound"]),
            "verdict": str(rule["verdict"]),
            "reason": str(rule["reason"]),
        }
        for rule in decision["rules"]
    ]


def _compared(rule: dict[str, Any]) -> str:
    number, end = _short(rule["compared"]), rule["comparison"]
    return f"{number} ({end})" if number and end != "value" else number


def _scored_on(metrics: dict[str, Any]) -> str:
    images, patients = metrics["images"], metrics["patients"]
    return f"AUC on the {metrics['split']} split: {images:,} images of {patients:,} patients"


def _auc(row: dict[str, Any]) -> dict[str, str]:
    low, high = row.get("auc_low"), row.get("auc_high")
    known = low is not None and high is not None
    return {
        "AUC": _short(row["auc_score"]),
        "interval": f"{low:.3f} to {high:.3f}" if known else "not estimable",
        "positives": _short(row.get("positives")),
    }


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _link(key: str, url: str, text: str) -> None:
    create_link_artifact(key=key, link=url, link_text=text, description=text)


def _run() -> str:
    return str(runtime.flow_run.id)
