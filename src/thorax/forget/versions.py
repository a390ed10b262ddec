"""Every version of the data that git or DVC knows, and which of them hold a patient."""

import io
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from thorax.forget import lineage
from thorax.forget.stores import Store
from thorax.sources import without
from thorax.sources.layout import COLUMNS
from thorax.sources.without import Gone


@dataclass(frozen=True)
class DataVersion:
    """One version.

    Attributes:
        digest: the md5 of its listing, with `.dir`; empty for a folder that DVC does not track yet.
        where: the commits and working trees that name it.
        files: path inside `data/` -> md5; empty where the listing is in no store.
        folder: where it lies, when it lies nowhere else.
    """

    digest: str
    where: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def name(self) -> str:
        """How it is called in a list."""
        return self.digest[:12] or "not tracked"

    def open(self, path: str, kept: list[Store]) -> BinaryIO | None:
        """A file of the version; None when no store has it any more."""
        if self.folder is not None and (self.folder / path).is_file():
            return (self.folder / path).open("rb")
        for store in kept if path in self.files else ():
            try:
                return store.open(self.files[path])
            except FileNotFoundError:
                continue
        return None

    def archives(self) -> list[str]:
        """Paths of its archives."""
        names = [path for path in self.files if path.startswith("images/")]
        if self.folder is not None:
            names = [f"images/{path.name}" for path in (self.folder / "images").glob("*")]
        return sorted(names)


@dataclass(frozen=True)
class Judged:
    """A version, its source, and what it has of the patient.

    Attributes:
        source: empty when the version cannot be read any more.
        gone: the patient's part; empty when it has none.
        archives: path -> sha256 of each of its archives.
        headers_only: its tables without a row, which have the same md5 in every source.
    """

    version: DataVersion
    source: str = ""
    gone: Gone = field(default_factory=Gone)
    archives: Mapping[str, str] = field(default_factory=dict)
    headers_only: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether the patient is in it."""
        return bool(self.gone.patients)

    def seeds(self) -> frozenset[str]:
        """The md5 of what identifies it, from which everything else was made."""
        wanted = {"source.json", "entries.csv", "reports.csv"} - self.headers_only
        files = self.version.files
        return frozenset(files[name] for name in wanted & files.keys())


def known(root: Path, trees: Iterable[Path], kept: list[Store]) -> list[DataVersion]:
    """Every version: of git's history, of working trees, and what DVC's stores hold besides."""
    where: dict[str, list[str]] = {}
    for text in lineage.texts(root, lineage.DATA, trees):
        if digest := lineage.data_digest(text.text):
            where.setdefault(digest, []).append(text.where)
    found = {
        digest: DataVersion(digest, tuple(places), lineage.members(kept, digest))
        for digest, places in where.items()
    }
    for store in kept:
        for digest in store.digests():
            if digest.endswith(".dir") and digest not in found:
                files = lineage.members(kept, digest)
                if {"source.json", "entries.csv"} <= files.keys():
                    found[digest] = DataVersion(digest, (f"only in {store.name}",), files)
    return list(found.values())


def judge(version: DataVersion, patient: str, kept: list[Store]) -> Judged:
    """What a version has of the patient."""
    about = _read(version, "source.json", kept)
    tables = {name: _table(version, name, kept) for name in ("entries", "reports")}
    if about is None or tables["entries"] is None or tables["reports"] is None:
        return Judged(version)
    identity = json.loads(about)
    read = {name: table for name, table in tables.items() if table is not None}
    return Judged(
        version,
        str(identity["source"]),
        without.find(read, [patient]),
        {name: facts["sha256"] for name, facts in identity.get("archives", {}).items()},
        frozenset(f"{name}.csv" for name, table in read.items() if table.empty),
    )


def _table(version: DataVersion, name: str, kept: list[Store]) -> pd.DataFrame | None:
    content = _read(version, f"{name}.csv", kept)
    if content is None:
        return None
    table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    return table.reindex(columns=list(COLUMNS[name]), fill_value="")


def _read(version: DataVersion, path: str, kept: list[Store]) -> bytes | None:
    file = version.open(path, kept)
    if file is None:
        return None
    with closing(file):
        return file.read()
