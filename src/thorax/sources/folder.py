"""Any hospital's images: a folder of PNG or JPEG files, and a table with columns named in settings.

Incremental: images that came since the last pull go into new archives. An image is named by its
path inside the folder, `/` written as `_`. Labels are taken as given; where the table has reports
only, every finding is unknown and the labels are mined.
Does not anonymize: patient names and report texts are copied as they stand.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from thorax.errors import BadInput
from thorax.findings import FINDINGS, NO_FINDING
from thorax.progress import say
from thorax.sources import layout
from thorax.sources.door import check_name
from thorax.sources.folder_config import FolderConfig
from thorax.sources.listing import is_image, read_image
from thorax.sources.request import Request
from thorax.sources.tables import (
    Row,
    age_years,
    finding_names,
    number,
    read_rows,
    refuse_duplicates,
)


def build(config: FolderConfig, request: Request) -> layout.Content:
    """The content of the folder that the request or the settings name."""
    folder = request.folder() or Path(config.images).expanduser().absolute()
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; set sources.folder.images or give --from")
    files = _images(folder)
    rows = _rows_by_image(inside(folder, config.table), config, files)
    wanted = {name: files[name] for name in sorted(files) if name in rows}
    tables = {name: layout.empty(name) for name in layout.COLUMNS}
    tables["entries"] = pd.DataFrame(
        [_entry(name, row, config) for name, row in rows.items()],
        columns=list(layout.COLUMNS["entries"]),
    )
    if config.columns.report is not None:
        tables["reports"] = _reports(rows, config)
    if config.boxes is not None:
        tables["boxes"] = _boxes(inside(folder, config.boxes), config, files, set(wanted))
    sizes = {name: path.stat().st_size for name, path in wanted.items()}
    return layout.Content(
        identity={"source": "folder", "licence": config.licence},
        tables=tables,
        images=_read(wanted),
        total=len(wanted),
        size_bytes=sum(size for name, size in sizes.items() if not request.packed.has(name, size)),
    )


def _read(files: dict[str, Path]) -> Iterator[tuple[str, bytes]]:
    for name, path in files.items():
        yield name, read_image(path)


def inside(folder: Path, name: str) -> Path:
    """A table that the settings name: inside the folder, or at a path of its own."""
    return folder / Path(name).expanduser()


def _images(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(_below(folder)):
        if not is_image(path.name) or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix().replace("/", "_")
        if name in files:
            raise BadInput(f"{path} and {files[name]} would both be called {name!r}: rename one")
        files[name] = path
    if not files:
        raise BadInput(f"{folder} has no PNG or JPEG file")
    return files


def _below(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, links to folders followed, each folder once."""
    seen: set[str] = set()
    for place, within, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            within.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in names)


def _rows_by_image(path: Path, config: FolderConfig, files: dict[str, Path]) -> dict[str, Row]:
    """The table's rows by image; one whose image is not there keeps the name that it gives."""
    columns = [name for name in config.columns.model_dump().values() if name is not None]
    rows = read_rows(path, need=columns)
    refuse_duplicates(rows, lambda row: row[config.columns.image], "image")
    find = _Finder(files)
    found: dict[str, Row] = {}
    for row in rows:
        cell = row[config.columns.image]
        name = find(cell, row) or _flat(cell)
        check_name(name, row.where)
        if name in found:
            raise BadInput(
                f"{row.where}: image {name!r} stands in row {found[name].line:,} already"
            )
        found[name] = row
    _say_what_is_missing(path, found, files)
    _say_what_is_empty(path, found, config)
    return found


def _say_what_is_missing(path: Path, rows: dict[str, Row], files: dict[str, Path]) -> None:
    missing = [(name, row) for name, row in rows.items() if name not in files]
    here = len(rows) - len(missing)
    first = f" (the first: row {missing[0][1].line:,}, {missing[0][0]})" if missing else ""
    counts = f"{here:,} of {len(rows):,} rows have an image"
    say(f"{path.name}: {counts}, {len(missing):,} have none{first}")
    if not here:
        raise BadInput(
            f"{path}: no image of its {len(rows):,} rows is there{first}: "
            "does sources.folder.columns.image name the right column?"
        )
    if unused := sorted(files.keys() - rows.keys()):
        say(f"{len(unused):,} images have no row and stay out (the first: {unused[0]})")


