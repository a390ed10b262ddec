"""The suite of `data/reports.csv`: one report per row; `row` counts lines, the header being 1."""

from collections.abc import Set

import numpy as np
import pandas as pd

from validation import cells
from validation.checks import Check, Table, has_columns, says_nothing

COLUMNS = ("report", "patient", "images", "text")


def judged(reports: pd.DataFrame, images: Set[object]) -> pd.DataFrame:
    """`reports` with `row`, `empty`, `ownerless` and `strangers` ("" where all is well).

    Args:
        reports: the file as text.
        images: the names in the entries; `strangers` are images of a report that are not there.
    """
    frame = reports.assign(row=np.arange(2, len(reports) + 2))
    if not set(COLUMNS) <= set(reports.columns):
        return frame
    for column, helper in (("text", "empty"), ("patient", "ownerless")):
        blank = reports[column].str.strip() == ""
        frame[helper] = cells.where(blank, pd.Series(f"no {column}", index=frame.index))
    links = reports["images"].str.split("|").explode()
    strange = links[~cells.among(links, images) & (links.fillna("") != "").to_numpy(bool)]
    bad = pd.Series(frame.index.isin(strange.index), index=frame.index)
    frame["strangers"] = cells.where(bad, reports["images"])
    return frame


def table(frame: pd.DataFrame) -> Table:
    """The suite over what `judged` returned."""
    if "text" in frame:
        frame = frame.assign(text="")  # texts are judged by their labels, and need no second copy
    checks = (
        has_columns(COLUMNS),
        Check(
            "every report stands once",
            "ExpectColumnValuesToBeUnique",
            {"column": "report"},
            "critical",
            "two reports under one name are mined as one, and say two things",
        ),
        says_nothing(
            "every report names its patient",
            "ownerless",
            "critical",
            "without the patient nobody can see that a report is another patient's",
        ),
        says_nothing(
            "every report has a text",
            "empty",
            "warning",
            "an empty report labels nothing; its images stay unknown",
        ),
        says_nothing(
            "every image of a report is one of the entries",
            "strangers",
            "warning",
            "the labels of that report reach no image",
        ),
    )
    return Table("reports", frame, ("row", "report"), checks)
