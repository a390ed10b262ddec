"""What every source's tables must satisfy before a byte of `data/` is written.

Whatever breaks the layout is a `BadInput` with table and row. What is implausible but readable (an
age of 413, a patient in two splits, "No Finding" beside a finding) passes: the validation stage
judges it and shows it.
"""

import math
from collections.abc import Iterable

import pandas as pd

from thorax import artifacts
from thorax.errors import BadInput
from thorax.files import is_plain_name
from thorax.findings import FINDINGS, NO_FINDING, NORMAL, SPLITS, unknown_label
from thorax.sources.layout import COLUMNS, Content
from thorax.sources.tables import MOST_NUMBER, MOST_YEARS

_PLACE = (-MOST_NUMBER, MOST_NUMBER)
# Per number column: the least and the largest value, beyond which no stage could compute with it.
_NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    "entries": {"follow_up": (0, MOST_NUMBER), "age_years": (0, MOST_YEARS)},
    "boxes": {
        "x_px": _PLACE, "y_px": _PLACE, "w_px": _PLACE, "h_px": _PLACE, "frame_px": (1, MOST_NUMBER)
    },
    "adjudicated": {"label": (0, 1)},
    "truth": {"label": (0, 1)},
}  # fmt: skip
_WHOLE = ("follow_up", "frame_px", "label")
_SPLITS = ("", "train_val", *SPLITS)


def check(content: Content) -> None:
    """Raise `BadInput` when a table of `content` breaks the layout."""
    for name, columns in COLUMNS.items():
        if name not in content.tables:
            raise BadInput(f"the source gives no table {name!r}")
        if tuple(content.tables[name].columns) != columns:
            given = ", ".join(map(str, content.tables[name].columns))
            raise BadInput(f"table {name}: columns {given}; expected {', '.join(columns)}")
        for column, bounds in _NUMBERS.get(name, {}).items():
            _check_numbers(name, column, content.tables[name][column].tolist(), bounds)
    _check_entries(content.tables["entries"])
    _check_reports(content.tables["reports"])
    _check_findings("boxes", content.tables["boxes"]["finding"])
    for name in ("adjudicated", "truth"):
        _check_findings(name, content.tables[name]["finding"], besides=(NORMAL,))
    _check_images(content)


def check_name(image: str, where: str) -> None:
    """Raise `BadInput` unless an image's name is a plain file name that can stand in a list."""
    if not is_plain_name(image):
        raise BadInput(
            f"{where}: image name {image!r} is not a plain file name (UTF-8 without "
            "/ \\ |, control characters and a leading .)"
        )


def _check_entries(entries: pd.DataFrame) -> None:
    first_row: dict[str, int] = {}
    rows = zip(
        entries["image"].tolist(),
        entries["patient"].tolist(),
        entries["split"].tolist(),
        strict=True,
    )
    for row, (image, patient, split) in enumerate(rows, 2):
        where = f"table entries, row {row:,}"
        check_name(str(image), where)
        if first_row.setdefault(image, row) != row:
            raise BadInput(f"{where}: image {image!r} stands in row {first_row[image]:,} already")
        if not str(patient).strip():
            raise BadInput(
                f"{where}: image {image!r} has no patient; patients are the unit of every split"
            )
        if split not in _SPLITS:
            raise BadInput(
                f"{where}: split {split!r}; known are {', '.join(_SPLITS[1:])} or nothing"
            )
    _check_findings("entries", entries["findings"], besides=(NO_FINDING,))
    for column in ("uncertain", "unknown"):
        _check_findings("entries", entries[column])


def _check_findings(table: str, cells: pd.Series, besides: tuple[str, ...] = ()) -> None:
    known = (*FINDINGS, *besides)
    for row, cell in enumerate(cells.tolist(), 2):
        for finding in str(cell).split("|") if cell else ():
            if finding not in known:
                raise BadInput(f"table {table}, row {row:,}: {unknown_label(finding, known)}")


def _check_numbers(
    table: str, column: str, values: Iterable[object], bounds: tuple[float, float]
) -> None:
    least, most = bounds
    for row, value in enumerate(values, 2):
        if (
            value is None
            or value is pd.NA
            or value == ""
            or (table == "entries" and _is_nan(value))
        ):
            continue
        where = f"table {table}, row {row:,}: {column} is {value!r}"
        if not isinstance(value, int | float):
            raise BadInput(f"{where}, not a number")
        if not least <= value <= most or (column in _WHOLE and value % 1):
            kind = "whole number" if column in _WHOLE else "number"
            raise BadInput(f"{where}; expected a {kind} from {least:,} to {most:,}")


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _check_reports(reports: pd.DataFrame) -> None:
    for row, (name, text) in enumerate(zip(reports["report"], reports["text"], strict=True), 2):
        if len(str(text)) > artifacts.LONGEST_CELL:
            raise BadInput(
                f"table reports, row {row:,}: report {name!r} has {len(str(text)):,} characters; "
                f"at most {artifacts.LONGEST_CELL:,} are read: shorten or remove it"
            )


def _check_images(content: Content) -> None:
    images = set(content.tables["entries"]["image"])
    reports = set(content.tables["reports"]["report"])
    for table in ("boxes", "adjudicated", "truth"):
        judged = images if table == "boxes" else images | reports  # a truth may be of a report
        for row, image in enumerate(content.tables[table]["image"].tolist(), 2):
            if image not in judged:
                raise BadInput(f"table {table}, row {row:,}: image {image!r} stands not in entries")
    for row, cell in enumerate(content.tables["reports"]["images"].tolist(), 2):
        strange = [image for image in str(cell).split("|") if image and image not in images]
        if strange:
            raise BadInput(
                f"table reports, row {row:,}: image {strange[0]!r} stands not in entries"
            )
