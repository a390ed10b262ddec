"""`thorax forget PATIENT`: find a patient everywhere, make a version without them, erase the rest.

The tombstone is written first, so that no pull brings them back whatever happens next. Every step
does nothing where it is done already: after a kill the same command goes on.
"""

import getpass
import io
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import typer

from flows import dvc, running, versions
from thorax import artifacts, config, environment
from thorax.cli import forget_report as report
from thorax.cli.forget_around import Surroundings, look_around
from thorax.errors import BadInput, ThoraxError
from thorax.forget import erase as erasing
from thorax.forget import lineage, places
from thorax.forget.erase import Erased
from thorax.forget.places import Place
from thorax.forget.survey import Survey, is_tracked, source_of, survey
from thorax.locks import hold
from thorax.sources import removal, tombstones
from thorax.sources.config import SourcesConfig
from thorax.sources.tombstones import Tombstone

Step = Callable[[str], None]
_CORRECTIONS = "corrections.csv"


def forget(
    patient: str, *, source: str | None, erase: bool, dry_run: bool, yes: bool,
    today: date | None = None, step: Step = lambda _: None,
) -> None:  # fmt: skip
    """Forget a patient.

    Args:
        patient: the id as in `data/entries.csv`.
        source: the source whose patient it is; None is that of `data/`.
        erase: also from DVC's cache and remotes, and from this machine.
        dry_run: list only.
        yes: ask nothing.
        today: the date of the tombstone; None is the clock's.
        step: told before each step that changes something.

    Raises:
        BadInput: nobody of that id is known.
        Refused: they are the last patient.
        ThoraxError: something of them is left, or a remote does not answer.
    """
    root = artifacts.root()
    environment.apply(root)
    with running.exclusively("forget a patient"):
        around = look_around(root)
        for tree in around.trees:
            dvc.repair_records(tree)
        source = source or source_of(root / "data") or config.load("sources", SourcesConfig).name
        stone = tombstones.find(_stones(root), patient, source=source)
        found = _survey(around, patient, source, stone)
        if not found.holding and stone is None:
            raise BadInput(_unknown(patient, found))
        report.print_survey(found, around.places(found, whole=erase), around.unreached)
        if dry_run:
            print("dry run: nothing was changed")
            return
        _confirm(patient, source, erase=erase, yes=yes)
        stone = _bury(root, patient, source, today or datetime.now(UTC).date(), step)
        _next_version(around, patient, found, stone, step)
        erased = _erase(around, patient, found, stone, step) if erase else None
        report.print_todo(found, around.unreached, erased, history=_history(root, found))
    if erased and (erased.left or around.unreached):
        raise ThoraxError("not everything is erased, see above: mend it and run the same again")


def _survey(around: Surroundings, patient: str, source: str, stone: Tombstone | None) -> Survey:
    """What is found now, and what an erasure that was broken off had found."""
    if not (around.root / "data").exists():
        versions.fetch()
    found = survey(around.root, patient, source=source, trees=around.trees, kept=around.stores,
                   cache=around.cache.path)  # fmt: skip
    return erasing.resume(found, _journal(stone)) if stone else found


def _bury(root: Path, patient: str, source: str, day: date, step: Step) -> Tombstone:
    if source_of(root / "data") == source:
        removal.check(root / "data", patient)
    step("tombstone")
    path = root / tombstones.FILE
    return tombstones.bury(path, patient, source=source, day=day, who=_who(root))


def _next_version(
    around: Surroundings, patient: str, found: Survey, stone: Tombstone, step: Step
) -> None:
    """Data without the patient, corrections without theirs, and one commit of both."""
    root, changed = around.root, [versions.FILE, tombstones.FILE]
    if source_of(root / "data") == found.source:
        step("data")
        done = removal.remove(
            root / "data", patient, stones=_stones(root), home=artifacts.home(),
            per_archive=config.load("sources", SourcesConfig).images_per_archive,
        )  # fmt: skip
        report.print_removal(done)
        step("track")
        if not is_tracked(root, around.trees, around.stores):
            versions.track()
    corrections = root / _CORRECTIONS
    if corrections.exists() and found.traces.in_path(corrections):
        step("corrections")
        places.clear(Place(corrections, "corrections", "rows"), found.traces)
        changed.append(_CORRECTIONS)
    step("commit")
    _commit(root, changed, f"Remove a patient from the data (tombstone {stone.patient_hash[:12]})")


def _erase(
    around: Surroundings, patient: str, before: Survey, stone: Tombstone, step: Step
) -> Erased:
    again = _survey(around, patient, before.source, stone)  # it knows the version of now
    found = replace(again, traces=again.traces | before.traces,
                    archives=again.archives | before.archives,
                    pictures=again.pictures | before.pictures,
                    models=before.models, releases=before.releases)  # fmt: skip
    journal = _journal(stone)
    with hold(artifacts.home() / "dvc.lock", "erase a patient"):
        erased = erasing.erase(
            around.root, found, kept=around.stores, journal=journal, step=step,
            here=lambda: around.places(found, whole=True),
        )  # fmt: skip
        _write_receipt(journal.with_suffix(".receipt.json"), erased)
        if not erased.left and not around.unreached:
            journal.unlink()
    return erased


def _write_receipt(path: Path, erased: Erased) -> None:
    """The digests of all that was erased, by earlier calls too; it names nobody."""
    before = artifacts.read_json(path)["objects"] if path.exists() else []
    content = {"objects": sorted({*before, *erased.digests}), "left": len(erased.left)}
    artifacts.write_json(path, content)


def _commit(root: Path, names: list[str], message: str) -> None:
    there = [name for name in names if (root / name).exists()]
    lineage.git(root, "add", "--intent-to-add", "--", *there)
    if lineage.git(root, "diff", "--name-only", "HEAD", "--", *there).strip():
        lineage.git(root, "commit", "--quiet", "-m", message, "--only", "--", *there)
        commit = lineage.git(root, "rev-parse", "--short", "HEAD").strip()
        print(f"committed {', '.join(there)} as {commit}")


def _history(root: Path, found: Survey) -> list[str]:
    """Commits whose corrections.csv names the patient's images: git keeps them."""
    return [
        text.where
        for text in lineage.texts(root, _CORRECTIONS, [])
        if found.traces.in_file(io.BytesIO(text.text.encode()))
    ]


def _confirm(patient: str, source: str, *, erase: bool, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput("nobody is there to be asked: add --yes, or --dry-run to list only")
    what = "Remove from the data, and erase all listed above for good" if erase else "Remove"
    typer.confirm(f"{what}: patient {patient!r} of {source}?", abort=True)


def _unknown(patient: str, found: Survey) -> str:
    lost = f" ({len(found.unknown)} more are in no store)" if found.unknown else ""
    return (
        f"no patient {patient!r} in any of {len(found.judged):,} versions of source "
        f"{found.source!r}{lost}: ids are those of data/entries.csv, column patient; "
        "another source is named with --source"
    )


def _journal(stone: Tombstone) -> Path:
    return artifacts.home() / places.FOLDER / f"{stone.patient_hash[:16]}.json"


def _stones(root: Path) -> list[Tombstone]:
    return tombstones.read(root / tombstones.FILE)


def _who(root: Path) -> str:
    return lineage.git(root, "config", "user.name", check=False).strip() or getpass.getuser()
