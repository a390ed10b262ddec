"""The summary page: what a person should see before a GPU hour is spent.

One HTML file without scripts and without anything from elsewhere: the verdict in words, what failed
with rows and pictures, waivers, counts, trends, and links to Great Expectations' pages of each
suite. Every one of those pages gets the verdict and the waivers at its top. The words stand in
`summary.html.j2`. Pictures and patients' ids are inside: the page says so.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from thorax import artifacts, origin, validity
from thorax.origin import Origin
from validation import suites, tallies, trends, verdict
from validation.docs import environment
from validation.settings import PageConfig
from validation.thumbnails import Thumbnails
from validation.verdict import Verdict

NAME = "summary.html"
_NAMES = ("row", "image", "report", "patient", "split", "splits", "finding", "images")


@dataclass(frozen=True)
class Version:
    """The data version that the page is about.

    Attributes:
        source: name of the source; empty when not known.
        manifest: the dataset's manifest.
        pixels: the folder of the pixel shards.
        earlier: the statistics of earlier versions, oldest first.
        origin: what stands on the page of where the data come from.
    """

    source: str
    manifest: pd.DataFrame
    pixels: Path
    earlier: tuple[dict[str, Any], ...] = ()
    origin: Origin = field(default_factory=Origin)


def read_version(root: Path) -> Version:
    """The data version of the checkout at `root`."""
    history = root / "validation/history.json"
    return Version(
        source=str(artifacts.read_json(root / "data/source.json").get("source", "")),
        manifest=artifacts.read_table(root / "artifacts/dataset/manifest.parquet"),
        pixels=artifacts.shared_home() / "pixels",
        earlier=tuple(artifacts.read_json(history)["versions"]) if history.is_file() else (),
        origin=origin.read(root),
    )


def write(docs: Path, judged: Verdict, version: Version, config: PageConfig) -> None:
    """Write the summary page into the folder of Data Docs, and lead to it from every other page.

    Args:
        docs: the folder that `runner.run` filled; `statistics.json` lies beside it.
        judged: the verdict.
        version: the data that was judged.
        config: sizes.
    """
    beside = docs.parent / "statistics.json"
    now = artifacts.read_json(beside) if beside.is_file() else None
    pictures = Thumbnails(version.manifest, version.pixels, size_px=config.thumbnail_px)
    template = environment().get_template("summary.html.j2")
    page = template.render(
        verdict=judged,
        counts=validity.count(judged["checks"]),
        headline=suites.headline(judged),
        failures=[_failure(check, pictures, config) for check in verdict.failures(judged)],
        held=suites.by_tables(
            check for check in judged["checks"] if check["success"] and check["applicable"]
        ),
        not_evaluated=suites.by_tables(
            check for check in judged["checks"] if not check["applicable"]
        ),
        tallies=tallies.count(version.manifest),
        trends=trends.draw(now, version.earlier, most=config.versions),
        chart=(trends.WIDTH_PX, trends.HEIGHT_PX),
        source=version.source,
        origin=version.origin,
        images=len(version.manifest),
        suites=suites.suite_pages(docs),
    )
    suites.frame(docs, judged)
    artifacts.write_text(docs / NAME, page)


def _failure(check: dict[str, Any], pictures: Thumbnails, config: PageConfig) -> dict[str, Any]:
    rows = check["rows"]
    filled = dict.fromkeys(key for row in rows for key in row if row[key] != "")
    columns = sorted(filled or (rows[0] if rows else ()), key=_place)
    return {
        **check,
        "kind": verdict.kind(check),
        "columns": columns,
        "cells": [[cell(row.get(column)) for column in columns] for row in rows],
        "pictures": pictures.of_rows(rows, most=config.pictures),
    }


def _place(column: str) -> int:
    """What names the row stands first; the rest keeps its order."""
    return _NAMES.index(column) if column in _NAMES else len(_NAMES)


def cell(value: Any) -> str:
    """A value of a row as a person reads it."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "(none)"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return str(value) or "(empty)"
