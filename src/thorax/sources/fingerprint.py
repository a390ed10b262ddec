"""A cheap answer to "has the source what the last pull brought?", without reading images.

For a generated source its settings; for a folder the names, sizes and times of its files. A network
source has no cheap answer: it is asked again.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from thorax import artifacts
from thorax.sources import registry, tombstones, version
from thorax.sources.config import SourcesConfig
from thorax.sources.folder import inside


def is_current(config: SourcesConfig, *, from_path: Path | None, data: Path, home: Path) -> bool:
    """Whether a pull would change nothing, as far as can be told without reading the images.

    Args:
        config: `params.yaml: sources:`.
        from_path: the folder that the pull would read; None is the one of the last pull.
        data: the pulled folder.
        home: the machine's own folder, with the log of pulls.

    Raises:
        BadInput: a folder is named for a source that reads none.
    """
    registry.refuse_folder(config.name, from_path)
    identity = version.read_identity(data)
    if identity.get("source") != config.name or not version.is_whole(identity, data):
        return False
    stones = tombstones.read(data.parent / tombstones.FILE)
    if identity.get("forgotten", []) != tombstones.hashes(stones, config.name):
        return False
    folder = from_path or last_folder(config.name, home)
    now = fingerprint(config, folder)
    last = _last(config.name, home)
    return now is not None and now == last.get("fingerprint")


def fingerprint(config: SourcesConfig, folder: Path | None) -> str | None:
    """The digest of what the configured source would be asked for; None when that is unknown."""
    if registry.find(config.name).generated:
        return artifacts.sha256_json(registry.identity(config))
    if config.name == "folder" and folder is None and config.folder is not None:
        folder = Path(config.folder.images)
    if folder is None or not folder.expanduser().is_dir():
        return None
    folder = folder.expanduser()
    settings = config.model_dump(mode="json")[config.name]
    paths = {*_walk(folder), *_named_files(config, folder)}
    return artifacts.sha256_json({"settings": settings, "files": _facts(paths)})


def last_folder(source: str, home: Path) -> Path | None:
    """The folder from which this machine last pulled that source; None when it was no folder."""
    folder = _last(source, home).get("folder")
    return Path(folder) if folder else None


def _walk(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder.resolve()):
        yield from (Path(place, name) for name in names)


def _named_files(config: SourcesConfig, folder: Path) -> Iterator[Path]:
    """The tables that the settings name, which may lie outside the folder of images."""
    if config.name == "folder" and config.folder is not None:
        for name in filter(None, (config.folder.table, config.folder.boxes)):
            yield inside(folder.resolve(), name)


def _facts(paths: set[Path]) -> list[tuple[str, int, int]]:
    found = []
    for path in paths:
        with suppress(OSError):  # a link to nowhere, or to itself
            facts = path.stat()
            found.append((os.fspath(path), facts.st_size, facts.st_mtime_ns))
    return sorted(found)


def _last(source: str, home: Path) -> dict[str, Any]:
    path = home / "pulls.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in reversed(lines):
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if entry.get("source") == source:
            return entry
    return {}
