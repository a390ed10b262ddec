"""The suite of `artifacts/reports/labels.parquet`: what was mined, one report x finding per row."""

import pandas as pd

from thorax.findings import FINDINGS, NORMAL, STATES
from validation.checks import Check, Table, has_columns

COLUMNS = (
    "report", "patient", "finding", "state", "section", "sentence",
    "start", "end", "phrase", "cue", "rule",
)  # fmt: skip


def table(frame: pd.DataFrame) -> Table:
    """The suite over the mined labels."""
    checks = (
        has_columns(COLUMNS),
        Check(
            "every finding is of the vocabulary",
            "ExpectColumnValuesToBeInSet",
            {"column": "finding", "value_set": [*FINDINGS, NORMAL]},
            "critical",
            "a finding under another name would reach no image",
        ),
        Check(
            "every state is one of the four",
            "ExpectColumnValuesToBeInSet",
            {"column": "state", "value_set": list(STATES)},
            "critical",
            "an unknown state would silently count as absent",
        ),
        Check(
            "a report says one thing about a finding",
            "ExpectCompoundColumnsToBeUnique",
            {"column_list": ["report", "finding"]},
            "critical",
            "two states of one finding have no one truth",
        ),
        Check(
            "what is mentioned has its words",
            "ExpectColumnValuesToBeInSet",
            {"column": "unfounded", "value_set": [False]},
            "critical",
            "a label that nobody can look up cannot be reviewed",
        ),
    )
    frame = frame.assign(unfounded=_unfounded(frame))
    return Table("labels", frame, ("report", "finding"), checks)


def _unfounded(frame: pd.DataFrame) -> pd.Series:
    if not {"state", "phrase"} <= set(frame.columns):
        return pd.Series(False, index=frame.index)
    return (frame["state"] != "unmentioned") & (frame["phrase"].fillna("") == "")
