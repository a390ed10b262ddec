"""What every source's tables must satisfy before a byte of `data/` is written.

Whatever breaks the layout is a `BadInput` with table and row. What is implausible but readable (an
age of 413, a patient in two splits, "No Finding" beside a finding) passes: the validation stage
judges it and shows it.
"""

import re
from collections.abc import Iterable

import pandas as pd

from thorax.errors import BadInput
from thorax.findings import FINDINGS, NO_FINDING, NORMAL, SPLITS
from thorax.sources.layout import COLUMNS, Content

_PLAIN_NAME = re.compile(r"[^/\\|\x00-\x1f.][^/\\|\x00-\x1f]*")
_NUMBERS = {
    "entries": ("follow_up", "age_years"),
    "boxes": ("x_px", "y_px", "w_px", "h_px", "frame_px"),
    "reports": (),
    "adjudicated": ("label",),
    "truth": ("label",),
}
_SPLITS = ("", "train_val", *SPLITS)


def check(content: Content) -> None:
    """Raise `BadInput` when a table of `content` breaks the layout."""
    for name, columns in COLUMNS.items():
        if name not in content.tables:
            raise BadInput(f"the source gives no table {name!r}")
        if tuple(content.tables[name].columns) != columns:
            given = ", ".join(map(str, content.tables[name].columns))
            raise BadInput(f"table {name}: columns {given}; expected {', '.join(columns)}")
        for column in _NUMBERS[name]:
            _check_numbers(name, column, content.tables[name][column].tolist())
    _check_entries(content.tables["entries"])
    _check_findings("boxes", content.tables["boxes"]["finding"])
    for name in ("adjudicated", "truth"):
        _check_findings(name, content.tables[name]["finding"], besides=(NORMAL,))
    _check_images(content)


def check_name(image: str, where: str) -> None:
    """Raise `BadInput` unless an image's name is a plain file name that can stand in a list."""
    if not _PLAIN_NAME.fullmatch(image):
        raise BadInput(
            f"{where}: image name {image!r} is not a plain file name (no / \\ | and no leading .)"
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
    known = {*FINDINGS, *besides}
    for row, cell in enumerate(cells.tolist(), 2):
        for finding in str(cell).split("|") if cell else ():
            if finding not in known:
                raise BadInput(f"table {table}, row {row:,}: unknown label {finding!r}")


def _check_numbers(table: str, column: str, values: Iterable[object]) -> None:
    for row, value in enumerate(values, 2):
        if value is None or value is pd.NA or value == "" or isinstance(value, int | float):
            continue
        raise BadInput(f"table {table}, row {row:,}: {column} is {value!r}, not a number")


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
