"""Tables 2 and 18: how well labels are mined from OpenI's reports, the published beside ours.

Ours is `quality.json` of the stage `reports`: precision, recall and F1 against the truth that the
pulled source brings. Labels nothing itself.
"""

from typing import Any

from thorax import artifacts
from thorax.findings import CHESTX_RAY8, FINDINGS, NORMAL
from thorax.tables import figures, published
from thorax.tables.table import Cell, Row, Table, missing, scored

_TOTAL = "total"
_COLUMNS2 = (*CHESTX_RAY8, NORMAL, _TOTAL)
_COLUMNS18 = (*FINDINGS, NORMAL, _TOTAL)
_SCORES = {"precision": "precision", "recall": "recall", "f1": "F1"}
_MISSING = "artifacts/reports/quality.json is missing; label reports first: dvc repro reports"
_NO_TOTAL = "the stage sums up the 14 findings (table 18), not these with normal"
_NO_TRUTH = "no report with a known truth"

_POSITIVE = "Ours counts a report as labelled with a finding when its state is positive."
_NOTES = {
    "2": (_POSITIVE,),
    "18": (
        _POSITIVE,
        "The public list of human labels has no Hernia, so what was printed for it rests on none.",
        "NegBio is the paper's later labeler.",
    ),
}


def build() -> list[Table]:
    """Tables 2 and 18."""
    root = artifacts.root()
    quality, source = (
        artifacts.read_json(path) if path.exists() else {}
        for path in (root / "artifacts/reports/quality.json", root / "data/source.json")
    )
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
    entries = {**quality["findings"], NORMAL: quality["normal"], _TOTAL: quality["micro"]}
    cells = {column: _cell(entries[column], score) for column in columns}
    if columns == _COLUMNS2:
        cells[_TOTAL] = Cell(reason=_NO_TOTAL)
    return cells


def _cell(entry: dict[str, Any], score: str) -> Cell:
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
