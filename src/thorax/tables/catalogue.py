"""Which tables there are: by the paper's numbers and by name. A new one is a line here."""

from collections.abc import Callable
from dataclasses import dataclass

from thorax.errors import BadInput
from thorax.tables import boxes, classification, counts, mining, pooling
from thorax.tables.table import Table


@dataclass(frozen=True)
class Entry:
    """A group of tables that are made together.

    Attributes:
        name: what a person calls it.
        numbers: the paper's numbers of its tables; the files of number N are `table-N`.
        build: makes them from the files of this checkout.
    """

    name: str
    numbers: tuple[str, ...]
    build: Callable[[], list[Table]]


CATALOGUE = (
    Entry("counts", ("1",), counts.build),
    Entry("labels", ("2", "18"), mining.build),
    Entry("classification", ("3", "17"), classification.build),
    Entry("localization", ("4", "7", "19"), boxes.build),
    Entry("pooling", (), pooling.build),
)


def build(wanted: list[str]) -> list[Table]:
    """The tables that are wanted, by number or name, in the catalogue's order; all when empty.

    Raises:
        BadInput: a word means no table; the message lists those that there are.
    """
    words = list(dict.fromkeys(word.lower().removeprefix("table-") for word in wanted))
    known = {word for entry in CATALOGUE for word in (entry.name, *entry.numbers)}
    if strange := [word for word in words if word not in known]:
        there = "; ".join(" ".join((entry.name, *entry.numbers)) for entry in CATALOGUE)
        raise BadInput(f"no table {strange[0]!r}; there are: {there}")
    return [
        table
        for entry in CATALOGUE
        if not words or {entry.name, *entry.numbers} & set(words)
        for table in _chosen(entry, words)
    ]


def _chosen(entry: Entry, words: list[str]) -> list[Table]:
    """All tables of an entry that is named; of one that is numbered, those numbers."""
    tables = entry.build()
    if not words or entry.name in words:
        return tables
    return [table for table in tables if table.name.removeprefix("table-") in words]
