"""What `thorax forget` prints: what was found, what was done, and what people must do now."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from thorax.forget.erase import Erased
from thorax.forget.places import Place
from thorax.forget.survey import Survey
from thorax.sources.removal import Removal

_SHOWN = 2  # commits of one row
_LONG = 44  # characters of a commit's first line that are shown


def print_survey(found: Survey, places: Sequence[Place], unreached: Sequence[str]) -> None:
    """Everything that holds the patient."""
    console = Console()
    images, reports = len(found.traces.images), len(found.traces.reports)
    console.print(f"patient of {found.source}: {images:,} images, {reports:,} reports")
    _print(console, "data versions", ("version", "images", "archives", "where"), [
        (each.version.name, f"{len(each.gone.images):,}", _archives(found, each.archives),
         _where(each.version.where))
        for each in found.holding
    ])  # fmt: skip
    _print(console, "models", ("model", "their images", "where"), [
        (model.name, _splits(model.splits), _where(model.where)) for model in found.models
    ])  # fmt: skip
    _print(console, "bentos", ("bento", "", "where"), [
        (each.tag, "served by `thorax serve`" if each.served else "", _where(each.where))
        for each in found.releases
    ])  # fmt: skip
    counts = Counter((place.kind, place.how) for place in places)
    _print(console, "files on this machine", ("where", "files", "erasing"), [
        (_kind(kind), f"{count:,}", _HOW[how]) for (kind, how), count in sorted(counts.items())
    ])  # fmt: skip
    logs = [place for place in places if _is_prediction_log(place)]
    for place in logs:
        print(f"prediction log: {place.path}")
    if not logs:
        print("prediction logs: none")
    for version in found.unknown:
        print(f"unknown: version {version.name} ({_where(version.where)}): in no store any more")
    for text in unreached:
        print(f"not looked into: {text}")


def print_removal(done: Removal) -> None:
    """What the next version lost, and which archives were packed again."""
    if not done.gone.patients:
        print("data/ is without them already")
        return
    print(
        f"data/ without {len(done.gone.images):,} images and {len(done.gone.reports):,} reports: "
        f"{len(done.packed_again)} archives packed again as {', '.join(done.new) or 'none'}, "
        f"{len(done.untouched)} as they were"
    )


def print_todo(
    found: Survey, unreached: Sequence[str], erased: Erased | None, *, history: Sequence[str]
) -> None:
    """What was erased, what must be retrained and withdrawn, and what nobody here can reach."""
    if erased is not None:
        _print_erased(erased)
    print("now:")
    for learned, what in ((True, "learned from their images"), (False, "were judged on them")):
        if models := [model for model in found.models if model.learned is learned]:
            names = ", ".join(model.name for model in models)
            print(f"  retrain (`thorax retrain`): models that {what}: {names}")
    for each in found.releases:
        served = "; it is what `thorax serve` starts: retrain first" if each.served else ""
        print(f"  withdraw {each.tag} wherever it runs{served}")
    print("  send the new version: `git push`, `thorax data push`; others then `git pull`")
    if erased is None:
        print("  earlier versions still hold them, here and in remotes: --erase removes them")
    else:
        _print_unreachable(erased, unreached, history)


def _print_erased(erased: Erased) -> None:
    for store, count in erased.objects.items():
        print(f"erased from {store}: {count:,} objects")
    for kind, count in erased.places.items():
        print(f"erased from {_kind(kind)}: {count:,} files")
    if erased.left:
        for left in erased.left:
            print(f"STILL THERE: {left}")
    else:
        print("searched again by name and digest: nothing of them is left in these places")


def _print_unreachable(erased: Erased, unreached: Sequence[str], history: Sequence[str]) -> None:
    print("not reached from here:")
    for text in unreached:
        print(f"  {text}: run this again when it answers, or remove the objects that "
              "`.thorax/forget/*.receipt.json` lists from its files/md5/")  # fmt: skip
    for place in erased.told:
        print(f"  {place.path} names them: remove it yourself when you can")
    for where in history:
        print(f"  git history: corrections.csv names their images in {where}")
    for text in (
        "git history keeps the digests of data and artifacts, which tell nothing of them",
        "clones, copies and exports elsewhere; backups, snapshots and old object versions of disks "
        "and buckets",
        "the source itself: it still has them, and the tombstone keeps every pull from taking them",
        "models that are kept or run elsewhere; this shell's history, which has their id",
    ):
        print(f"  {text}")


_HOW = {"remove": "removed", "rows": "their rows removed", "tell": "left to you"}


def _kind(kind: str) -> str:
    return f"{kind}/" if kind in ("artifacts", "data") else f".thorax/{kind}"


def _is_prediction_log(place: Place) -> bool:
    """What a model said of them: stored predictions, and what a service wrote down."""
    logged = place.path.suffix in (".jsonl", ".log") and place.kind != "review"
    stored = place.path.suffix in (".parquet", ".csv")
    return logged or (stored and place.path.name.startswith("predictions"))


def _print(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]
) -> None:
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left", box=None, title_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _archives(found: Survey, archives: Mapping[str, str]) -> str:
    theirs = [path for path, sha256 in sorted(archives.items()) if (path, sha256) in found.archives]
    return ", ".join(path.removeprefix("images/") for path in theirs)


def _splits(splits: dict[str, int] | None) -> str:
    if splits is None:
        return "not known any more"
    return ", ".join(f"{count} {split}" for split, count in sorted(splits.items())) or "none"


def _where(where: Sequence[str]) -> str:
    more = f" and {len(where) - _SHOWN} more" if len(where) > _SHOWN else ""
    return (
        "; ".join(textwrap.shorten(each, _LONG, placeholder="...") for each in where[:_SHOWN])
        + more
    )
