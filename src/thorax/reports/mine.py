"""Mine a stream of reports: labels out as Parquet, and what could not be mined as a list beside.

A report whose id was met before is not mined again: it is listed, like one that cannot be read.
Needs memory for one row group, the ids' digests and the labeler's caches, however many reports
come. Prints counts, never a word of a report.
"""

import csv
import gc
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from thorax import artifacts
from thorax.errors import BadInput
from thorax.progress import say
from thorax.reports import columns, lexicon
from thorax.reports.batches import batches
from thorax.reports.incoming import Report, Unread
from thorax.reports.labeler import SILENT, Label, Labeler
from thorax.reports.lexicon import Lexicon
from thorax.reports.seen import Seen
from thorax.reports.settings import ReportsConfig

_SAY_EVERY_S = 10.0


@dataclass
class Mined:
    """What came of it.

    Attributes:
        reports: how many were mined.
        unread: how many were not.
        first: the first of these.
        states: how many reports per finding and state.
        encodings: how many reports per guessed encoding.
        silent: how many reports are normal only because their sections hold no word.
        headings: how many reports per section heading that `rules/sections.txt` lacks.
        flips: per finding, state before and state after, how many labels another set of rules
            flips.
        seconds: of wall time.
    """

    reports: int = 0
    unread: int = 0
    first: Unread | None = None
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    headings: Counter[str] = field(default_factory=Counter)
    flips: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    seconds: float = 0.0


def unread_path(output: Path) -> Path:
    """Where the list of what was not mined lies: beside the labels."""
    return output.with_name(f"{output.stem}.unread.csv")


def mentions_path(output: Path) -> Path:
    """Where all mentions lie, when they are wanted: beside the labels."""
    return output.with_name(f"{output.stem}.mentions.parquet")


def mine(
    incoming: Iterable[Report | Unread],
    output: Path,
    settings: ReportsConfig,
    *,
    knowledge: Lexicon | None = None,
    explain: bool = False,
    allow_none: bool = False,
) -> Mined:
    """Label every report into `output` (Parquet); all files appear at the end, or none does.

    Args:
        incoming: reports, as of `incoming.read`.
        output: the labels: one row per report x (14 findings and `normal`).
        settings: of the labeler.
        knowledge: phrases and rules; by default those of this package.
        explain: also write every mention with its rule, to `mentions_path(output)`.
        allow_none: write an empty table when there is no report at all.

    Raises:
        BadInput: no report could be mined.
    """
    labeler = Labeler(settings, knowledge)
    with ExitStack() as stack, _frozen():
        labels = _writer(stack, output, columns.LABELS)
        mentions = _writer(stack, mentions_path(output), columns.MENTIONS) if explain else None
        stream = _Stream(stack, unread_path(output), knowledge or lexicon.load())
        for reports in batches(stream.reports(incoming), lambda report: len(report.text)):
            told = [labeler.label(report.text) for report in reports]
            for report, found in zip(reports, told, strict=True):
                labels.extend(columns.label_cells(report.report, report.patient, found))
            stream.count(told)
            if mentions:
                for report in reports:
                    cells = columns.mention_cells(report.report, labeler.mentions(report.text))
                    mentions.extend(cells)
        stream.close(allow_none=allow_none)
    _drop_stale(stream.mined, output)
    return stream.mined


def compare(
    incoming: Iterable[Report | Unread],
    output: Path,
    settings: ReportsConfig,
    *,
    before: Lexicon,
    after: Lexicon,
) -> Mined:
    """Label every report by two sets of rules and write the labels that flip into `output`.

    Args:
        incoming: reports, as of `incoming.read`.
        output: Parquet: `columns.FLIPS`, one row per report and finding whose state flips.
        settings: of the labelers.
        before: the old phrases and rules.
        after: the new ones.

    Raises:
        BadInput: no report at all could be mined.
    """
    old, new = Labeler(settings, before), Labeler(settings, after)
    with ExitStack() as stack, _frozen():
        flips = _writer(stack, output, columns.FLIPS)
        stream = _Stream(stack, unread_path(output), after)
        for report in stream.reports(incoming):
            pairs = zip(old.label(report.text), new.label(report.text), strict=True)
            changed = [(one, two) for one, two in pairs if one.state != two.state]
            flips.extend(_flip_cells(report.report, changed))
            stream.mined.flips.update((one.finding, one.state, two.state) for one, two in changed)
        stream.close()
    _drop_stale(stream.mined, output)
    return stream.mined


