"""`thorax pull` and `thorax data …`: the faces of `flows.versions`."""

import csv
import io
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows import dvc, running, versions
from thorax import artifacts, environment
from thorax.cli import presets
from thorax.sources import registry, tombstones

_SHOWN = 10


def pull(*, source: str | None, from_path: Path | None, commit: str | None) -> None:
    """Pull from a source into `data/` and track it; commit `data.dvc` alone when asked to."""
    environment.apply(artifacts.root())
    with running.exclusively("pull"):
        if source:
            registry.find(source)  # an unknown one is said before it is written
            presets.set_values({"sources": {"name": source}}, artifacts.root())
        result = versions.pull_version(from_path)
        print(f"dataset {versions.current()[:12]}: {result.images:,} images from {result.source}")
        if commit:
            print(f"committed data.dvc as {versions.commit(commit)}")


def print_log() -> None:
    """Print the versions, newest first."""
    dvc.repair_records()
    table = Table("version", "images and tables", "size", "commit", "date", "what", box=None)
    for version in versions.log():
        name = " ".join([version.digest[:12], *(f"({tag})" for tag in version.tags)])
        size = f"{version.size_bytes / 1e6:,.0f} MB"
        table.add_row(
            name, f"{version.files:,} files", size, version.commit, version.date, version.subject
        )
    Console().print(table)


def print_diff(old: str, new: str | None) -> None:
    """Print which entries came, went or changed between two versions, and which files."""
    dvc.repair_records()
    before, after = (_entries(revision) for revision in (old, new))
    came, went = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {image for image in after.keys() & before.keys() if after[image] != before[image]}
    print(f"{old} -> {new or 'working tree'}: {len(before):,} -> {len(after):,} images")
    for sign, images in (("+", came), ("-", went), ("~", changed)):
        if images:
            shown = ", ".join(sorted(images)[:_SHOWN])
            more = f" and {len(images) - _SHOWN:,} more" if len(images) > _SHOWN else ""
            print(f"  {sign} {len(images):,}: {shown}{more}")
    for table, (one, other) in _table_digests(old, new).items():
        if one != other:
            print(f"  {table} differs")
    if versions.digest_at(old) == versions.digest_at(new):
        print("  the same version")


def checkout(revision: str) -> None:
    """Bring `data/` to an earlier version."""
    environment.apply(artifacts.root())
    with running.exclusively("checkout of a data version"):
        digest = versions.checkout(revision)
    print(f"data/ is now version {digest[:12]}; `dvc repro` rebuilds from it")
    if held := _forgotten_in(artifacts.root()):
        print(f"it holds {held:,} forgotten patients: train nothing on it; a pull leaves them out")
    print("(`thorax retrain` pulls first, and so goes on to what the source has now)")


def commit(message: str) -> None:
    """Commit `data.dvc` alone."""
    with running.exclusively("commit of the data version"):
        print(f"committed data.dvc as {versions.commit(message)}")


def tag(name: str) -> None:
    """Name the committed version."""
    with running.exclusively("tag of the data version"):
        print(f"tagged {versions.current()[:12]} as {versions.tag(name)}")


def push() -> None:
    """Send the version in the working tree to the DVC remote."""
    environment.apply(artifacts.root())
    with running.exclusively("push of the data version"):
        dvc.write("push", versions.FILE)


def _forgotten_in(root: Path) -> int:
    """How many patients of `data/` have a tombstone."""
    source = str(artifacts.read_json(root / "data/source.json").get("source", ""))
    patients = artifacts.read_csv(root / "data/entries.csv").get("patient", ())
    stones = tombstones.read(root / tombstones.FILE)
    return len(tombstones.matching(stones, patients, source=source))


def _entries(revision: str | None) -> dict[str, tuple[str, ...]]:
    rows = csv.reader(io.StringIO(versions.read_table(revision, "entries.csv")))
    next(rows, None)
    return {row[0]: tuple(row[1:]) for row in rows if row}


def _table_digests(old: str, new: str | None) -> dict[str, tuple[str, str]]:
    one, other = (versions.tables_at(revision) for revision in (old, new))
    return {name: (one.get(name, ""), other.get(name, "")) for name in sorted({*one, *other})}
