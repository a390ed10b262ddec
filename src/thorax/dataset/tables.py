"""Reads the tables of `data/` that the dataset joins, and turns their text into numbers.

Lenient where validation judges later (an impossible age, a finding out of the vocabulary, a doubled
row), so that validation can name the rows; strict where nothing could be joined.
"""

from pathlib import Path

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput

ENTRIES = (
    "image", "patient", "follow_up", "age_years", "sex", "view",
    "findings", "uncertain", "unknown", "split",
)  # fmt: skip
REPORTS = ("report", "patient", "images", "text")


def read_entries(path: Path) -> pd.DataFrame:
    """`entries.csv`, one row per image; of rows with one image name the first is kept.

    Raises:
        BadInput: the file or a column is missing, there is no row, or a name or patient is empty.
    """
    entries = artifacts.read_csv(path, ENTRIES)[list(ENTRIES)]
    if entries.empty:
        raise BadInput(f"{path} has no row: pull data that holds images")
    for column in ("image", "patient"):
        empty = entries.index[entries[column] == ""]
        if len(empty):
            rows = ", ".join(str(row + 2) for row in empty[:6])  # the header is row 1
            raise BadInput(f"{path}: {column} is empty in {len(empty):,} rows (first: {rows})")
    entries = entries.drop_duplicates("image", ignore_index=True)
    entries["follow_up"] = _whole(entries["follow_up"])
    entries["age_years"] = pd.to_numeric(entries["age_years"], errors="coerce").astype("float64")
    return entries


def read_report_links(path: Path) -> pd.DataFrame:
    """Which image belongs to which report: one row per pair, columns `image, report`."""
    reports = artifacts.read_csv(path, REPORTS)
    links = pd.DataFrame({"image": reports["images"].str.split("|"), "report": reports["report"]})
    links = links.explode("image", ignore_index=True)
    return links[links["image"].fillna("") != ""].reset_index(drop=True)


def _whole(text: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    usable = (numbers % 1 == 0) & (numbers.abs() < 2**53)  # beyond it whole numbers are not exact
    return numbers.where(usable).astype("Int64")
