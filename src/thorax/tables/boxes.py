"""Tables 4, 7 and 19: Acc and AFP over the thresholds, and beside them the pointing game and sizes.

Every method of making boxes that was scored has its own rows. Two counts of AFP are in print: the
paper's (false boxes on all boxed images) and the poster's (only on images with a box of the
finding); both stand here, named.
"""

import math
from typing import Any

from thorax.tables import comparable, figures, published
from thorax.tables.published import EIGHT
from thorax.tables.runs import Run, present
from thorax.tables.table import Cell, Row, Table, missing, scored

POOLED = "all boxes"
COLUMNS = (*EIGHT, POOLED)
_THRESHOLDS = {
    "iou": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    "iobb": (0.1, 0.25, 0.5, 0.75, 0.9),
}
_WORDS = {"iou": "T(IoU)", "iobb": "T(IoBB)"}
_TABLES = (
    ("4", "table4", "iobb", "ChestX-ray8 model"),
    ("7", "table7", "iou", "ChestX-ray8 model"),
    ("19", "table19", "iobb", "ChestX-ray14 model"),
)
_AFP_NOTE = (
    "AFP is false boxes of a finding over all true boxes: in the paper's count on all boxed "
    "images, in the poster's only on images that have a true box of that finding."
)
_NARROW_NOTE = (
    "An interval without width stands where no box, or every one, is hit in every replicate: with "
    "n boxes the truth may still lie up to 3/n away."
)


def build() -> list[Table]:
    """Tables 4, 7 and 19, the pointing game, and results by size."""
    here = present()
    tables = [_table(here, *line) for line in _TABLES]
    return [*tables, _pointing(here), _sizes(here)]


def _table(here: Run, digits: str, name: str, overlap: str, model: str) -> Table:
    rows = [
        row for threshold in _THRESHOLDS[overlap] for row in _rows(here, name, overlap, threshold)
    ]
    counts = _cells(here, _first_method(here), lambda entry: Cell(float(entry["boxes"])))
    counts.pop(published.MEAN, None)
    rows.append(Row("true boxes, ours", "boxes", "ours", counts, "count"))
    return Table(
        name=f"table-{digits}",
        title=f"Table {digits}: Acc and AFP over {_WORDS[overlap]}; the paper's: {model}",
        columns=COLUMNS,
        rows=tuple(rows),
        computed_on=comparable.boxes_computed_on(here),
        comparable=comparable.localization(here),
        notes=(_AFP_NOTE, _NARROW_NOTE),
        draw=lambda path, warning: figures.draw_thresholds(
            path,
            warning,
            rows,
            EIGHT,
            title=f"Boxes that are hit (table {digits})",
            across=_WORDS[overlap],
        ),
    )


def _rows(here: Run, name: str, overlap: str, threshold: float) -> list[Row]:
    """The rows of one T: Acc, then AFP, the paper's before ours."""
    group = f"{_WORDS[overlap]} {threshold:g}"
    rows = [Row(group, "Acc, paper", "paper", published.boxes(name, threshold, "acc"))]
    for method in _methods(here):
        cells = _at(here, method, overlap, threshold, "acc")
        rows.append(Row(group, f"Acc, ours{_named(here, method)}", "ours", cells))
    rows.append(Row(group, "AFP, paper", "paper", published.boxes(name, threshold, "afp")))
    for method in _methods(here):
        cells = _at(here, method, overlap, threshold, "afp_paper")
        rows.append(Row(group, f"AFP, ours{_named(here, method)}", "ours", cells))
    if name != "table19" and (poster := published.poster_afp(overlap, threshold)):
        rows.append(Row(group, "AFP, poster", "paper", poster))
    for method in _methods(here):
        cells = _at(here, method, overlap, threshold, "afp_poster")
        rows.append(Row(group, f"AFP as poster, ours{_named(here, method)}", "ours", cells))
    return rows


def _methods(here: Run) -> list[str]:
    return list(here.localization.get("methods", {})) or ["paper"]


def _first_method(here: Run) -> str:
    return _methods(here)[0]


def _named(here: Run, method: str) -> str:
    if len(_methods(here)) == 1:
        return ""
    return f", {_maker(method)}"


def _maker(method: str) -> str:
    return "paper's boxes" if method == "paper" else f"{method} boxes"


