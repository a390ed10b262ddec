"""What a folder's table says of each finding: lists in a cell, or a column per finding.

A row gives a value per finding that it speaks of. Rows of one reader are joined first, then the
readers of one image; what nobody speaks of is unknown, or absent where the site lists what is
present.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from thorax.errors import BadInput
from thorax.findings import FINDINGS, NO_FINDING, closest, find, unknown_label
from thorax.progress import say
from thorax.sources.folder_config import FolderConfig, LabelValue, value_key
from thorax.sources.tables import Row

_RANK: Final[dict[LabelValue, int]] = {"unknown": 0, "absent": 1, "uncertain": 2, "present": 3}
_ITEM: Final = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,'"\[\]]+))\s*,?""")
_KNOWN: Final = (*FINDINGS, NO_FINDING)
_SHOWN = 12  # labels that a message proposes a meaning for
_OTHER_SEPARATORS = (";", ",", "|", "/", "\n")


@dataclass(frozen=True)
class Reading:
    """What one row, or one reader, says.

    Attributes:
        values: the findings it speaks of, and what it says of each.
        nothing: whether it says that nothing was found.
    """

    values: dict[str, LabelValue]
    nothing: bool = False


@dataclass(frozen=True)
class ImageLabels:
    """The cells `findings`, `uncertain` and `unknown` of an image."""

    findings: str
    uncertain: str
    unknown: str

    def has(self, finding: str) -> bool:
        """Whether the finding is given as present."""
        return finding in self.findings.split("|")


class LabelReader:
    """Reads the labels of a table whose `header` is given."""

    def __init__(self, config: FolderConfig, header: Iterable[str]) -> None:
        self._config = config
        self._header = tuple(header)
        self._values = config.values()
        self._meanings: dict[str, tuple[str, ...] | None] = {}

    def read(self, row: Row) -> Reading:
        """What a row says.

        Raises:
            BadInput: a label or a value is not known; the message shows the option to set.
        """
        columns, values = self._config.columns, dict[str, LabelValue]()
        meanings = [*self._listed(row, columns.findings, "present")]
        meanings += [
            (name, value)
            for name, value in self._listed(row, columns.uncertain, "uncertain")
            if name != NO_FINDING
        ]
        meanings += [
            (name, self._value(row, column))
            for column, meant in self._config.label_columns.items()
            for name in filter(None, meant.split("|"))
        ]
        for name, value in meanings:
            values[name] = max(values.get(name, "unknown"), value, key=_RANK.__getitem__)
        nothing = values.pop(NO_FINDING, "unknown") == "present"
        return Reading(values, nothing)

    def present(self, row: Row) -> list[str]:
        """The findings that a row gives as present, in the vocabulary's order."""
        values = self.read(row).values
        return [finding for finding in FINDINGS if values.get(finding) == "present"]

    def _listed(
        self, row: Row, column: str | None, value: LabelValue
    ) -> Iterator[tuple[str, LabelValue]]:
        for label in self.labels(row, column):
            yield from ((name, value) for name in self._meaning(label) or ())

    def labels(self, row: Row, column: str | None) -> list[str]:
        """The labels in a cell."""
        cell = row.get(column)
        if self._config.findings_format == "separated":
            return [label.strip() for label in cell.split(self._config.separator) if label.strip()]
        return _list_items(cell, row, column or "")

    def refuse_unmapped(self, rows: Sequence[Row]) -> None:
        """Refuse a table with labels that mean nothing, or say that they are left out.

        Raises:
            BadInput: with the first row, and with a proposal for `sources.folder.names`.
        """
        first: dict[str, Row] = {}
        for row in rows:
            for column in (self._config.columns.findings, self._config.columns.uncertain):
                for label in self.labels(row, column):
                    if self._meaning(label) is None:
                        first.setdefault(label, row)
        if not first:
            return
        label, row = next(iter(first.items()))
        if self._config.unmapped == "refuse":
            more = f" (and {len(first) - 1:,} more)" if len(first) > 1 else ""
            told = unknown_label(label, _KNOWN)
            raise BadInput(f"{row.where}: {told}{more}; {self._advice(label, list(first))}")
        say(f"{row.path.name}: {len(first):,} labels mean no finding and are left out (the first: "
            f"{label!r}, row {row.line:,})")  # fmt: skip

    def say_unread(self, path_name: str) -> None:
        """Say so when the table has columns of labels and the settings name none."""
        config = self._config
        if config.columns.findings or config.columns.report or config.label_columns:
            return
        if columns := self._likely_columns():
            say(f"{path_name}: no labels are read; {columns}")

    def _meaning(self, label: str) -> tuple[str, ...] | None:
        """The findings that a label means, `No Finding` for none; None when it is not known."""
        if label not in self._meanings:
            self._meanings[label] = self._look_up(label)
        return self._meanings[label]

    def _look_up(self, label: str) -> tuple[str, ...] | None:
        names = self._config.names
        if (spelling := label if label in names else find(label, names)) is not None:
            return tuple(filter(None, names[spelling].split("|")))
        if find(label, (*self._config.no_finding, NO_FINDING)):
            return (NO_FINDING,)
        finding = find(label)
        return (finding,) if finding else None

    def _value(self, row: Row, column: str) -> LabelValue:
        value = self._values.get(value_key(row[column]))
        if value is None:
            known = ", ".join(key or "nothing" for key in self._values)
            raise BadInput(
                f"{row.where}: {column} is {row[column]!r}; known are {known}: write what it means "
                "in params.yaml, sources.folder.label_values: "
                f"{{{_quoted(row[column])}: uncertain}} (present, absent, uncertain or unknown)"
            )
        return value

    def _advice(self, label: str, labels: list[str]) -> str:
        """The option that makes the table readable, as it is to be written."""
        if label.startswith("["):
            return "a list in a cell? Set sources.folder.findings_format: list in params.yaml"
        if value_key(label) in self._values or re.fullmatch(r"[-+.\d]+", label):
            columns = self._likely_columns() or "write sources.folder.label_columns in params.yaml"
            return f"a column per finding? {columns}"
        for mark in _OTHER_SEPARATORS:
            parts = [part.strip() for part in label.split(mark)]
            if len(parts) > 1 and all(self._look_up(part) for part in parts):
                return f"set sources.folder.separator: {json.dumps(mark)} in params.yaml"
        meanings = ", ".join(
            f"{_quoted(each)}: {_quoted(_likely(each))}" for each in labels[:_SHOWN]
        )
        return (
            f"write what they mean in params.yaml, sources.folder.names: {{{meanings}}} (empty "
            "leaves one out; sources.folder.unmapped: leave_out leaves out all others)"
        )

    def _likely_columns(self) -> str:
        columns = self._config.columns
        named = {*self._config.named_columns()} - {columns.findings, columns.uncertain}
        pairs = {name: _likely(name) for name in self._header if name and name not in named}
        shown = ", ".join(
            f"{_quoted(name)}: {_quoted(meant)}" for name, meant in pairs.items() if meant
        )
        if not shown:
            return ""
        return (
            f"write in params.yaml, sources.folder.label_columns: {{{shown}}} without "
            "columns.findings; columns that are not named there are ignored"
        )


