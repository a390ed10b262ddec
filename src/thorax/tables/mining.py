"""Tables 2 and 18: how well labels are mined from OpenI's reports, the published beside ours.

Ours is `quality.json` of the stage `reports`: precision, recall and F1 against the truth that the
pulled source brings. Or it is measured here on the collection's own files, without a pull: nothing
of the checkout's data or artifacts changes then.
"""

from pathlib import Path
from typing import Any

from thorax import artifacts, config
from thorax.errors import BadInput
from thorax.findings import CHESTX_RAY8, FINDINGS, NORMAL
from thorax.reports import quality as quality_of
from thorax.reports import table as reports_of
from thorax.reports.settings import ReportsConfig
from thorax.sources import openi
from thorax.sources.config import SourcesConfig
from thorax.tables import figures, published
from thorax.tables.table import Cell, Row, Table, missing, scored

_TOTAL = "total"
_OCCURRING = "those that occur"
_COLUMNS2 = (*CHESTX_RAY8, NORMAL, _TOTAL)
_COLUMNS18 = (*FINDINGS, NORMAL, _TOTAL, _OCCURRING)
_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1"}
_MISSING = "artifacts/reports/quality.json is missing; label reports first: dvc repro reports"
_NO_TRUTH = "no report with a known truth"

_POSITIVE = "Ours counts a report as labelled with a finding when its state is positive."
_NOTES = {
    "2": (_POSITIVE,),
    "18": (
        _POSITIVE,
        "The public list of human labels has no Hernia, so what was printed for it rests on none, "
        "and every hernia of ours counts as wrong in the total over fourteen.",
        "NegBio is the paper's later labeler.",
        "The last line sums up only findings that a human label names; nobody published it.",
    ),
}


def build() -> list[Table]:
    """Tables 2 and 18 of what the stage `reports` measured."""
    root = artifacts.root()
    quality, source = (
        artifacts.read_json(path) if path.exists() else {}
        for path in (root / "artifacts/reports/quality.json", root / "data/source.json")
    )
    return _tables(quality, source)


def measure(path: Path) -> list[Table]:
    """Tables 2 and 18 of the OpenI collection at `path`, mined here and now by the built-in rules.

    Args:
        path: the collection's folder, or its archive with the CSV of human labels beside it.

    Raises:
        BadInput: there are no reports, or none has human labels.
    """
    settings = config.load("reports", ReportsConfig)
    sources = config.load("sources", SourcesConfig)
    reports, truth = openi.read_texts(sources.openi, path)
    if truth.empty:
        raise BadInput(
            f"{path}: no CSV of human labels for these reports ({sources.openi.gold} with a column "
            f"{sources.openi.gold_column!r}, one per finding and 'normal'; params.yaml: "
            "sources.openi)"
        )
    labels = reports_of.label_all(reports, settings)
    known = truth.rename(columns={"image": "report"})
    quality = quality_of.measure(labels, known, settings, measured_on="human labels")
    return _tables(quality, {"source": "openi"})


def _tables(quality: dict[str, Any], source: dict[str, Any]) -> list[Table]:
    return [
        _table("2", {"MetaMap": "metamap", "paper": "paper"}, _COLUMNS2, quality, source),
        _table("18", {"MetaMap": "metamap", "NegBio": "negbio"}, _COLUMNS18, quality, source),
    ]


def _table(
    printed: str,
    labelers: dict[str, str],
    columns: tuple[str, ...],
    quality: dict[str, Any],
    source: dict[str, Any],
) -> Table:
    rows = [
        Row(f"{title}, OpenI", name, "paper", published.mined(f"table{printed}", labeler, score))
        for title, labeler in labelers.items()
        for score, name in _SCORES.items()
    ]
    rows += [
        Row("ours", name, "ours", _ours(quality, score, columns)) for score, name in _SCORES.items()
    ]
    return Table(
        name=f"table-{printed}",
        title=f"Table {printed}: labels mined from reports, against human labels",
        columns=columns,
        rows=tuple(rows),
        computed_on=_computed_on(quality, source),
        comparable=_comparable(quality, source),
        notes=_NOTES[printed],
        draw=lambda path, warning: figures.draw_findings(
            path,
            warning,
            [row for row in rows if row.name == "F1"],
            columns,
            title=f"F1 of labels mined from reports (table {printed})",
            across="F1",
            chance=None,
        ),
        tall=True,
    )


def _ours(quality: dict[str, Any], score: str, columns: tuple[str, ...]) -> dict[str, Cell]:
    if not quality:
        return missing(columns, _MISSING)
    entries = {
        **quality["findings"],
        NORMAL: quality["normal"],
        _TOTAL: quality["micro_eight_and_normal" if columns == _COLUMNS2 else "micro"],
        _OCCURRING: quality["micro_occurring"],
    }
    return {column: _cell(entries[column], score) for column in columns}


def _cell(entry: dict[str, Any], score: str) -> Cell:
    if not entry["positives"]:  # whoever coded the reports may not have looked for it
        return Cell(count=0, reason=entry["reason"])
    reason = (entry["reason"] or "undefined") if entry[score] is None else ""
    return scored(entry, score, count=entry["positives"], reason=reason, value=score)


def _computed_on(quality: dict[str, Any], source: dict[str, Any]) -> str:
    if not quality:
        return f"Nothing was computed: {_MISSING}."
    if not quality["reports"]:
        return f"Nothing was computed: {_NO_TRUTH}."
    return (
        f"{quality['reports']:,} reports of source {source.get('source', 'unknown')}, against "
        f"{quality['measured_on']}."
    )


def _comparable(quality: dict[str, Any], source: dict[str, Any]) -> str:
    """Whether ours may stand beside the published figures."""
    if not quality or not quality["reports"]:
        return "May not be compared with the published figures: there is nothing of ours."
    if source.get("source") != "openi":
        return (
            "May not be compared with the published figures: these are of OpenI's reports, ours "
            "are not (thorax pull --source openi)."
        )
    return (
        "May be compared roughly at best: the published figures are of two other selections of "
        "OpenI's reports, and the rules were written while reading most of those that ours are of."
    )
