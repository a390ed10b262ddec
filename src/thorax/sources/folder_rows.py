"""The rows of a folder's table by image: found by name, joined where several are of one image."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from thorax.errors import BadInput
from thorax.progress import say
from thorax.sources.door import check_name
from thorax.sources.folder_config import FolderConfig
from thorax.sources.patients import plain_id, read_ids
from thorax.sources.tables import Row, read_rows

_CORNERS = (("x_min", "y_min", "x_max", "y_max"), ("xmin", "ymin", "xmax", "ymax"))
_SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"))
_READERS = ("rad_id", "reader", "reader_id", "radiologist", "annotator")


@dataclass(frozen=True)
class ImageRows:
    """The rows of one image.

    Attributes:
        rows: as the table has them, in its order.
        row: all of them as one: of each column the first cell that is not empty.
        patient: the patient's id.
    """

    rows: tuple[Row, ...]
    row: Row
    patient: str


def read(
    path: Path, config: FolderConfig, finder: "Finder"
) -> tuple[dict[str, ImageRows], list[str]]:
    """The table's rows by image, and its header; an image that is not there keeps its given name.

    Raises:
        BadInput: two rows of an image where rows are not joined, or two that contradict each other.
    """
    rows = read_rows(path, need=config.named_columns())
    found: dict[str, list[Row]] = {}
    for row in rows:
        cell = row[config.columns.image]
        name = finder(cell, row) or flat_name(cell)
        check_name(name, row.where)
        found.setdefault(name, []).append(row)
        if len(found[name]) > 1 and not config.join_rows:
            raise BadInput(
                f"{row.where}: image {name!r} stands in row {found[name][0].line:,} already; "
                "remove one, or, where rows of one image belong together, set in params.yaml "
                f"{_advice(rows[0], config)}"
            )
    patients = _patients(rows, config)
    joined = {
        name: ImageRows(tuple(own), _as_one(name, own, config, patients), patients[own[0].line])
        for name, own in found.items()
    }
    header = list(rows[0].cells) if rows else []
    return joined, header


def say_missing(path: Path, rows: dict[str, ImageRows], files: dict[str, Path]) -> None:
    """Say how many images and rows have no counterpart; `BadInput` when no image has a row."""
    missing = [(name, own.row) for name, own in rows.items() if name not in files]
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


def flat_name(cell: str) -> str:
    """The name that an image of that path gets."""
    return cell.replace("\\", "/").removeprefix("./").replace("/", "_")


class Finder:
    """Finds an image by its path inside the folder, its file name, or either without suffix.

    A path may begin with the folder's own name, as those of published tables do.
    """

    def __init__(self, folder: Path, files: dict[str, Path]) -> None:
        self._folder = folder.name
        self._names: dict[str, set[str]] = defaultdict(set)
        for name, path in files.items():
            for key in (name, Path(name).stem, path.name, path.stem):
                self._names[key].add(name)

    def __call__(self, cell: str, row: Row) -> str | None:
        """The image's name; None when it is not there, `BadInput` when it may be several."""
        key = flat_name(cell)
        for each in (key, key.removeprefix(f"{self._folder}_")):
            names = self._names.get(each, set())
            if each in names:
                return each
            if len(names) > 1:
                several = " or ".join(sorted(names)[:4])
                raise BadInput(f"{row.where}: image {cell!r} may be {several}: give its path")
            if names:
                return next(iter(names))
        return None


def _advice(row: Row, config: FolderConfig) -> str:
    """The options that join this table's rows, as they are to be written."""
    lower = {name.casefold(): name for name in row.cells}
    options = ["sources.folder.join_rows: true"]
    for form, shapes in (("corners", _CORNERS), ("size", _SIZES)):
        for shape in shapes:
            if config.columns.box is None and set(shape) <= lower.keys():
                columns = ", ".join(lower[name] for name in shape)
                options += [f"columns.box: [{columns}]", f"box_format: {form}"]
                break
    reader = next((lower[name] for name in _READERS if name in lower), None)
    if config.columns.reader is None and reader:
        options.append(f"columns.reader: {reader}")
    return ", ".join(options)


def _patients(rows: list[Row], config: FolderConfig) -> dict[int, str]:
    """The patient of each row, by its line."""
    given = [(row, _given_patient(row, config)) for row in rows]
    ids = read_ids(given, config.similar_patients)
    return {row.line: patient for row, patient in zip(rows, ids, strict=True)}


def _given_patient(row: Row, config: FolderConfig) -> str:
    cell = row[config.columns.patient]
    if config.patient_pattern is None or not cell:
        return cell
    match = re.search(config.patient_pattern, cell)
    if match is None:
        raise BadInput(
            f"{row.where}: sources.folder.patient_pattern {config.patient_pattern!r} finds no "
            f"patient in {cell!r}"
        )
    return str(match[1] if match.re.groups else match[0])


def _as_one(name: str, rows: list[Row], config: FolderConfig, patients: dict[int, str]) -> Row:
    """Rows of one image as one; what is of the image must be the same in all that give it."""
    columns = config.columns
    alike = (
        columns.age, columns.sex, columns.view, columns.follow_up, columns.split,
        columns.report, columns.report_name,
    )  # fmt: skip
    for row in rows[1:]:
        if patients[row.line] != patients[rows[0].line]:
            _refuse_torn(name, "patient", rows[0], row)
    cells = dict(rows[0].cells)
    for column in filter(None, alike):
        given = [row for row in rows if row[column]]
        for row in given:
            if plain_id(row[column]) != plain_id(given[0][column]):
                _refuse_torn(name, column, given[0], row)
        cells[column] = given[0][column] if given else ""
    return replace(rows[0], cells=cells)


def _refuse_torn(name: str, column: str, first: Row, other: Row) -> None:
    raise BadInput(
        f"{other.where}: image {name!r} has another {column} than in row {first.line:,}: "
        "correct one of them"
    )
