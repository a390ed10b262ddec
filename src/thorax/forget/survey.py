"""Everything of a patient that can be found: data versions, models, releases, predictions, files.

Reads only. What DVC's stores no longer have cannot be judged, and is said to be unknown.
"""

import hashlib
import io
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from thorax import artifacts
from thorax.forget import lineage, releases, versions
from thorax.forget.lineage import Run
from thorax.forget.releases import Release
from thorax.forget.stores import Store, read
from thorax.forget.traces import Traces
from thorax.forget.versions import DataVersion, Judged

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".svg", ".html")
_CURVES_ONLY = ("evaluation",)  # stages whose pictures show numbers, never an image
_MANIFEST = "artifacts/dataset/manifest.parquet"


@dataclass(frozen=True)
class Model:
    """A trained model that a version with the patient led to.

    Attributes:
        digest: the md5 of the training's output.
        where: the commits and working trees that have it.
        splits: split -> how many of their images; None when the manifest is nowhere any more.
    """

    digest: str
    where: tuple[str, ...]
    splits: dict[str, int] | None

    @property
    def name(self) -> str:
        """How it is called in a list."""
        return self.digest[:12]

    @property
    def learned(self) -> bool:
        """Whether it was trained or chosen on their images, as far as can be told."""
        return self.splits is None or bool({"train", "validation"} & self.splits.keys())


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        source: of the patient.
        judged: every version of the data that can be read.
        unknown: versions that no store has any more.
        models: models that follow from a version with the patient.
        releases: packages of those models, and what is served.
        traces: what the patient is known by.
        archives: path inside `data/` and sha256 of every archive with an image of theirs.
        foreign: md5 of what belongs to other sources alone: same names there are other people.
        pictures: md5 of pictures drawn by stages that ran on a version with the patient.
    """

    source: str
    judged: tuple[Judged, ...]
    unknown: tuple[DataVersion, ...]
    models: tuple[Model, ...]
    releases: tuple[Release, ...]
    traces: Traces
    archives: frozenset[tuple[str, str]]
    foreign: frozenset[str]
    pictures: frozenset[str]

    @property
    def holding(self) -> tuple[Judged, ...]:
        """The versions with the patient."""
        return tuple(each for each in self.judged if each.holds)


def survey(
    root: Path, patient: str, *, source: str, trees: list[Path], kept: list[Store], cache: Path
) -> Survey:  # fmt: skip
    """Look everywhere.

    Args:
        root: the checkout.
        patient: the id as in `entries.csv`.
        source: the source whose patient it is.
        trees: every working tree, `root` first.
        kept: DVC's cache, then its remotes.
        cache: the folder of the cache.
    """
    found = versions.known(root, trees, kept)
    if (root / "data").exists() and not _is_one_of(root, found):
        found.append(DataVersion("", ("data/",), folder=root / "data"))
    judged = [versions.judge(each, patient, kept) for each in found]
    readable = tuple(each for each in judged if each.source)
    holding = [each for each in readable if each.source == source and each.holds]
    all_runs = lineage.runs(root, trees, cache)
    tainted, after = lineage.derived(_seeds(holding), all_runs, kept)
    traces, archives = _traces(holding, patient, kept)
    return Survey(
        source=source,
        judged=tuple(each for each in readable if each.source == source),
        unknown=tuple(each.version for each in judged if not each.source),
        models=tuple(_models(after, traces, kept)),
        releases=tuple(releases.find(root, trees, {each.version.digest for each in holding},
                                     [run for run in after if run.stage == "release"], kept)),
        traces=traces,
        archives=archives,
        foreign=_foreign(readable, source, all_runs, kept),
        pictures=_pictures(after, tainted, kept),
    )  # fmt: skip


def _seeds(judged: Iterable[Judged]) -> frozenset[str]:
    return frozenset().union(*(each.seeds() for each in judged))


def _foreign(
    judged: Iterable[Judged], source: str, runs: list[Run], kept: list[Store]
) -> frozenset[str]:
    judged = list(judged)
    sides = []
    for side in (True, False):
        mine = [each for each in judged if (each.source == source) is side]
        made, _ = lineage.derived(_seeds(mine), runs, kept)
        sides.append(made.union(*(each.version.files.values() for each in mine)))
    return sides[1] - sides[0]


def _traces(
    holding: list[Judged], patient: str, kept: list[Store]
) -> tuple[Traces, frozenset[tuple[str, str]]]:
    gone = [each.gone for each in holding]
    traces = Traces(
        frozenset({patient}),
        frozenset().union(*(each.images for each in gone)),
        frozenset().union(*(each.reports for each in gone)),
    )
    archives: set[tuple[str, str]] = set()
    seen: set[tuple[str, str]] = set()
    for each in holding:
        for path in each.version.archives():
            key = (path, each.archives.get(path, ""))
            wanted = key not in seen and _may_hold(key[1], traces)
            file = each.version.open(path, kept) if wanted else None
            seen.add(key)
            if file is not None:
                with closing(file):
                    theirs = traces.members_of(file)
                traces |= theirs
                archives |= {key} if theirs.digests else set()
    return traces, frozenset(archives)


def _may_hold(sha256: str, traces: Traces) -> bool:
    """False when a pull's listing of that archive names none of theirs: 4 GB need not be read."""
    listing = artifacts.home() / "listings" / f"{sha256}.txt"
    if not sha256 or not listing.exists():
        return True
    return not traces.images.isdisjoint(listing.read_text(encoding="utf-8").split("\n"))


def _models(after: list[Run], traces: Traces, kept: list[Store]) -> Iterable[Model]:
    for run in after:
        if run.stage == "training":
            digest = next(iter(run.outs.values()), "")
            yield Model(digest, run.where, _splits(run.deps.get(_MANIFEST, ""), traces, kept))


def _splits(manifest: str, traces: Traces, kept: list[Store]) -> dict[str, int] | None:
    content = read(kept, manifest) if manifest else None
    if content is None:
        return None
    table = pd.read_parquet(io.BytesIO(content), columns=["image", "split"])
    theirs = table.loc[table["image"].isin(traces.images), "split"]
    return {str(split or "none"): int(count) for split, count in theirs.value_counts().items()}


def _pictures(after: list[Run], tainted: frozenset[str], kept: list[Store]) -> frozenset[str]:
    found: set[str] = set()
    for run in after:
        for digest in run.outs.values() if run.stage not in _CURVES_ONLY else ():
            files = lineage.members(kept, digest).items()
            found |= {md5 for path, md5 in files if is_picture(path)}
    return frozenset(found) & tainted


def is_picture(path: str) -> bool:
    """Whether a file may show an image, by its suffix."""
    return PurePosixPath(path).suffix.lower() in _PICTURES


def is_tracked(root: Path, trees: list[Path], kept: list[Store]) -> bool:
    """Whether `data/` is the version that `data.dvc` names, by its `source.json`."""
    current = [each for each in versions.known(root, trees, kept) if "working tree" in each.where]
    return _is_one_of(root, current)


def _is_one_of(root: Path, found: list[DataVersion]) -> bool:
    path = root / "data/source.json"  # it has the checksums of all the rest
    if not path.exists():
        return False
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return any(each.files.get("source.json") == md5 for each in found)


def source_of(data: Path) -> str:
    """The source of `data/`; empty when there is none."""
    path = data / "source.json"
    return str(artifacts.read_json(path).get("source", "")) if path.exists() else ""
