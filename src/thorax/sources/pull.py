"""Pull: ask a source for its content and make it the new `data/`, whole or not at all.

Everything is written to a new folder beside `data/`, which takes its place in the last step; until
then, and after any failure, the last good version stays. Archives that did not change are linked,
never written to. Content that did not change leaves every byte and time as it was.
Does not call DVC: whoever calls `pull` makes the version.
"""

import errno
import json
import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from thorax import artifacts
from thorax.errors import BadInput, ThoraxError
from thorax.locks import hold
from thorax.progress import say, track
from thorax.sources import door, registry, tombstones, version, without
from thorax.sources.config import SourcesConfig
from thorax.sources.fingerprint import fingerprint
from thorax.sources.layout import Archive, Content
from thorax.sources.listing import list_all
from thorax.sources.packing import ArchiveFacts, Packed, pack
from thorax.sources.request import FreeBytes, Request, free_bytes, need_space
from thorax.sources.version import Identity

__all__ = ["PullResult", "SourcesConfig", "pull"]

_TAR_HEADER_BYTES = 1024  # of one member, with what pads it


@dataclass(frozen=True)
class PullResult:
    """What a pull did.

    Attributes:
        changed: whether `data/` is another than before.
        source: the source's name.
        images: images in the archives now.
        new_images: loose images that this pull packed, since they are new or changed.
        archives: archives now.
        entries: rows of `entries.csv`.
    """

    changed: bool
    source: str
    images: int
    new_images: int
    archives: int
    entries: int


def pull(
    config: SourcesConfig,
    *,
    source: str | None,
    from_path: Path | None,
    data: Path,
    home: Path,
    free: FreeBytes = free_bytes,
    forgotten: Path | None = None,
) -> PullResult:
    """Bring `data/` to what the source has now.

    Args:
        config: `params.yaml: sources:`.
        source: a source's name; None is the configured one.
        from_path: a folder that already has the files, for sources that can read one.
        data: the folder to replace.
        home: the machine's own folder: lock, log of pulls, downloads.
        free: tells free disk space.
        forgotten: the file of tombstones, whose patients stay out; None is the one beside `data`.

    Raises:
        BadInput: the source or its content cannot be used; `data` is as it was.
    """
    name = source or config.name
    chosen = registry.find(name)
    data, home = data.resolve(), home.resolve()
    with hold(home / "pull.lock", f"pull of {name}"), _plain_no_space(data):
        clear_leftovers(data)
        place = _Place(data, home, free, before=version.read_identity(data))
        request = Request(from_path, home, data, place.packed_by(name), config.workers, free)
        origin = _origin(config, name, from_path)  # before the images: what comes later is not seen
        content = chosen.build(config, request)
        door.check(content)
        stones = tombstones.read(forgotten or data.parent / tombstones.FILE)
        content, gone = without.honour(content, stones, data=data, home=home)
        if chosen.generated and place.holds(content.identity):
            result = _result(place.before, content, changed=False)
        else:
            again = Packed(data / "images") if chosen.generated else request.packed
            result = _write(
                content, again, place=place, per_archive=config.images_per_archive, gone=gone
            )
        shutil.rmtree(home / "downloads" / name, ignore_errors=True)
        _log(home, origin, result)
    return result


@dataclass(frozen=True)
class _Place:
    data: Path
    home: Path
    free: FreeBytes
    before: Identity

    def packed_by(self, source: str) -> Packed:
        images = self.data / "images"
        known = version.archives_of_size(self.before, self.data)
        same = self.before.get("source") == source
        return Packed.open(images, known) if same else Packed(images)

    def holds(self, identity: Identity) -> bool:
        own = {
            key: value for key, value in self.before.items() if key not in ("archives", "tables")
        }
        return own == version.as_written(identity) and version.is_whole(
            self.before, self.data, deep=True
        )


class _Unchanged(Exception):
    """The new folder equals the old one and is left behind."""


