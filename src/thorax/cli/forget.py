"""`thorax forget PATIENT`: find a patient everywhere, make a version without them, erase the rest.

The tombstone is written first, so that no pull brings them back whatever happens next. Every step
does nothing where it is done already: after a kill the same command goes on.
"""

import getpass
import io
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import typer

from flows import versions
from thorax import artifacts, config, environment
from thorax.cli import forget_report as report
from thorax.errors import BadInput, NetworkError, ThoraxError
from thorax.forget import erase as erasing
from thorax.forget import lineage, places
from thorax.forget.places import Place
from thorax.forget.stores import Folder, Store, open_remote
from thorax.forget.survey import Survey, source_of, survey
from thorax.locks import hold
from thorax.sources import removal, tombstones
from thorax.sources.config import SourcesConfig
from thorax.sources.tombstones import Tombstone

Step = Callable[[str], None]
_CORRECTIONS = "corrections.csv"
_REMOTE = re.compile(r"(\S+)\s+(.*?)(?:\s+\(default\))?")


@dataclass(frozen=True)
class Surroundings:
    """The checkout, its working trees, and DVC's stores: the cache first, then what answers."""

    root: Path
    trees: list[Path]
    cache: Folder
    remotes: list[Store]
    unreached: list[str]

    @property
    def stores(self) -> list[Store]:
        """The cache and every remote that answers."""
        return [self.cache, *self.remotes]

    def folders(self) -> list[Path]:
        """Where stores lie on this machine."""
        return [store.path.resolve() for store in self.stores if isinstance(store, Folder)]


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
        step: told before each step of an erasure.

    Raises:
        BadInput: nobody of that id is known.
        Refused: they are the last patient.
        ThoraxError: something of them is left, or a remote does not answer.
    """
    root, home = artifacts.root(), artifacts.home()
    environment.apply(root)
    with hold(home / "retraining.lock", "forget a patient"):
        around = _look_around(root)
        source = source or source_of(root / "data") or config.load("sources", SourcesConfig).name
        found = _survey(around, patient, source)
        stone = tombstones.find(_stones(root), patient, source=source)
        journal = _journal(home, stone)
        if not found.holding and stone is None:
            raise BadInput(_unknown(patient, found))
        found = erasing.resume(found, journal)
        report.print_survey(found, _places(around, found, whole=erase), around.unreached)
        if dry_run:
            print("dry run: nothing was changed")
            return
        _confirm(patient, source, erase=erase, yes=yes)
        stone = _next_version(around, patient, found, day=today or datetime.now(UTC).date())
        erased = None
        if erase:
            erased = _erase(around, patient, found, _journal(home, stone), step)
        report.print_todo(found, around.unreached, erased, history=_history(root, found))
    if erased and (erased.left or around.unreached):
        raise ThoraxError("not everything is erased, see above: mend it and run the same again")


def _look_around(root: Path) -> Surroundings:
    answer = _dvc(root, "cache", "dir")
    remotes: list[Store] = []
    unreached: list[str] = []
    for line in _dvc(root, "remote", "list").splitlines():
        match = _REMOTE.fullmatch(line.strip())
        if match is None:
            continue
        try:
            _refuse_settings(root, match[1])
            remotes.append(open_remote(match[1], match[2]))
            next(remotes[-1].digests(), None)  # whether it answers
        except NetworkError as error:
            unreached.append(str(error))
    unreached_names = {text.partition(" ")[0] for text in unreached}
    remotes = [store for store in remotes if store.name not in unreached_names]
    cache = Folder("DVC cache", Path(answer.strip()))
    return Surroundings(root, lineage.worktrees(root), cache, remotes, unreached)


def _refuse_settings(root: Path, name: str) -> None:
    """A remote with settings of its own is not the one that its URL alone would lead to."""
    lines = _dvc(root, "config", "--list").splitlines()
    mine = [line.partition("=")[0] for line in lines if line.startswith(f"remote.{name}.")]
    if more := sorted({key.rpartition(".")[2] for key in mine} - {"url"}):
        raise NetworkError(f"{name} has settings that only DVC reads ({', '.join(more)})")


def _survey(around: Surroundings, patient: str, source: str) -> Survey:
    data = around.root / "data"
    if not data.exists():
        versions.fetch()
    untracked = data.exists() and not versions.is_tracked()
    found = survey(around.root, patient, source=source, trees=around.trees, kept=around.stores,
                   cache=around.cache.path, untracked=untracked)  # fmt: skip
    traces = replace(found.traces, patients=found.traces.patients | {patient})
    return replace(found, traces=traces)


def _places(around: Surroundings, found: Survey, *, whole: bool) -> list[Place]:
    stores = around.folders()
    return places.find(around.root, around.trees, found, stores=stores, whole=whole)


def _next_version(around: Surroundings, patient: str, found: Survey, *, day: date) -> Tombstone:
    """Tombstone, data without the patient, corrections without theirs, and one commit of these."""
    root, data = around.root, around.root / "data"
    changed = [versions.FILE, tombstones.FILE]
    if source_of(data) == found.source:
        removal.refuse_last(data, patient)
    path = root / tombstones.FILE
    stone = tombstones.bury(path, patient, source=found.source, day=day, who=_who(root))
    if source_of(data) == found.source:
        settings = config.load("sources", SourcesConfig)
        done = removal.remove(
            data, patient, stones=_stones(root), per_archive=settings.images_per_archive,
            home=artifacts.home(),
        )  # fmt: skip
        report.print_removal(done)
        if not versions.is_tracked():
            versions.track()
    corrections = root / _CORRECTIONS
    if corrections.exists() and found.traces.in_path(corrections):
        places.clear(Place(corrections, "corrections", "rows"), found.traces)
        changed.append(_CORRECTIONS)
    _commit(root, changed, f"Remove a patient from the data (tombstone {stone.patient_hash[:12]})")
    return stone


def _erase(
    around: Surroundings, patient: str, before: Survey, journal: Path, step: Step
) -> erasing.Erased:
    again = _survey(around, patient, before.source)
    found = replace(again, traces=again.traces | before.traces,
                    archives=again.archives | before.archives,
                    pictures=again.pictures | before.pictures)  # fmt: skip
    with hold(artifacts.home() / "dvc.lock", "erase a patient"):
        erased = erasing.erase(
            around.root, found, kept=around.stores, journal=journal, step=step,
            here=lambda: _places(around, found, whole=True),
        )  # fmt: skip
        content = {"objects": erased.digests, "places": erased.places, "left": len(erased.left)}
        artifacts.write_json(journal.with_suffix(".receipt.json"), content)
        if not erased.left and not around.unreached:
            journal.unlink()
    return erased


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
    lost = f" ({len(found.unknown)} versions are in no store any more)" if found.unknown else ""
    return (
        f"no patient {patient!r} in any of {len(found.judged):,} versions of source "
        f"{found.source!r}{lost}: ids are those of data/entries.csv, column patient; "
        "another source is named with --source"
    )


def _journal(home: Path, stone: Tombstone | None) -> Path:
    return home / places.FOLDER / f"{stone.patient_hash[:16] if stone else 'none'}.json"


def _stones(root: Path) -> list[Tombstone]:
    return tombstones.read(root / tombstones.FILE)


def _who(root: Path) -> str:
    return lineage.git(root, "config", "user.name", check=False).strip() or getpass.getuser()


def _dvc(root: Path, *arguments: str) -> str:
    """What a reading DVC command says."""
    answer = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, env=environment.variables(root),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        raise ThoraxError(f"dvc {' '.join(arguments)}: {answer.stderr.strip()[-500:]}")
    return answer.stdout
