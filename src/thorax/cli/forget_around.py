"""What `thorax forget` works on: the checkout, its working trees, DVC's cache and remotes."""

import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from thorax import environment
from thorax.errors import NetworkError, ThoraxError
from thorax.forget import lineage, places
from thorax.forget.places import Place
from thorax.forget.stores import Folder, Store, open_remote
from thorax.forget.survey import Survey

_REMOTE = re.compile(r"remote\.(.+)\.url")


@dataclass(frozen=True)
class Surroundings:
    """The places of an erasure.

    Attributes:
        root: the checkout.
        trees: every working tree, `root` first.
        cache: DVC's cache.
        remotes: every remote that answers.
        unreached: every other remote, and why.
    """

    root: Path
    trees: list[Path]
    cache: Folder
    remotes: list[Store]
    unreached: list[str]

    @property
    def stores(self) -> list[Store]:
        """The cache and every remote that answers."""
        return [self.cache, *self.remotes]

    def places(self, found: Survey, *, whole: bool) -> list[Place]:
        """Files of this machine outside the stores, as `places.find` tells them."""
        stores = [store.path.resolve() for store in self.stores if isinstance(store, Folder)]
        return places.find(self.root, self.trees, found, stores=stores, whole=whole)


def look_around(root: Path) -> Surroundings:
    """Open every store; a remote that does not answer is listed with the reason."""
    settings = dict(line.split("=", 1) for line in _settings(root) if "=" in line)
    remotes: list[Store] = []
    unreached: list[str] = []
    for key, url in settings.items():
        if match := _REMOTE.fullmatch(key):
            try:
                remotes.append(_open(match[1], url, settings))
            except NetworkError as error:
                unreached.append(str(error))
    cache = Folder("DVC's cache", Path(settings.get("cache.dir", root / ".dvc/cache")))
    return Surroundings(root, lineage.worktrees(root), cache, remotes, unreached)


def _open(name: str, url: str, settings: Iterable[str]) -> Store:
    """A remote that answers. One with settings of its own is not what its URL alone leads to."""
    start = f"remote.{name}."
    own = {key.removeprefix(start) for key in settings if key.startswith(start)} - {"url"}
    if own:
        raise NetworkError(
            f"remote {name} ({url}): only DVC reads its settings {', '.join(sorted(own))}"
        )
    remote = open_remote(name, url)
    next(remote.digests(), None)
    return remote


def _settings(root: Path) -> list[str]:
    """DVC's settings of every level as `key=value`, folders made absolute."""
    answer = subprocess.run(
        [sys.executable, "-m", "dvc", "config", "--list"], cwd=root,
        env=environment.variables(root), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        raise ThoraxError(f"dvc config --list: {answer.stderr.strip()[-500:]}")
    return answer.stdout.splitlines()
