"""The reports of a dataset, `data/reports.csv`: read strictly, and labelled by the miner's stream.

Our own table is refused as a whole where it is broken, unlike reports from outside (`incoming`),
since a pull wrote it.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL
from thorax.progress import say
from thorax.reports import mine
from thorax.reports.incoming import Report
from thorax.reports.lexicon import Lexicon
from thorax.reports.mine import Mined
from thorax.reports.settings import ReportsConfig
from thorax.schemas.estimate import Estimate

COLUMNS = ("report", "patient", "images", "text")


def read_reports(path: Path) -> pd.DataFrame:
    """Read `reports.csv` as text; an empty cell is "".

    Raises:
        BadInput: the file or a column is missing, a row has no id, or two rows carry one.
    """
    reports = artifacts.read_csv(path, COLUMNS)
    nameless = reports.index[reports["report"].str.strip() == ""]
    if len(nameless):
        rows = ", ".join(str(row + 2) for row in nameless[:6])  # the header is row 1
        raise BadInput(f"{path}: {len(nameless)} reports have no id (rows {rows}); give them one")
    again = reports["report"].duplicated(keep=False)
    if again.any():
        ids = reports.loc[again, "report"]
        rows = ", ".join(str(row + 2) for row in ids.index[:6])
        raise BadInput(
            f"{path}: {ids.nunique()} report ids stand in more than one row, first {ids.iloc[0]!r} "
            f"(rows {rows}); give every report its own id"
        )
    return reports


def mine_all(
    reports: pd.DataFrame,
    output: Path,
    settings: ReportsConfig,
    knowledge: Lexicon | None = None,
) -> Mined:
    """Label every report into `output` (Parquet): one row per report x (14 findings and `normal`).

    Args:
        reports: `report, patient, text`, as of `read_reports`; may be empty.
        output: the labels, reports and findings in their order.
        settings: of the labeler.
        knowledge: phrases and rules; by default those of this package.
    """
    return mine.mine(_stream(reports), output, settings, knowledge=knowledge, allow_none=True)


def label_all(
    reports: pd.DataFrame, settings: ReportsConfig, knowledge: Lexicon | None = None
) -> pd.DataFrame:
    """The labels of `mine_all` as a frame in memory."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "labels.parquet"
        mine_all(reports, output, settings, knowledge)
        return artifacts.read_table(output)


def say_counts(mined: Mined) -> None:
    """Print, per finding, in how many reports it is positive, uncertain and negative."""
    say(f"{mined.reports:,} reports labelled")
    if mined.silent:
        say(f"  {mined.silent:,} of them normal for want of any word (params.yaml: reports.silent)")
    for finding in (*FINDINGS, NORMAL):
        states = (
            f"{mined.states[finding, state]:>6,} {state}"
            for state in ("positive", "uncertain", "negative")
        )
        say(f"  {finding:<20}{'  '.join(states)}")


def say_quality(measured: dict[str, Any]) -> None:
    """Print precision, recall and F1 over all findings, both ways to count, or why not."""
    micro = measured["micro"]
    if micro["reason"]:
        say(f"precision and recall not measured: {measured['measured_on']}")
        return
    say(f"against {measured['measured_on']}, a hedged mention counted as absent:")
    say(f"  {_figures(micro)}")
    say(f"with the {micro['uncertain']:,} hedged mentions left out (dataset.uncertain: ignore):")
    say(f"  {_figures(measured['micro_without_uncertain'])}")


def _figures(entry: dict[str, Any]) -> str:
    return ", ".join(
        f"{title} {Estimate.read(entry, name, value=name).text()}"
        for name, title in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
    )


def _stream(reports: pd.DataFrame) -> Iterator[Report]:
    for row, told in enumerate(reports.itertuples(index=False), 2):
        yield Report(str(told.report), str(told.patient), str(told.text), f"row {row:,}")
