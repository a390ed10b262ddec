"""Reports as tables: reads `reports.csv`, and lays the labels out one report x finding."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL
from thorax.progress import say, track
from thorax.reports.labeler import Labeler
from thorax.reports.lexicon import Lexicon
from thorax.reports.settings import ReportsConfig

_KEY = ["report", "finding"]
COLUMNS = ("report", "patient", "images", "text")


def read_reports(path: Path) -> pd.DataFrame:
    """Read `reports.csv` as text; an empty cell is "".

    Raises:
        BadInput: the file or a column is missing, or two rows carry one report id.
    """
    reports = artifacts.read_csv(path, COLUMNS)
    again = reports["report"].duplicated(keep=False)
    if again.any():
        ids = reports.loc[again, "report"]
        rows = ", ".join(str(row + 2) for row in ids.index[:6])  # the header is row 1
        raise BadInput(
            f"{path}: {ids.nunique()} report ids stand in more than one row, first {ids.iloc[0]!r} "
            f"(rows {rows}); give every report its own id"
        )
    return reports


def label_all(
    reports: pd.DataFrame, settings: ReportsConfig, knowledge: Lexicon | None = None
) -> pd.DataFrame:
    """Label every report: one row per report x (14 findings and `normal`), in their order.

    Args:
        reports: `report, patient, text`.
        settings: of the labeler.
        knowledge: phrases and rules; by default those of this package.
    """
    labeler = Labeler(settings, knowledge)
    rows = track(_rows(reports, labeler), "labelling reports", len(reports))
    flat = [row for report in rows for row in report]
    return pd.DataFrame.from_records(flat, columns=list(_DTYPES)).astype(_DTYPES)


def flips(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What a change of rules does to the labels: one row per report and finding whose state flips.

    Args:
        before: labels of the same reports by the old rules, as of `label_all`.
        after: labels by the new ones.

    Returns:
        `report, finding, state_before, state_after`, then rule and sentence before and after.
    """
    told = ["state", "rule", "sentence"]
    both = before[[*_KEY, *told]].merge(
        after[[*_KEY, *told]], on=_KEY, suffixes=("_before", "_after"), validate="one_to_one"
    )
    changed = both[both["state_before"] != both["state_after"]]
    sides = [f"{name}_{side}" for name in told for side in ("before", "after")]
    return changed[[*_KEY, *sides]].reset_index(drop=True)


def say_counts(labels: pd.DataFrame) -> None:
    """Print, per finding, in how many reports it is positive, uncertain and negative."""
    counts = labels.groupby(["finding", "state"]).size().unstack(fill_value=0)
    say(f"{labels['report'].nunique():,} reports labelled")
    for finding in (*FINDINGS, NORMAL):
        row: Any = counts.loc[finding] if finding in counts.index else {}
        states = (
            f"{row.get(state, 0):>6,} {state}" for state in ("positive", "uncertain", "negative")
        )
        say(f"  {finding:<20}{'  '.join(states)}")


def say_quality(measured: dict[str, Any]) -> None:
    """Print the micro-averaged precision, recall and F1, or why there are none."""
    micro = measured["micro"]
    if micro["reason"]:
        say(f"precision and recall not measured: {measured['measured_on']}")
        return
    figures = (
        f"{name} {micro[name]:.3f} ({micro[f'{name}_low']:.3f} to {micro[f'{name}_high']:.3f})"
        for name in ("precision", "recall", "f1")
    )
    say(f"against {measured['measured_on']}: {', '.join(figures)}")


_DTYPES = {
    "report": "str",
    "patient": "str",
    "finding": "str",
    "state": "str",
    "section": "str",
    "sentence": "str",
    "start": "Int64",
    "end": "Int64",
    "phrase": "str",
    "cue": "str",
    "rule": "str",
    "severity": "str",
    "laterality": "str",
    "concept": "str",
}


def _rows(reports: pd.DataFrame, labeler: Labeler) -> Iterator[list[tuple[object, ...]]]:
    for report in reports.itertuples(index=False):
        about = (report.report, report.patient)
        yield [(*about, *vars(label).values()) for label in labeler.label(str(report.text))]