def _write(
    content: Content, packed: Packed, *, place: _Place, per_archive: int, gone: Set[str]
) -> PullResult:
    data, before = place.data, place.before
    copied = version.copied_bytes(content, before, data=data, home=place.home)
    need = content.size_bytes + _TAR_HEADER_BYTES * content.total + copied
    need_space(need, data.parent, place.free, purpose="pull")
    with suppress(_Unchanged), artifacts.atomic_folder(data) as folder:
        (folder / "images").mkdir()
        images = track(content.images, "packing images", content.total)
        rows = set(content.tables["entries"]["image"])
        packing = pack(
            images, packed, folder=folder / "images", per_archive=per_archive, rows=rows, gone=gone
        )
        published = _published(content, folder=folder, place=place)
        archives = version.place_packed(packing, before, data=data, folder=folder)
        _compare_names(content, packing.names.union(*published.values()))
        version.write_tables(content, folder)
        after = version.describe(content, [*archives, *published], folder)
        artifacts.write_json(folder / "source.json", after)
        changed = after != before or not version.is_whole(before, data)
        result = _result(after, content, changed=changed, new_images=packing.new_images)
        if not changed:
            raise _Unchanged
    return result


def _published(content: Content, *, folder: Path, place: _Place) -> dict[ArchiveFacts, list[str]]:
    archives = [
        Archive(archive.path, archive.sha256 or artifacts.sha256_file(archive.path))
        for archive in content.archives
    ]
    names = list_all([(archive.path, archive.sha256 or "") for archive in archives], place.home)
    return {
        version.place_published(
            archive,
            len(names[archive.path]),
            place.before,
            data=place.data,
            folder=folder,
            home=place.home,
        ): names[archive.path]
        for archive in archives
    }


def _compare_names(content: Content, names: set[str]) -> None:
    if not names and content.tables["entries"].empty and len(content.tables["reports"]):
        say("the source has reports and no image: they can be labelled, nothing can be trained")
        return
    if not names:
        raise BadInput("the source has no image: nothing was changed")
    rows = set(content.tables["entries"]["image"])
    if not rows & names:
        raise BadInput(
            f"none of {len(names):,} images has a row in the table of entries: nothing was changed"
        )
    if without_row := sorted(names - rows):
        say(f"{len(without_row):,} images have no row, unused (the first: {without_row[0]})")
    if without_image := sorted(rows - names):
        say(f"{len(without_image):,} rows have no image (the first: {without_image[0]})")


def _result(
    identity: Identity, content: Content, *, changed: bool, new_images: int = 0
) -> PullResult:
    archives = identity["archives"].values()
    return PullResult(
        changed=changed,
        source=str(identity["source"]),
        images=sum(facts["images"] for facts in archives),
        new_images=new_images,
        archives=len(archives),
        entries=len(content.tables["entries"]),
    )


def _origin(config: SourcesConfig, name: str, from_path: Path | None) -> dict[str, str | None]:
    named = config.model_copy(update={"name": name})
    return {
        "from": registry.find(name).origin(config, from_path),
        "folder": str(from_path.expanduser().absolute()) if from_path else None,
        "fingerprint": fingerprint(named, from_path),
    }


def _log(home: Path, origin: dict[str, str | None], result: PullResult) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"time": now, "source": result.source, **origin, "changed": result.changed}
    with (home / "pulls.jsonl").open("a", encoding="utf-8") as file:
        file.write(
            json.dumps({**line, "images": result.images, "new_images": result.new_images}) + "\n"
        )
    news = f"{result.new_images:,} packed now" if result.changed else "nothing is new"
    say(f"{result.source}: {result.images:,} images in {result.archives:,} archives, {news}")


def clear_leftovers(data: Path) -> None:
    """Remove what was left beside `data` by a kill; put back a version caught between two names."""
    for left in data.parent.glob(f".{data.name}.*"):
        if not data.exists() and (left / "was").is_dir():
            (left / "was").rename(data)
        if left.suffix in (".tmp", ".old"):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _plain_no_space(data: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ThoraxError(
            f"no disk space left for {data}: free some and pull again; nothing was changed"
        ) from None
