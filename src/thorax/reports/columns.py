"""Labels and mentions as Arrow columns, written to Parquet batch by batch.

Rows never exist as objects: a million reports are fifteen million rows. The files carry pandas'
types, so that a place that is not there reads back as a missing whole number.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from thorax.reports.assertion import Mention
from thorax.reports.labeler import Label
from thorax.reports.sections import Sentence

_LABEL = Label._fields
_PLACE = ("section", "sentence")
_MENTION = Mention._fields
_NUMBERS = ("start", "end")


def _schema(names: Iterable[str]) -> pa.Schema:
    types = {name: "Int64" if name in _NUMBERS else "str" for name in names}
    frame = pd.DataFrame(columns=list(types)).astype(types)
    return pa.Schema.from_pandas(frame, preserve_index=False)


class ColumnWriter:
    """Columns that fill up in memory and go to one Parquet file, a row group at a time.

    Args:
        path: the file.
        names: the columns; `start` and `end` are numbers, the others text.
        group_rows: rows to a row group.
    """

    def __init__(self, path: Path, names: tuple[str, ...], *, group_rows: int = 60_000) -> None:
        self._schema = _schema(names)
        self._names = names
        self._group_rows = group_rows
        self._columns: dict[str, list[Any]] = {name: [] for name in names}
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def extend(self, cells: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as one sequence per column, all of one length."""
        for name, column in self._columns.items():
            column.extend(cells[name])
        if len(self._columns[self._names[0]]) >= self._group_rows:
            self._flush()

    def _flush(self) -> None:
        if self._columns[self._names[0]]:
            self._writer.write_table(pa.Table.from_pydict(self._columns, schema=self._schema))
        for column in self._columns.values():
            column.clear()


def label_cells(report: str, patient: str, labels: list[Label]) -> dict[str, Sequence[Any]]:
    """The rows of one report's labels."""
    cells = dict(zip(_LABEL, zip(*labels, strict=True), strict=True))
    return {"report": [report] * len(labels), "patient": [patient] * len(labels), **cells}


def mention_cells(report: str, found: list[tuple[Sentence, Mention]]) -> dict[str, list[Any]]:
    """The rows of one report's mentions; places are counted in the report's text."""
    cells = {name: [get(mention) for _, mention in found] for name, get in _GET_MENTION}
    for end in _NUMBERS:
        cells[end] = [
            sentence.start + place for (sentence, _), place in zip(found, cells[end], strict=True)
        ]
    return {
        "report": [report] * len(found),
        "section": [sentence.section for sentence, _ in found],
        "sentence": [sentence.text for sentence, _ in found],
        **cells,
    }


_GET_MENTION = [(name, attrgetter(name)) for name in _MENTION]
LABELS = ("report", "patient", *_LABEL)
MENTIONS = ("report", *_MENTION[:2], *_PLACE, *_MENTION[2:])
FLIPS = ("report", "finding", "state_before", "state_after", "rule_before", "rule_after",
         "sentence_before", "sentence_after")  # fmt: skip
