"""What the stage reads, and the tables that it judges: one suite per file, and derived tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from thorax import artifacts
from validation import (
    adjudicated,
    agreement,
    boxes,
    counts,
    drift,
    entries,
    history,
    images,
    labels,
    manifest,
    reports,
    statistics,
)
from validation.checks import Table
from validation.settings import ValidationConfig


@dataclass(frozen=True)
class Inputs:
    """The files of one data version, and the versions before it.

    Attributes:
        source: the source's name.
        digest: of `data/source.json`: identifies the data.
        entries, boxes, reports, adjudicated, truth: the CSV files of `data/`, as text.
        labels: the mined labels.
        manifest: the manifest.
        copies: pairs of images that look alike, from the dataset stage.
        versions: the content of `validation/history.json`.
    """

    source: str
    digest: str
    entries: pd.DataFrame
    boxes: pd.DataFrame
    reports: pd.DataFrame
    adjudicated: pd.DataFrame
    truth: pd.DataFrame
    labels: pd.DataFrame
    manifest: pd.DataFrame
    copies: pd.DataFrame
    versions: tuple[dict[str, Any], ...] = ()


def read(root: Path) -> Inputs:
    """Every file of the checkout at `root` that is judged."""
    data, made = root / "data", root / "artifacts"
    identity = artifacts.read_json(data / "source.json")
    return Inputs(
        source=str(identity.get("source", "")),
        digest=artifacts.sha256_json(identity),
        entries=artifacts.read_csv(data / "entries.csv"),
        boxes=artifacts.read_csv(data / "boxes.csv"),
        reports=artifacts.read_csv(data / "reports.csv"),
        adjudicated=artifacts.read_csv(data / "adjudicated.csv"),
        truth=artifacts.read_csv(data / "truth.csv", adjudicated.COLUMNS),
        labels=artifacts.read_table(made / "reports" / "labels.parquet"),
        manifest=artifacts.read_table(made / "dataset" / "manifest.parquet"),
        copies=artifacts.read_table(made / "dataset" / "copies.parquet"),
        versions=tuple(history.read(root / history.FILE)),
    )


def are_whole(inputs: Inputs) -> bool:
    """Whether every table has its columns; one without is refused by its own first check."""
    suites = (
        (entries.COLUMNS, inputs.entries),
        (boxes.COLUMNS, inputs.boxes),
        (reports.COLUMNS, inputs.reports),
        (adjudicated.COLUMNS, inputs.adjudicated),
        (labels.COLUMNS, inputs.labels),
        (manifest.COLUMNS, inputs.manifest),
    )
    return all(set(columns) <= set(frame.columns) for columns, frame in suites)


def suites(inputs: Inputs, config: ValidationConfig) -> list[Table]:
    """The tables whose rows are judged, each with its suite."""
    given = entries.judged(inputs.entries)
    known = set(given["image"]) if "image" in given else set()
    told = set(inputs.reports["report"]) if "report" in inputs.reports else set()
    return [
        entries.table(given, config, source=inputs.source),
        boxes.table(boxes.judged(inputs.boxes, inputs.manifest)),
        reports.table(reports.judged(inputs.reports, known)),
        labels.table(inputs.labels),
        adjudicated.table(adjudicated.judged(inputs.adjudicated, known | told)),
        manifest.table(inputs.manifest, config),
        *images.tables(inputs.manifest, inputs.copies, config.images),
    ]


def derived(inputs: Inputs, now: dict[str, Any], config: ValidationConfig) -> list[Table]:
    """The small tables that stand for rules over whole tables.

    Args:
        inputs: whole tables, see `are_whole`.
        now: what `count` returned.
        config: bounds.
    """
    before, lack = history.previous(
        list(inputs.versions), source=inputs.source, digest=inputs.digest
    )
    compared = agreement.Sources(
        entries=inputs.entries,
        reports=inputs.reports,
        mined=inputs.labels,
        manifest=inputs.manifest,
        adjudicated=inputs.adjudicated,
        truth=inputs.truth,
    )
    return [
        *statistics.tables(inputs.entries, inputs.reports, inputs.labels, inputs.manifest, config),
        agreement.table(compared, config.agreement),
        *drift.tables(now, before, config.drift, lack=lack),
    ]


def count(inputs: Inputs) -> dict[str, Any]:
    """The content of `statistics.json`."""
    return counts.count(inputs.manifest, inputs.labels, source=inputs.source, digest=inputs.digest)
