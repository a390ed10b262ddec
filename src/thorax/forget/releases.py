"""The packages of models: kept releases, BentoML's store, and those that git's history knows.

A release names the version of the data that its model was trained on. What runs on other machines
is not known here.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from thorax import artifacts
from thorax.forget import lineage
from thorax.forget.lineage import Run
from thorax.forget.stores import Store, read


@dataclass(frozen=True)
class Release:
    """A package of a model that a version with the patient led to.

    Attributes:
        tag: NAME:VERSION.
        where: its files, or the commits that know it.
        served: whether `thorax serve` starts this one.
    """

    tag: str
    where: tuple[str, ...]
    served: bool

    @property
    def name(self) -> str:
        """How it is called in a list."""
        return self.tag


def find(
    root: Path, trees: Iterable[Path], digests: set[str], runs: Iterable[Run], kept: list[Store]
) -> list[Release]:
    """Every release whose model comes from a version of `digests` (md5 with `.dir`), by tag."""
    data = {digest.removesuffix(".dir") for digest in digests if digest}
    where: dict[str, list[str]] = {}
    for tag, place in _here(root, trees, data):
        where.setdefault(tag, []).append(place)
    for run in runs:
        for digest in run.outs.values():
            manifest = lineage.members(kept, digest).get("manifest.json", "")
            content = read(kept, manifest) if manifest else None
            if content is not None:
                where.setdefault(str(json.loads(content)["tag"]), []).extend(run.where)
    served = _served(root)
    return [Release(tag, tuple(dict.fromkeys(places)), tag == served)
            for tag, places in sorted(where.items())]  # fmt: skip


def _here(root: Path, trees: Iterable[Path], data: set[str]) -> Iterator[tuple[str, str]]:
    """Tag and place of what lies in working trees and their `.thorax/`."""
    for tree in trees:
        manifests = [tree / "artifacts/release/manifest.json"]
        manifests += sorted((tree / ".thorax/releases").glob("*/manifest.json"))
        for path in manifests:
            about = artifacts.read_json(path) if path.is_file() else {}
            if about.get("labels", {}).get("data") in data:
                yield str(about["tag"]), _shown(path.parent, root)
        for path in sorted((tree / ".thorax/bentoml/bentos").glob("*/*/bento.yaml")):
            about = _yaml(path)
            if about.get("labels", {}).get("data") in data:
                yield f"{about['name']}:{about['version']}", _shown(path.parent, root)


def _served(root: Path) -> str:
    """The tag that `thorax serve` starts; empty when there is none."""
    pointer = root / ".thorax/releases/last.json"
    version = artifacts.read_json(pointer)["version"] if pointer.exists() else ""
    path = pointer.parent / str(version) / "manifest.json"
    return str(artifacts.read_json(path)["tag"]) if version and path.exists() else ""


def _yaml(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else {}


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
