"""The summary page: what a person should see before a GPU hour is spent.

One HTML file without scripts and without anything from elsewhere: the verdict in words, what failed
with rows and pictures, waivers, counts, trends, and links to Great Expectations' pages of each
suite. Every one of those pages gets the verdict and the waivers at its top. The words stand in
`summary.html.j2`. Pictures and patients' ids are inside: the page says so.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from thorax import artifacts
from validation import tallies, verdict
from validation.checks import Row
from validation.settings import PageConfig
from validation.thumbnails import Thumbnails
from validation.verdict import Verdict

NAME = "summary.html"


@dataclass(frozen=True)
class Version:
    """The data version that the page is about.

    Attributes:
        source: name of the source; empty when not known.
        manifest: the dataset's manifest.
        pixels: the folder of the pixel shards.
    """

    source: str
    manifest: pd.DataFrame
    pixels: Path


def read_version(root: Path) -> Version:
    """The data version of the checkout at `root`."""
    return Version(
        source=str(artifacts.read_json(root / "data/source.json").get("source", "")),
        manifest=artifacts.read_table(root / "artifacts/dataset/manifest.parquet"),
        pixels=artifacts.shared_home() / "pixels",
    )


def write(docs: Path, judged: Verdict, version: Version, config: PageConfig) -> None:
    """Write the summary page into the folder of Data Docs, and lead to it from every other page.

    Args:
        docs: the folder that `runner.run` filled.
        judged: the verdict.
        version: the data that was judged.
        config: sizes.
    """
    environment = _environment()
    pictures = Thumbnails(version.manifest, version.pixels, size_px=config.thumbnail_px)
    page = environment.get_template("summary.html.j2").render(
        verdict=judged,
        headline=headline(judged),
        failures=[_failure(check, pictures, config) for check in verdict.failures(judged)],
        held=_by_table(check for check in judged["checks"] if check["success"]),
        tallies=tallies.count(version.manifest),
        source=version.source,
        images=len(version.manifest),
        suites=suite_pages(docs),
    )
    banner = environment.get_template("banner.html.j2")
    for path in sorted(docs.rglob("*.html")):
        up = "../" * (len(path.relative_to(docs).parts) - 1)
        text = banner.render(verdict=judged, headline=headline(judged), up=up)
        html = path.read_text(encoding="utf-8")
        artifacts.write_text(path, _after_body(html, text))
    artifacts.write_text(docs / NAME, page)


def headline(judged: Verdict) -> str:
    """The verdict in three or four words."""
    if judged["verdict"] == "refuse":
        return "The data is refused"
    if judged["valid_until"]:
        return f"The data is accepted until {judged['valid_until']}"
    return "The data is accepted"


def suite_pages(docs: Path) -> dict[str, str]:
    """Suite -> the address of its page of results, relative to `docs`."""
    pages = sorted((docs / "validations").glob("*/*/*/*.html"))
    return {page.relative_to(docs).parts[1]: page.relative_to(docs).as_posix() for page in pages}


def _failure(check: dict[str, Any], pictures: Thumbnails, config: PageConfig) -> dict[str, Any]:
    rows = check["rows"]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return {
        **check,
        "kind": verdict.kind(check),
        "columns": columns,
        "cells": [[cell(row.get(column)) for column in columns] for row in rows],
        "pictures": pictures.of_rows(rows, most=config.pictures),
    }


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


def _by_table(checks: Iterable[Row]) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {}
    for check in checks:
        tables.setdefault(check["table"], []).append(check)
    return tables


def _after_body(html: str, text: str) -> str:
    start = html.find("<body")
    end = html.find(">", start) + 1
    return html[:end] + text + html[end:] if start >= 0 else text + html


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
