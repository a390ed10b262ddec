"""The Indiana University chest X-ray collection (OpenI): 3,955 reports, human labels, and images.

Demner-Fushman et al., "Preparing a collection of radiology examinations for distribution and
retrieval" (JAMIA 2016); reports CC BY-NC-ND 4.0. Read from a folder with the archive of XML
reports, or the reports themselves. Images are taken where the folder has them; without any, only
the reports are pulled, for the stage `reports` to label and measure. Human labels come from a CSV
with a report's id and a column per finding. The collection names no patients: each report counts
as one. Fetches nothing.
"""

import csv
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from pydantic import Field

from thorax import artifacts
from thorax.config import Config
from thorax.errors import BadInput
from thorax.files import refuse_special
from thorax.findings import FINDINGS, NORMAL
from thorax.progress import say
from thorax.reports import openi
from thorax.sources import layout
from thorax.sources.listing import read_image, usable_images
from thorax.sources.request import Request
from thorax.sources.tables import read_rows

_LICENCE = "reports CC BY-NC-ND 4.0; cite Demner-Fushman et al., JAMIA 2016"
_LABELS = (*FINDINGS, NORMAL)
_LONGEST_BYTES = 4 * artifacts.LONGEST_CELL  # of UTF-8


class OpeniConfig(Config):
    """Where the collection's files lie inside the folder that a pull names."""

    folder: str = ""
    """The folder, when a pull names none."""
    archive: str = "NLMCXR_reports.tgz"
    """The archive of XML reports; where it is missing, the folder's own .xml files are read."""
    gold: str = Field(default="*.csv", min_length=1)
    """The CSV files with human labels, as a pattern: those with a column of ids and one per finding
    are read."""
    gold_column: str = "filename"
    """Their column of report ids."""


def build(config: OpeniConfig, request: Request) -> layout.Content:
    """The reports of the folder, with its human labels and the images that it has."""
    folder = find_folder(config, request.from_path)
    reports = _reports(folder, config)
    images = {path.stem: path for path in usable_images(sorted(folder.rglob("*")))}
    tables = {name: layout.empty(name) for name in layout.COLUMNS}
    tables["reports"] = _reports_table(reports, images)
    tables["entries"] = _entries(reports, images)
    tables["adjudicated"] = _gold(folder, config, {told.report for told in reports})
    wanted = set(tables["entries"]["image"])
    loose = {path.name: path for path in images.values() if path.name in wanted}
    say(
        f"openi: {len(reports):,} reports, human labels of "
        f"{tables['adjudicated']['image'].nunique():,}, {len(loose):,} images"
    )
    return layout.Content(
        identity={"source": "openi", "licence": _LICENCE},
        tables=tables,
        images=((name, read_image(path)) for name, path in sorted(loose.items())),
        total=len(loose),
        size_bytes=sum(
            size
            for name, path in loose.items()
            if not request.packed.has(name, size := path.stat().st_size)
        ),
    )