def _at(here: Run, method: str, overlap: str, threshold: float, what: str) -> dict[str, Cell]:
    """Acc or AFP of a method at one T: per finding, their mean, and all boxes as one group."""
    value = "acc_score" if what == "acc" else f"{what}_error"

    def cell(entry: dict[str, Any]) -> Cell:
        numbers = entry.get(overlap, {}).get(f"{threshold:g}")
        if numbers is None:
            return Cell(reason="this T was not scored: localization in params.yaml lists them")
        count, reason = entry.get("boxes"), entry.get("reason")
        return scored(numbers, what, count=count, reason=reason, value=value)

    return _cells(here, method, cell)


def _cells(here: Run, method: str, cell: Any) -> dict[str, Cell]:
    if not here.localization:
        return missing(COLUMNS, "artifacts/localization is missing; run the pipeline first")
    found = here.localization["methods"][method]
    cells = {finding: cell(found["findings"][finding]) for finding in EIGHT[:-1]}
    if "boxes" in found["findings"][EIGHT[0]]:
        cells[published.MEAN] = cell({"boxes": math.nan, **found["mean"]})
        stale = Cell(reason="scored by an older version: run the localization stage again")
        cells[POOLED] = cell(found["pooled"]) if "pooled" in found else stale
    return cells


def _pointing(here: Run) -> Table:
    game = here.localization.get("pointing")
    if game is None:
        reason = "no peaks were scored: run inference and localization again"
        cells, tries, tolerance = missing(COLUMNS, reason), {}, "a tolerance that is not known"
    else:
        entries = {**{name: game["findings"][name] for name in EIGHT[:-1]},
                   published.MEAN: game["mean"], POOLED: game["pooled"]}  # fmt: skip
        cells = {name: _pointed(entry) for name, entry in entries.items()}
        tries = {name: Cell(float(e["tries"])) for name, e in entries.items() if "tries" in e}
        tolerance = f"{game['tolerance_px']:g} px of a frame of {game['frame_px'] or 0:,} px"
    rows = [
        Row("pointing game", "share of hits, ours", "ours", cells),
        Row("pointing game", "tries", "ours", tries, "count"),
    ]
    return Table(
        name="pointing",
        title="Pointing game: how often the heatmap's highest point lies in a true box",
        columns=COLUMNS,
        rows=tuple(rows),
        computed_on=comparable.boxes_computed_on(here),
        comparable="Cannot be compared with the paper's, which did not play it.",
        notes=(f"A point within {tolerance} of a box counts as inside (Zhang et al., ECCV 2016).",),
        draw=lambda path, warning: figures.draw_findings(
            path,
            warning,
            rows,
            COLUMNS,
            title="Pointing game",
            across="share of tries that hit",
            chance=None,
        ),
    )


def _pointed(entry: dict[str, Any]) -> Cell:
    return scored(entry, "pointing", count=entry.get("tries"), reason=entry.get("reason"))


def _sizes(here: Run) -> Table:
    columns = tuple(
        f"{_WORDS[overlap]} {threshold:g}"
        for overlap, thresholds in _THRESHOLDS.items()
        for threshold in thresholds
    )
    bounds = here.localization.get("size_bounds_share")
    rows = []
    for method in _methods(here):
        sizes = here.localization.get("methods", {}).get(method, {}).get("sizes", {})
        for size in ("small", "medium", "large"):
            cells = _of_size(sizes.get(size), columns)
            boxes = f", {sizes[size]['boxes']:,} boxes" if size in sizes else ""
            rows.append(Row(_maker(method), f"{size}{boxes}", "ours", cells))
    said = f"below {bounds[0]:g}, below {bounds[1]:g}, and from there on" if bounds else "not known"
    return Table(
        name="sizes",
        title="Acc by the size of the true box, all findings together",
        columns=columns,
        rows=tuple(rows),
        computed_on=comparable.boxes_computed_on(here),
        comparable="Cannot be compared with the paper's, which does not tell sizes apart.",
        notes=(f"Side of the square of the box's area as a share of the frame's side: {said}.",),
        draw=lambda path, warning: figures.draw_sizes(
            path, warning, rows, columns, title="Boxes that are hit, by their size"
        ),
        tall=True,
    )


def _of_size(entry: dict[str, Any] | None, columns: tuple[str, ...]) -> dict[str, Cell]:
    if entry is None:
        return missing(columns, "sizes were not scored: run the localization stage again")
    cells = {}
    for overlap, word in _WORDS.items():
        for threshold, numbers in entry[overlap].items():
            cells[f"{word} {threshold}"] = scored(
                numbers, "acc", count=entry["boxes"], reason=entry["reason"]
            )
    return cells