def _flat(cell: str) -> str:
    """The name that an image of that path gets."""
    return cell.replace("\\", "/").removeprefix("./").replace("/", "_")


def _say_what_is_empty(path: Path, rows: dict[str, Row], config: FolderConfig) -> None:
    column = config.columns.findings
    if column is None:
        return
    empty = [row for row in rows.values() if not row[column]]
    if empty:
        say(
            f"{path.name}: {len(empty):,} rows with nothing in {column!r} count as without any "
            f"finding (the first: row {empty[0].line:,}); leave out rows that nobody labelled"
        )


class _Finder:
    """Finds an image by its path inside the folder, its file name, or either without suffix."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._names: dict[str, set[str]] = defaultdict(set)
        for name, path in files.items():
            for key in (name, Path(name).stem, path.name, path.stem):
                self._names[key].add(name)

    def __call__(self, cell: str, row: Row) -> str | None:
        key = _flat(cell)
        names = self._names.get(key, set())
        if key in names:
            return key
        if len(names) > 1:
            raise BadInput(
                f"{row.where}: image {cell!r} may be {' or '.join(sorted(names))}: give its path"
            )
        return next(iter(names), None)


def _entry(name: str, row: Row, config: FolderConfig) -> tuple[object, ...]:
    columns = config.columns
    follow_up = row.get(columns.follow_up)
    sex, view = row.get(columns.sex), row.get(columns.view)
    if not row[columns.patient]:
        raise BadInput(f"{row.where}: no patient; patients are the unit of every split")
    present = _labels(row, columns.findings, config)
    doubtful = [
        finding for finding in _labels(row, columns.uncertain, config) if finding not in present
    ]
    judged = config.judged if config.judged is not None else FINDINGS
    if columns.findings is None:
        judged = ()
    unknown = [name for name in FINDINGS if name not in (*judged, *present, *doubtful)]
    return (
        name,
        row[columns.patient],
        int(number(follow_up, row.where, "follow_up")) if follow_up else None,
        age_years(row.get(columns.age), row.where),
        config.sexes.get(sex, sex),
        config.views.get(view, view),
        "|".join([NO_FINDING, *present] if _denied(row, config) and present else present),
        "|".join(doubtful),
        "|".join(unknown),
        row.get(columns.split),
    )


def _denied(row: Row, config: FolderConfig) -> bool:
    """Whether the row says that there is no finding; beside one, validation judges it."""
    said = row.get(config.columns.findings).split(config.separator)
    return any(label.strip() in config.no_finding for label in said if label.strip())


def _labels(row: Row, column: str | None, config: FolderConfig) -> list[str]:
    labels = [label.strip() for label in row.get(column).split(config.separator)]
    return finding_names(
        (label for label in labels if label not in config.no_finding), row.where, config.names
    )


def _reports(rows: dict[str, Row], config: FolderConfig) -> pd.DataFrame:
    """One row to a report, with the images that share it."""
    reports: dict[str, list[str]] = {}
    for image, row in rows.items():
        name = row.get(config.columns.report_name) or Path(image).stem
        patient, text = row[config.columns.patient], row.get(config.columns.report)
        known = reports.setdefault(name, [patient, image, text])
        if known[1] == image:
            continue
        if (known[0], known[2]) != (patient, text):
            raise BadInput(
                f"{row.where}: report {name!r} has another patient or text than in an earlier row"
            )
        known[1] += f"|{image}"
    cells = [(name, *values) for name, values in reports.items() if values[2]]
    return pd.DataFrame(cells, columns=list(layout.COLUMNS["reports"]))


def _boxes(
    path: Path, config: FolderConfig, files: dict[str, Path], images: set[str]
) -> pd.DataFrame:
    columns = layout.COLUMNS["boxes"]
    find = _Finder(files)
    boxes, lost = [], []
    for row in read_rows(path, need=columns):
        name = find(row["image"], row)
        findings = finding_names([row["finding"]], row.where, config.names)
        numbers = [number(row[column], row.where, column) for column in columns[2:]]
        if name in images:
            boxes += [(name, finding, *numbers) for finding in findings]
        else:
            lost.append(row)
    if lost:
        say(
            f"{path.name}: {len(lost):,} boxes are of images that are not there or have no row, "
            f"and are left out (the first: row {lost[0].line:,}, {lost[0]['image']})"
        )
    return pd.DataFrame(boxes, columns=list(columns))