@contextmanager
def _frozen() -> Iterator[None]:
    """Keep the garbage collector from looking at the knowledge again and again: 5 % of the time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _flip_cells(report: str, changed: list[tuple[Label, Label]]) -> dict[str, list[str]]:
    cells = {"report": [report] * len(changed), "finding": [one.finding for one, _ in changed]}
    for name in ("state", "rule", "sentence"):
        cells[f"{name}_before"] = [getattr(one, name) for one, _ in changed]
        cells[f"{name}_after"] = [getattr(two, name) for _, two in changed]
    return cells


def _writer(stack: ExitStack, path: Path, names: tuple[str, ...]) -> columns.ColumnWriter:
    temporary = stack.enter_context(artifacts.atomic_file(path))
    return stack.enter_context(columns.ColumnWriter(temporary, names))


def _drop_stale(mined: Mined, output: Path) -> None:
    """Remove an empty list: where none is, all was mined."""
    if not mined.unread:
        unread_path(output).unlink(missing_ok=True)


class _Stream:
    """Passes on what can be mined, once each, and lists the rest."""

    def __init__(self, stack: ExitStack, path: Path, knowledge: Lexicon) -> None:
        self.mined = Mined()
        self._known = knowledge.sections
        self._seen = Seen()
        self._started = self._said = time.monotonic()
        temporary = stack.enter_context(artifacts.atomic_file(path))
        file: TextIO = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
        self._list = csv.writer(file, lineterminator="\n")
        self._list.writerow(("where", "report", "reason"))

    def reports(self, incoming: Iterable[Report | Unread]) -> Iterator[Report]:
        for item in incoming:
            if isinstance(item, Unread):
                self._refuse(item)
            elif len(item.text) > artifacts.LONGEST_CELL:
                reason = f"{len(item.text):,} characters are no report"
                self._refuse(Unread(item.where, item.report, reason))
            elif not item.report:
                self._refuse(Unread(item.where, "", "no id"))
            elif not self._seen.add(item.report):
                self._refuse(Unread(item.where, item.report, "an earlier report has this id"))
            else:
                self._count(item)
                yield item

    def count(self, labels: list[list[Label]]) -> None:
        """Count the states that reports were given."""
        self.mined.silent += sum(told[-1].rule == SILENT for told in labels)
        self.mined.states.update([label[:2] for told in labels for label in told])

    def close(self, *, allow_none: bool = False) -> None:
        """Take the time; an input of which nothing could be mined leaves no file."""
        self.mined.seconds = time.monotonic() - self._started
        if not self.mined.reports and (self.mined.unread or not allow_none):
            if not self.mined.unread:
                raise BadInput("there is no report in it")
            first = self.mined.first
            why = f": {first.where}: {first.reason}" if first else ""
            raise BadInput(f"no report could be mined, {self.mined.unread:,} are unreadable{why}")

    def _refuse(self, item: Unread) -> None:
        self.mined.unread += 1
        self.mined.first = self.mined.first or item
        self._list.writerow((item.where, item.report, item.reason))

    def _count(self, report: Report) -> None:
        self.mined.reports += 1
        if report.encoding:
            self.mined.encodings[report.encoding] += 1
        for section in report.sections:
            if " ".join(section.lower().split()) not in self._known:
                self.mined.headings[section] += 1
        now = time.monotonic()
        if now - self._said >= _SAY_EVERY_S:
            self._said = now
            rate = self.mined.reports / (now - self._started)
            say(f"{self.mined.reports:,} reports mined ({rate:,.0f} a second)")
