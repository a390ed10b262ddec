"""Reports from outside, one at a time: text files, CSV, Parquet, and XML loose or in an archive.

Whatever cannot be read comes as an `Unread` that says where it stands and why, and the rest goes
on; only a file that cannot be opened or understood at all is a `BadInput`. Holds one report (of
Parquet: one batch) at a time. Keeps the words of reports out of every message.
"""

import csv
import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from thorax.errors import BadInput
from thorax.files import printable, refuse_special, special_kind
from thorax.reports import openi, unpacking
from thorax.reports.batches import batches
from thorax.reports.decoding import decode, mend
from thorax.reports.table_columns import Columns, Places, find_places

ARCHIVES = (".tgz", ".tar", ".tar.gz")
_FILES = (".txt", ".xml")
_BATCH_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Report:
    """One report: its id, its patient (empty when unknown), its text and where it stands.

    `sections` are the headings that its file gives apart from the text; `encoding` is empty for
    UTF-8 and UTF-16, otherwise the one that was guessed.
    """

    report: str
    patient: str
    text: str
    where: str
    sections: tuple[str, ...] = ()
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that should have been a report: where, its id when known, and why it is none."""

    where: str
    report: str
    reason: str


Incoming = Iterator[Report | Unread]


def read(path: Path, columns: Columns | None = None) -> Incoming:
    """Every report in `path`, in the order in which it holds them (files by name).

    Args:
        path: a folder of .txt or .xml files, such a file, a tar archive of them, CSV or Parquet.
        columns: of a table.

    Raises:
        BadInput: there is nothing of the kind, or a table lacks a column.
    """
    name = path.name.lower()
    refuse_special(path)
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file or folder")
    if name.endswith(ARCHIVES):
        return _archive(path)
    if name.endswith((".csv", ".tsv")):
        return _csv(path, columns or Columns())
    if name.endswith((".parquet", ".pq")):
        return _parquet(path, columns or Columns())
    if name.endswith(_FILES):
        return iter([_file(path.read_bytes(), path.stem, path.suffix.lower(), str(path))])
    raise BadInput(
        f"{path}: not a kind that can be mined: .txt, .xml, .csv, .tsv, .parquet, "
        f"{', '.join(ARCHIVES)} or a folder"
    )


def _folder(folder: Path) -> Incoming:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _FILES)
    if not paths:
        raise BadInput(f"{folder} holds no .txt or .xml file")
    return (_open(path, folder) for path in paths)


def _open(path: Path, folder: Path) -> Report | Unread:
    within = path.relative_to(folder)
    if kind := special_kind(path):
        return Unread(printable(str(within)), "", f"a {kind}, not a file")
    try:
        content = path.read_bytes()
    except OSError as error:
        return Unread(printable(str(within)), "", f"cannot be read ({error.strerror})")
    return _file(content, within.with_suffix("").as_posix(), path.suffix.lower(), str(within))


def _archive(path: Path) -> Incoming:
    found = 0
    try:
        for files in batches(unpacking.members(path, _FILES), lambda file: len(file.content)):
            found += len(files)
            yield from [_member(file) for file in files]
    except unpacking.BrokenArchive as error:
        if not found:
            raise BadInput(f"{path} is not a readable tar archive ({error})") from None
        reason = f"the archive is damaged after {found:,} reports; what follows is not read"
        yield Unread(path.name, "", reason)
    if not found:
        raise BadInput(f"{path} holds no .txt or .xml file")


def _member(file: unpacking.Member) -> Report | Unread:
    stem, _, suffix = file.name.rpartition("/")[2].rpartition(".")
    if file.trouble:
        return Unread(file.name, stem, file.trouble)
    return _file(file.content, stem, f".{suffix.lower()}", file.name)


def _file(content: bytes, name: str, suffix: str, where: str) -> Report | Unread:
    if suffix == ".xml":
        return _xml(content, name, where)
    text, encoding = decode(content)
    if "\0" in text:
        return Unread(where, name, "not a text file: it holds zero bytes")
    return Report(name, "", text, where, encoding=encoding)


def _xml(content: bytes, name: str, where: str) -> Report | Unread:
    try:
        told = openi.read(content, images=False)
    except openi.BrokenXml as error:
        return Unread(where, name, str(error))
    return Report(told.report or name, "", told.text, where, sections=told.sections)


@dataclass(frozen=True)
class _Table:
    """A CSV file whose header was read: how to open it, its delimiter, its columns, its numbers."""

    path: Path
    wide: bool
    mark: str
    places: Places
    width: int
    numbers: Iterator[int]

    def rows(self, skip: int) -> "Generator[Report | Unread, None, int | None]":
        """The rows behind `skip` lines; returns the lines to skip next after a lost quote."""
        with _open_table(self.path, wide=self.wide) as lines:
            rows = csv.reader(itertools.islice(lines, skip, None), delimiter=self.mark, strict=True)
            plain = True  # every row so far was one line
            while True:
                first = skip + rows.line_num + 1
                try:
                    cells = next(rows)
                except StopIteration:
                    return None
                except csv.Error as error:
                    next(self.numbers)
                    last = skip + rows.line_num
                    again = plain and last > first
                    span = f"lines {first:,} to {last:,}" if last > first else f"line {first:,}"
                    where = f"line {first:,}" if again else span
                    yield Unread(where, "", f"not CSV ({error}); is a quote missing?")
                    if again:
                        return first
                    continue
                plain = plain and skip + rows.line_num == first
                if cells:
                    yield self._report(cells, f"line {first:,}")

    def _report(self, cells: list[str], where: str) -> Report | Unread:
        number = next(self.numbers)
        if self.width == 1:  # no cell can be meant but the one
            cells = [self.mark.join(cells)]
        if len(cells) != self.width:
            # Which cell is the id is not known, and the words of a report go into no list.
            return Unread(where, "", f"{len(cells)} cells where the header has {self.width}")
        mended = [mend(cells[place]) if place is not None else ("", "") for place in self.places]
        (name, _), (text, encoding), (patient, _) = mended
        if self.places.report is None:
            name = str(number)
        return Report(name.strip(), patient.strip(), text, where, encoding=encoding)


def _csv(path: Path, columns: Columns) -> Incoming:
    """Rows of a CSV file.

    A quote that is never closed swallows all that follows. Where every row before it was one line,
    only its line is given up and reading goes on behind it.
    """
    with path.open("rb") as file:
        start = file.read(4)
        header, _ = decode(start + file.readline())
    wide = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    mark = max(",;\t", key=header.count)
    with _open_table(path, wide=wide) as lines:
        rows = csv.reader(lines, delimiter=mark, strict=True)
        try:
            names = [name.strip() for name in next(rows, [])]
        except csv.Error as error:
            raise BadInput(f"{path}: its header is not CSV ({error})") from None
    places = find_places(path, names, columns)
    table = _Table(path, wide, mark, places, len(names), itertools.count(1))
    skip: int | None = rows.line_num
    while skip is not None:
        skip = yield from table.rows(skip)


def _open_table(path: Path, *, wide: bool) -> TextIO:
    return path.open(
        encoding="utf-16" if wide else "utf-8-sig",
        errors="replace" if wide else "surrogateescape",
        newline="",
    )


def _parquet(path: Path, columns: Columns) -> Incoming:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path} is not readable Parquet ({type(error).__name__})") from None
    names = file.schema_arrow.names
    places = find_places(path, names, columns)
    wanted = [names[place] for place in places if place is not None]
    row = 0
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
        cells = [
            None if place is None else _texts(path, names[place], batch.column(names[place]))
            for place in places
        ]
        numbers = [str(row + number) for number in range(1, batch.num_rows + 1)]
        nobody = [""] * batch.num_rows
        told = (cells[0] or numbers, cells[1] or nobody, cells[2] or nobody)
        for name, text, patient in zip(*told, strict=True):
            row += 1
            if text is None:
                yield Unread(f"row {row:,}", name or "", "no text: the cell is null")
            else:
                yield Report(name or "", patient or "", text, f"row {row:,}")


def _texts(path: Path, name: str, cells: pa.Array) -> list[str | None]:
    try:
        return list(cells.cast(pa.string()).to_pylist())
    except pa.ArrowException:
        raise BadInput(f"{path}: column {name!r} holds {cells.type}, not text") from None