def read_texts(config: OpeniConfig, from_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The collection's reports and human labels, as a pull would write them; no image is read.

    Args:
        config: where the files lie.
        from_path: the folder, or the archive itself with the CSV of human labels beside it.

    Returns:
        `report, patient, images, text` and `image, finding, label`.
    """
    if from_path.expanduser().is_file():
        path = from_path.expanduser().absolute()
        config, from_path = config.model_copy(update={"archive": path.name}), path.parent
    folder = find_folder(config, from_path)
    reports = _reports(folder, config)
    return _reports_table(reports, {}), _gold(folder, config, {told.report for told in reports})


def find_folder(config: OpeniConfig, from_path: Path | None) -> Path:
    """The folder that a pull or the settings name; `BadInput` when there is none."""
    if from_path is None and not config.folder:
        raise BadInput(
            "openi is read from a folder: name it with --from or params.yaml: sources.openi.folder"
        )
    folder = (from_path or Path(config.folder)).expanduser().absolute()
    refuse_special(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; name the one with the reports")
    return folder


def _reports(folder: Path, config: OpeniConfig) -> list[openi.OpeniReport]:
    """Every report, in the order of ids; those that cannot be read are named and left out."""
    told: dict[str, openi.OpeniReport] = {}
    broken: list[str] = []
    for where, content in _documents(folder, config):
        try:
            report = openi.read(content)
        except openi.BrokenXml as error:
            broken.append(f"{where}: {error}")
            continue
        if not report.report:
            broken.append(f"{where}: no id")
        elif report.report in told:
            broken.append(f"{where}: report {report.report} is there already")
        else:
            told[report.report] = report
    if broken:
        say(f"{len(broken):,} reports cannot be read and stay out (the first: {broken[0]})")
    if not told:
        raise BadInput(f"{folder} holds neither {config.archive} nor a readable .xml report")
    return [told[name] for name in sorted(told)]


def _documents(folder: Path, config: OpeniConfig) -> Iterator[tuple[str, bytes]]:
    path = folder / config.archive
    refuse_special(path)
    if not path.is_file():
        for document in sorted(folder.rglob("*.xml")):
            refuse_special(document)
            yield document.relative_to(folder).as_posix(), _whole_report(document)
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".xml") and member.isfile():
                    file = archive.extractfile(member)
                    short = file is not None and member.size <= _LONGEST_BYTES
                    yield member.name, file.read() if file and short else b""
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is not a whole archive ({error}): fetch it again") from None


def _whole_report(path: Path) -> bytes:
    """A file's bytes; nothing of one that is too long for a report, which counts as unreadable."""
    return path.read_bytes() if path.stat().st_size <= _LONGEST_BYTES else b""


def _reports_table(reports: list[openi.OpeniReport], images: dict[str, Path]) -> pd.DataFrame:
    rows = [
        (
            told.report,
            told.report,
            "|".join(images[name].name for name in told.images if name in images),
            told.text,
        )
        for told in reports
    ]
    return pd.DataFrame(rows, columns=list(layout.COLUMNS["reports"]))


def _entries(reports: list[openi.OpeniReport], images: dict[str, Path]) -> pd.DataFrame:
    """A row per image that is there: no finding is given, all are mined from the report."""
    unknown = "|".join(FINDINGS)
    rows = {
        images[name].name: (
            images[name].name, told.report, None, None, "", "", "", "", unknown, ""
        )
        for told in reports
        for name in told.images
        if name in images
    }  # fmt: skip
    return pd.DataFrame(list(rows.values()), columns=list(layout.COLUMNS["entries"]))


def _gold(folder: Path, config: OpeniConfig, reports: set[str]) -> pd.DataFrame:
    """Human labels, a row per report and finding: they are about the report, not one image."""
    rows: list[tuple[str, str, int]] = []
    seen: set[str] = set()
    for path in sorted(folder.glob(config.gold)):
        if not set(_header(path)) >= {config.gold_column, NORMAL}:
            continue
        for row in read_rows(path, need=(config.gold_column, *_LABELS)):
            name = row[config.gold_column]
            if name in seen:
                raise BadInput(f"{row.where}: report {name!r} has labels in an earlier row")
            seen.add(name)
            for finding in _LABELS:
                if row[finding] not in ("0", "1"):
                    raise BadInput(f"{row.where}: {finding} is {row[finding]!r}, not 0 or 1")
            if name in reports:
                rows += [(name, finding, int(row[finding])) for finding in _LABELS]
    if lost := len(seen - reports):
        say(f"{lost:,} labelled reports are not in the folder and stay out")
    return pd.DataFrame(rows, columns=list(layout.COLUMNS["adjudicated"]))


def _header(path: Path) -> list[str]:
    refuse_special(path)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return [name.strip() for name in next(csv.reader(artifacts.bounded_lines(file, path)), [])]
