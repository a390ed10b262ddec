"""The sources by name: how each is asked, and what the log of pulls says of where it came from."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thorax.errors import BadInput
from thorax.sources import folder, openi
from thorax.sources.config import SourcesConfig
from thorax.sources.folder_config import FolderConfig
from thorax.sources.layout import Content
from thorax.sources.nih import source as nih
from thorax.sources.phantom import source as phantom
from thorax.sources.request import Request


@dataclass(frozen=True)
class Source:
    """One source.

    Attributes:
        build: asks for the content.
        origin: the host or path it comes from, for `pulls.jsonl` only.
        generated: the content follows from its identity alone, so equal identities need no second
            look, and another identity is another data set rather than more of the same.
    """

    build: Callable[[SourcesConfig, Request], Content]
    origin: Callable[[SourcesConfig, Path | None], str]
    generated: bool = False


def find(name: str) -> Source:
    """The source of that name; `BadInput` with the known ones otherwise."""
    known = sources()
    if name not in known:
        raise BadInput(f"no source {name!r}; known are {', '.join(known)}")
    return known[name]


def sources() -> dict[str, Source]:
    """Every source by its name."""
    return {
        "phantom": Source(_phantom, lambda _config, _path: "drawn here", generated=True),
        "nih": Source(lambda config, request: nih.build(config.nih, request), _nih_origin),
        "openi": Source(lambda config, request: openi.build(config.openi, request), _openi_origin),
        "folder": Source(_folder, _folder_origin),
    }


def identity(config: SourcesConfig) -> dict[str, Any]:
    """What identifies the content of the generated source, known without drawing it."""
    return phantom.identity(config.phantom)


def refuse_folder(name: str, from_path: Path | None) -> None:
    """Raise `BadInput` when a folder is named for a source that reads none."""
    if from_path is not None and find(name).generated:
        raise BadInput(f"the {name} is drawn, not read: leave --from out, or name another source")


def _phantom(config: SourcesConfig, request: Request) -> Content:
    refuse_folder("phantom", request.from_path)
    return phantom.build(config.phantom, workers=request.workers or len(os.sched_getaffinity(0)))


def _nih_origin(config: SourcesConfig, from_path: Path | None) -> str:
    return str(from_path.absolute()) if from_path else nih.origin(config.nih)


def _openi_origin(config: SourcesConfig, from_path: Path | None) -> str:
    return str(openi.find_folder(config.openi, from_path))


def _folder(config: SourcesConfig, request: Request) -> Content:
    return folder.build(_folder_config(config), request)


def _folder_origin(config: SourcesConfig, from_path: Path | None) -> str:
    return str((from_path or Path(_folder_config(config).images)).absolute())


def _folder_config(config: SourcesConfig) -> FolderConfig:
    if config.folder is None:
        raise BadInput(
            "params.yaml: sources.folder is missing: name its images, its table, and which columns "
            "hold image and patient (sources.folder.columns)"
        )
    return config.folder