def join(rows: Sequence[tuple[str, Reading]], config: FolderConfig) -> ImageLabels:
    """The labels of an image.

    Args:
        rows: per row the reader (empty where none is named) and what the row says.
        config: how readers are joined, and which findings the site's labels speak of.
    """
    by_reader: dict[str, list[Reading]] = {}
    for reader, reading in rows:
        by_reader.setdefault(reader, []).append(reading)
    joined = [_join_rows(readings) for readings in by_reader.values()]
    torn = any(each.nothing and "present" in each.values.values() for each in joined)
    each_reader = [_complete(reading, config) for reading in joined]
    values = {
        finding: _join_readers([reader[finding] for reader in each_reader], config)
        for finding in FINDINGS
    }
    named = {
        value: [finding for finding in FINDINGS if values[finding] == value] for value in _RANK
    }
    present = [NO_FINDING, *named["present"]] if torn else named["present"]
    return ImageLabels("|".join(present), "|".join(named["uncertain"]), "|".join(named["unknown"]))


def _join_rows(readings: list[Reading]) -> Reading:
    values: dict[str, LabelValue] = {}
    for reading in readings:
        for finding, value in reading.values.items():
            values[finding] = max(values.get(finding, "unknown"), value, key=_RANK.__getitem__)
    return Reading(values, any(reading.nothing for reading in readings))


def _complete(reading: Reading, config: FolderConfig) -> dict[str, LabelValue]:
    """A value for every finding: absent where a list that covers it leaves it out."""
    covered = set(config.judged or FINDINGS) if config.columns.findings else set()
    values: dict[str, LabelValue] = {}
    for finding in FINDINGS:
        value = reading.values.get(finding, "absent" if finding in covered else "unknown")
        spoken_of = finding in reading.values or finding in covered
        values[finding] = (
            "absent" if value == "unknown" and reading.nothing and spoken_of else value
        )
    return values


def _join_readers(values: list[LabelValue], config: FolderConfig) -> LabelValue:
    if config.readers == "union" or len(values) == 1:
        return max(values, key=_RANK.__getitem__)
    half = sum(value != "unknown" for value in values) / 2
    present = values.count("present")
    doubtful = values.count("uncertain")
    if not half:
        return "unknown"
    if present > half:
        return "present"
    return "uncertain" if present + doubtful >= half else "absent"


def _list_items(cell: str, row: Row, column: str) -> list[str]:
    """The items of `['a', "b"]`, without evaluating anything; an empty cell has none."""
    if not cell or cell.casefold() == "nan":
        return []
    inner, at, items = cell[1:-1], 0, list[str]()
    if not (cell.startswith("[") and cell.endswith("]")):
        raise BadInput(
            f"{row.where}: {column} is {cell[:60]!r}, not a list such as ['Mass', 'Nodule'] "
            "(sources.folder.findings_format in params.yaml: separated or list)"
        )
    while inner[at:].strip():
        match = _ITEM.match(inner, at)
        if match is None:
            raise BadInput(f"{row.where}: {column} is {cell[:60]!r}: its list cannot be read")
        at = match.end()
        items.append(next(part for part in match.groups() if part is not None).strip())
    return [item for item in items if item]


def _likely(label: str) -> str:
    """The findings that a foreign label probably means, joined by `|`; empty when none."""
    if exact := find(label, _KNOWN):
        return exact
    words = {word.removesuffix("s") for word in re.findall(r"[a-z]+", label.casefold())}
    if "pericardial" in words:
        return ""
    named = [
        finding for finding in FINDINGS
        if {word.removesuffix("s") for word in finding.casefold().split("_")} <= words
    ]  # fmt: skip
    return "|".join(named) or closest(label, _KNOWN) or ""


def _quoted(text: str) -> str:
    """A key or value as YAML takes it inside braces."""
    return (
        text if re.fullmatch(r"[A-Za-z][A-Za-z_ ]*", text) else json.dumps(text, ensure_ascii=False)
    )
