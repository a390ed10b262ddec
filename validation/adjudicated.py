"""The suite of `data/adjudicated.csv`: better labels, one image (or report) x finding per row.

A finding may join several with `|` where the judges did not tell them apart.
"""

from collections.abc import Set

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS, NORMAL
from validation import cells
from validation.checks import Check, Table, has_columns, says_nothing

COLUMNS = ("image", "finding", "label")


def judged(answers: pd.DataFrame, known: Set[object]) -> pd.DataFrame:
    """`answers` (text) with `row`, `strange` (the finding, if of no vocabulary), `stranger`.

    Args:
        answers: the file.
        known: names of images and reports; `stranger` is a name that is not among them.
    """
    frame = answers.assign(row=np.arange(2, len(answers) + 2))
    if not set(COLUMNS) <= set(answers.columns):
        return frame
    frame["strange"] = cells.by_value(_strange, answers["finding"])
    frame["stranger"] = cells.where(~cells.among(answers["image"], known), answers["image"])
    return frame


def table(frame: pd.DataFrame) -> Table:
    """The suite over what `judged` returned."""
    checks = (
        has_columns(COLUMNS),
        Check(
            "every answer is 0 or 1",
            "ExpectColumnValuesToBeInSet",
            {"column": "label", "value_set": ["0", "1"]},
            "critical",
            "an answer of another kind would count as absent, or stop the evaluation",
        ),
        says_nothing(
            "every finding is of the vocabulary",
            "strange",
            "critical",
            "an answer about another finding is compared with nothing",
        ),
        says_nothing(
            "every answer is about an image or report that is there",
            "stranger",
            "critical",
            "answers about images that are not there were written for other data",
        ),
        Check(
            "an image has one answer for a finding",
            "ExpectCompoundColumnsToBeUnique",
            {"column_list": ["image", "finding"]},
            "critical",
            "two answers have no one truth, and count twice",
        ),
    )
    return Table("adjudicated", frame, ("row", "image", "finding"), checks)


def _strange(finding: str) -> str:
    words = finding.split("|")
    good = finding == NORMAL or all(word in FINDINGS for word in words)
    return "" if good else finding or "no finding"
