"""Erases a patient from DVC's stores and this machine, and proves that nothing is left.

What is to go is written to a journal first, so that a kill at any moment loses nothing: the next
run reads it and goes on. An object goes when its content has something of the patient, or when a
stage drew it from a version with them; it goes whole, with whoever else is in it, since contents
are named by their digest. The version of now holds nothing of the patient, and so loses nothing.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from thorax import artifacts
from thorax.errors import ThoraxError
from thorax.forget import places
from thorax.forget.places import Place
from thorax.forget.releases import Release
from thorax.forget.stores import Store
from thorax.forget.survey import Model, Survey
from thorax.forget.traces import Traces
from thorax.progress import track

Step = Callable[[str], None]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Known = TypeVar("Known", bound=_Named)


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Attributes:
        objects: store -> how many objects left it.
        digests: their md5, sorted; what must go as well wherever else it lies.
        places: kind -> how many files and folders of this machine were removed or rewritten.
        told: places that an erasure leaves to people.
        left: what the search afterwards still found; empty when all is well.
    """

    objects: dict[str, int]
    digests: tuple[str, ...]
    places: dict[str, int]
    told: tuple[Place, ...]
    left: tuple[str, ...]


def resume(found: Survey, journal: Path) -> Survey:
    """The survey with what an erasure that was broken off had found."""
    if not journal.exists():
        return found
    before = artifacts.read_json(journal)
    traces = Traces(**{name: frozenset(before["traces"][name]) for name in _TRACES})
    return replace(
        found,
        traces=found.traces | traces,
        archives=found.archives | {(path, sha256) for path, sha256 in before["archives"]},
        pictures=found.pictures | set(before["pictures"]),
        models=_merged(found.models, [_model(entry) for entry in before["models"]]),
        releases=_merged(found.releases, [_release(entry) for entry in before["releases"]]),
    )


def objects(found: Survey, kept: Iterable[Store]) -> dict[str, set[str]]:
    """Store -> the md5 of every object that must go."""
    judged: dict[str, bool] = {}
    return {store.name: {digest for digest in _of(store) if _holds(store, digest, found, judged)}
            for store in kept}  # fmt: skip


def erase(
    root: Path, found: Survey, *, kept: list[Store], here: Callable[[], list[Place]], journal: Path,
    step: Step = lambda _: None,
) -> Erased:  # fmt: skip
    """Erase, and search again.

    Args:
        root: the checkout.
        found: the survey, with what a broken-off erasure had found.
        kept: DVC's cache, then every remote that answers.
        here: finds the places of this machine.
        journal: the file that a broken-off erasure leaves behind; it names the patient's images.
        step: told before each step.
    """
    step("journal")
    _write_journal(journal, found)
    local = here()
    doomed = objects(found, kept)
    _refuse_current(found, doomed)
    for place in local:
        step(f"place {place.kind}")
        places.clear(place, found.traces)
    for store in kept:
        for digest in sorted(doomed[store.name]):
            step(f"object {store.name}")
            store.delete(digest)
    step("run cache")
    _forget_runs(root, kept, set().union(*doomed.values()))
    left = [f"{store}: {digest}" for store, digests in objects(found, kept).items()
            for digest in sorted(digests)]  # fmt: skip
    again = here()
    left += [f"{place.kind}: {place.path}" for place in again if place.how != "tell"]
    return Erased(
        {store.name: len(doomed[store.name]) for store in kept},
        tuple(sorted(set().union(*doomed.values()))),
        _counted(place for place in local if place.how != "tell"),
        tuple(place for place in again if place.how == "tell"),
        tuple(left),
    )


def _write_journal(journal: Path, found: Survey) -> None:
    traces = {name: sorted(getattr(found.traces, name)) for name in _TRACES}
    content: dict[str, Any] = {
        "traces": traces,
        "archives": sorted(found.archives),
        "pictures": sorted(found.pictures),
        "models": [asdict(model) for model in found.models],
        "releases": [asdict(release) for release in found.releases],
    }
    artifacts.write_json(journal, content)


def _merged(now: tuple[Known, ...], before: list[Known]) -> tuple[Known, ...]:
    """What is found now first: it may know more places of the same model or package."""
    names = {each.name for each in now}
    return (*now, *(each for each in before if each.name not in names))


def _model(entry: dict[str, Any]) -> Model:
    return Model(**{**entry, "where": tuple(entry["where"])})


def _release(entry: dict[str, Any]) -> Release:
    return Release(**{**entry, "where": tuple(entry["where"])})


def _of(store: Store) -> list[str]:
    digests = list(store.digests())
    return list(track(digests, f"reading {store.name}", len(digests)))


def _holds(store: Store, digest: str, found: Survey, judged: dict[str, bool]) -> bool:
    if digest not in judged:
        judged[digest] = digest not in found.foreign and (
            digest in found.pictures or _has_traces(store, digest, found.traces)
        )
    return judged[digest]


def _has_traces(store: Store, digest: str, traces: Traces) -> bool:
    try:
        with closing(store.open(digest)) as file:
            return traces.in_file(file)
    except FileNotFoundError:
        return False


def _refuse_current(found: Survey, doomed: dict[str, set[str]]) -> None:
    """The version of now was made without the patient; if it is hit, something is wrong."""
    for each in found.judged:
        if "working tree" in each.version.where and not each.holds:
            hit = set(each.version.files.values()) & set().union(*doomed.values())
            if hit:
                paths = [path for path, md5 in each.version.files.items() if md5 in hit]
                raise ThoraxError(
                    f"data/{paths[0]} of the version without the patient still names them: nothing "
                    "was erased; see which rows do, mend the source, and forget them again"
                )


def _forget_runs(root: Path, kept: list[Store], gone: set[str]) -> None:
    """Remove runs that name an erased object from DVC's run cache: they lead nowhere now."""
    for store in kept:
        base = getattr(store, "path", None)
        for path in sorted((base / "runs").rglob("*")) if base else ():
            if path.is_file() and any(digest in gone for digest in _words(path)):
                path.unlink()


def _words(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").replace("'", " ").split())


def _counted(found: Iterable[Place]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for place in found:
        counts[place.kind] = counts.get(place.kind, 0) + 1
    return dict(sorted(counts.items()))


_TRACES = tuple(field.name for field in fields(Traces))
