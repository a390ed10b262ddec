"""Any hospital's images: a folder of PNG or JPEG files, and a table with columns named in settings.

Incremental: images that came since the last pull go into new archives. An image is named by its
path inside the folder, `/` written as `_`. Labels are taken as given; where the table has reports
only, every finding is unknown and the labels are mined.
Does not anonymize: patient names and report texts are copied as they stand.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.progress import say
from thorax.sources import folder_boxes, folder_labels, folder_rows, layout
from thorax.sources.folder_config import FolderConfig
from thorax.sources.folder_labels import ImageLabels, LabelReader
from thorax.sources.folder_rows import Finder, ImageRows
from thorax.sources.listing import read_image, usable_images
from thorax.sources.patients import plain_id
from thorax.sources.request import Request
from thorax.sources.tables import age_years, whole_number


def build(config: FolderConfig, request: Request) -> layout.Content:
    """The content of the folder that the request or the settings name."""
    folder = request.folder() or Path(config.images).expanduser().absolute()
    refuse_special(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; set sources.folder.images or give --from")
    files = _images(folder)
    finder = Finder(folder, files)
    table = inside(folder, config.table)
    rows, header = folder_rows.read(table, config, finder)
    folder_rows.say_missing(table, rows, files)
    reader = LabelReader(config, header)
    labels = _labels(table, rows, reader, config)
    wanted = {name: files[name] for name in sorted(files) if name in rows}
    tables = {name: layout.empty(name) for name in layout.COLUMNS}
    entries = [_entry(name, own, labels[name], config) for name, own in rows.items()]
    tables["entries"] = pd.DataFrame(entries, columns=list(layout.COLUMNS["entries"]))
    if config.columns.report is not None:
        tables["reports"] = _reports(rows, config)
    if config.boxes is not None and config.columns.box is None:
        tables["boxes"] = folder_boxes.read(
            inside(folder, config.boxes), config, finder, set(wanted)
        )
    elif config.boxes is not None:
        tables["boxes"] = folder_boxes.read_foreign(
            inside(folder, config.boxes), config, finder, wanted
        )
    elif config.columns.box is not None:
        tables["boxes"] = folder_boxes.of_rows(rows, config, reader, labels, wanted)
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
    for path in usable_images(sorted(_below(folder))):
        if not path.is_file():
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


def _labels(
    path: Path, rows: dict[str, ImageRows], reader: LabelReader, config: FolderConfig
) -> dict[str, ImageLabels]:
    """The labels of every image; what is odd about the table is refused or said."""
    reader.refuse_unmapped([row for own in rows.values() for row in own.rows])
    reader.say_unread(path.name)
    column = config.columns.findings
    empty = [row for own in rows.values() for row in own.rows if column and not row[column]]
    if empty and not config.label_columns:
        say(
            f"{path.name}: {len(empty):,} rows with nothing in {column!r} count as without any "
            f"finding (the first: row {empty[0].line:,}); leave out rows that nobody labelled"
        )
    return {
        name: folder_labels.join(
            [(row.get(config.columns.reader), reader.read(row)) for row in own.rows], config
        )
        for name, own in rows.items()
    }


def _entry(
    name: str, own: ImageRows, labels: ImageLabels, config: FolderConfig
) -> tuple[object, ...]:
    columns, row = config.columns, own.row
    sex, view = row.get(columns.sex), row.get(columns.view)
    return (
        name,
        own.patient,
        whole_number(row.get(columns.follow_up), row.where, "follow_up"),
        age_years(row.get(columns.age), row.where),
        config.sexes.get(sex, sex),
        config.views.get(view, view),
        labels.findings,
        labels.uncertain,
        labels.unknown,
        row.get(columns.split),
    )


def _reports(rows: dict[str, ImageRows], config: FolderConfig) -> pd.DataFrame:
    """One row to a report, with the images that share it."""
    reports: dict[str, list[str]] = {}
    for image, own in rows.items():
        row = own.row
        name = plain_id(row.get(config.columns.report_name)) or Path(image).stem
        text = row.get(config.columns.report)
        known = reports.setdefault(name, [own.patient, image, text])
        if known[1] == image:
            continue
        if (known[0], known[2]) != (own.patient, text):
            raise BadInput(
                f"{row.where}: report {name!r} has another patient or text than in an earlier row"
            )
        known[1] += f"|{image}"
    cells = [(name, *values) for name, values in reports.items() if values[2]]
    return pd.DataFrame(cells, columns=list(layout.COLUMNS["reports"]))
