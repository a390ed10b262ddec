"""Where DVC keeps contents: its cache and its remotes, as folders of objects named by their md5.

A remote on a disk is read directly, any other through fsspec where the library for its protocol is
installed and finds its credentials. Whatever cannot be opened says why. DVC itself is not called.
"""

import importlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from thorax.errors import NetworkError

OBJECTS = "files/md5"


class Store(Protocol):
    """A place of objects."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    def digests(self) -> Iterator[str]:
        """The md5 of every object; `.dir` ends that of a folder's listing."""

    def open(self, digest: str) -> BinaryIO:
        """An object for reading; `FileNotFoundError` when it is not there."""

    def delete(self, digest: str) -> None:
        """Remove an object; nothing happens when it is not there."""


@dataclass(frozen=True)
class Folder:
    """A cache or remote on a disk."""

    name: str
    path: Path

    def digests(self) -> Iterator[str]:
        """The md5 of every object, and the names of what a killed DVC left among them."""
        for prefix in sorted((self.path / OBJECTS).glob("??")):
            for path in sorted(prefix.iterdir()):
                if path.is_file():
                    yield prefix.name + path.name

    def open(self, digest: str) -> BinaryIO:
        """An object for reading."""
        return self._of(digest).open("rb")

    def delete(self, digest: str) -> None:
        """Remove an object."""
        self._of(digest).unlink(missing_ok=True)

    def _of(self, digest: str) -> Path:
        return self.path / OBJECTS / digest[:2] / digest[2:]


class Remote:
    """A remote elsewhere, through fsspec; every failure of its network is a `NetworkError`."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        try:
            core = importlib.import_module("fsspec.core")  # DVC brings it; it has no types
            self._files, path = core.url_to_fs(url)
        except Exception as error:  # libraries of protocols raise whatever they like
            raise NetworkError(f"{name} ({url}): {error}") from error
        self._base = f"{str(path).rstrip('/')}/{OBJECTS}"

    def digests(self) -> Iterator[str]:
        """The md5 of every object."""
        try:
            found = self._files.find(self._base)
        except FileNotFoundError:
            return
        except Exception as error:
            raise NetworkError(f"{self.name} ({self._url}): {error}") from error
        for path in sorted(found):
            digest = "".join(str(path).split("/")[-2:])
            if is_digest(digest):
                yield digest

    def open(self, digest: str) -> BinaryIO:
        """An object for reading."""
        opened: BinaryIO = self._call("open", digest, "rb")
        return opened

    def delete(self, digest: str) -> None:
        """Remove an object."""
        try:
            self._call("rm_file", digest)
        except FileNotFoundError:
            return

    def _call(self, what: str, digest: str, *arguments: str) -> Any:
        try:
            path = f"{self._base}/{digest[:2]}/{digest[2:]}"
            return getattr(self._files, what)(path, *arguments)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise NetworkError(f"{self.name} ({self._url}): {error}") from error


def open_remote(name: str, url: str) -> Store:
    """The remote of that name and place.

    Raises:
        NetworkError: nothing installed speaks its protocol, or it cannot be reached.
    """
    local = url.removeprefix("file://")
    if "://" not in local:
        path = Path(local)
        if not path.is_dir() and not os.access(path.parent, os.W_OK):
            raise NetworkError(f"remote {name} ({url}): no such folder; is its disk mounted?")
        return Folder(f"remote {name}", path)
    return Remote(f"remote {name}", url)


def is_digest(text: str) -> bool:
    """Whether a name is that of an object: 32 hexadecimal digits, `.dir` after a listing's."""
    bare = text.removesuffix(".dir")
    return len(bare) == 32 and all(digit in "0123456789abcdef" for digit in bare)


def read(stores: list[Store], digest: str) -> bytes | None:
    """An object's bytes from the first store that has it; None when none has."""
    for store in stores:
        try:
            with store.open(digest) as file:
                return file.read()
        except FileNotFoundError:
            continue
    return None


def listing(stores: list[Store], digest: str) -> dict[str, str] | None:
    """A folder's files as DVC lists them, path -> md5; None when the listing is nowhere."""
    content = read(stores, digest)
    if content is None:
        return None
    return {str(entry["relpath"]): str(entry["md5"]) for entry in json.loads(content)}
