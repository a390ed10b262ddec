"""The boxes of a folder: from a table of boxes in our own columns, or from the site's.

The site's are in pixels of each image; ours are in pixels of a square frame, since images are
resized to a square. The image is read for its size.
"""

import math
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from thorax import images
from thorax.errors import BadInput
from thorax.progress import say
from thorax.sources import layout
from thorax.sources.folder_config import FolderConfig
from thorax.sources.folder_labels import ImageLabels, LabelReader
from thorax.sources.folder_rows import Finder, ImageRows
from thorax.sources.listing import read_image
from thorax.sources.tables import Row, finding_names, number, read_rows

_FRAME_PX = 1024
_COLUMNS = layout.COLUMNS["boxes"]


def read(path: Path, config: FolderConfig, finder: Finder, images_here: set[str]) -> pd.DataFrame:
    """The boxes of a table in our own columns, for images that are here."""
    boxes, lost = [], []
    for row in read_rows(path, need=_COLUMNS):
        name = finder(row["image"], row)
        findings = finding_names([row["finding"]], row.where, config.names)
        numbers = [number(row[column], row.where, column) for column in _COLUMNS[2:]]
        if name in images_here:
            boxes += [(name, finding, *numbers) for finding in findings]
        else:
            lost.append((row, row["image"]))
    _say_lost(path, lost)
    return pd.DataFrame(boxes, columns=list(_COLUMNS))


def read_foreign(
    path: Path, config: FolderConfig, finder: Finder, files: dict[str, Path]
) -> pd.DataFrame:
    """The boxes of a table in the site's own columns (`columns.box`), for images that are here."""
    columns = config.columns
    finding = columns.box_finding or columns.findings
    if finding is None:
        raise BadInput(
            f"{path}: name the column of its findings: sources.folder.columns.box_finding"
        )
    rows = read_rows(path, need=[columns.image, finding, *(columns.box or ())])
    named = columns.model_copy(update={"findings": finding, "uncertain": None})
    config = config.model_copy(update={"columns": named, "label_columns": {}})
    labels = LabelReader(config, rows[0].cells if rows else ())
    labels.refuse_unmapped(rows)
    found, lost = [], []
    for row in rows:
        name = finder(row[columns.image], row)
        if name in files:
            found.append((name, row))
        else:
            lost.append((row, row[columns.image]))
    _say_lost(path, lost)
    return _scaled(found, config, labels, files)


def of_rows(
    rows: dict[str, ImageRows],
    config: FolderConfig,
    labels: LabelReader,
    given: dict[str, ImageLabels],
    files: dict[str, Path],
) -> pd.DataFrame:
    """The boxes in the rows of the table itself, of findings that the image has."""
    found = [(name, row) for name, own in rows.items() if name in files for row in own.rows]
    boxes = _scaled(found, config, labels, files)
    pairs = zip(boxes["image"], boxes["finding"], strict=True)
    kept = [given[image].has(finding) for image, finding in pairs]
    if lost := len(kept) - sum(kept):
        say(f"{lost:,} boxes are of findings that most readers do not give, and are left out")
    return boxes[kept].reset_index(drop=True)


def _scaled(
    rows: Iterable[tuple[str, Row]],
    config: FolderConfig,
    labels: LabelReader,
    files: dict[str, Path],
) -> pd.DataFrame:
    sizes: dict[str, tuple[int, int] | None] = {}
    boxes, unreadable = [], set()
    for name, row in rows:
        sides = _sides(row, config)
        findings = labels.present(row)
        if sides is None or not findings:
            continue
        if name not in sizes:
            sizes[name] = _size(files[name])
        size = sizes[name]
        if size is None:
            unreadable.add(name)
            continue
        boxes += [(name, finding, *_in_frame(sides, size), _FRAME_PX) for finding in findings]
    if unreadable:
        say(f"the boxes of {len(unreadable):,} images that cannot be read are left out (the first: "
            f"{min(unreadable)})")  # fmt: skip
    return pd.DataFrame(boxes, columns=list(_COLUMNS)).drop_duplicates(ignore_index=True)


def _sides(row: Row, config: FolderConfig) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom in pixels of the image; None where all four cells are empty."""
    columns = config.columns.box or ("", "", "", "")
    if not any(row[column] for column in columns):
        return None
    left, top, third, fourth = (number(row[column], row.where, column) for column in columns)
    if config.box_format == "size":
        third, fourth = left + third, top + fourth
    if third <= left or fourth <= top:
        raise BadInput(
            f"{row.where}: a box from ({left:g}, {top:g}) to ({third:g}, {fourth:g}) has no area; "
            "is sources.folder.box_format right? corners or size"
        )
    return left, top, third, fourth


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height of an image; None when it cannot be read, which the dataset stage says."""
    try:
        height, width = images.decode(read_image(path)).pixels.shape
    except images.UnreadableImage:
        return None
    return width, height


def _in_frame(
    sides: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """x, y, w, h in the frame; rounded so that no box that ends with its image leaves the frame."""
    width, height = size
    x, y = (round(start * _FRAME_PX / side, 3) for start, side in zip(sides[:2], size, strict=True))
    right, bottom = sides[2] * _FRAME_PX / width, sides[3] * _FRAME_PX / height
    return x, y, _cut(right - x), _cut(bottom - y)


def _cut(length_px: float) -> float:
    return math.floor(length_px * 1000) / 1000


def _say_lost(path: Path, lost: list[tuple[Row, str]]) -> None:
    if lost:
        row, image = lost[0]
        say(
            f"{path.name}: {len(lost):,} boxes are of images that are not there or have no row, "
            f"and are left out (the first: row {row.line:,}, {image})"
        )
