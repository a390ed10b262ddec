"""Fetch one file over HTTP: tried again, resumed where it broke off, checked at the end.

A file grows as `NAME.part` and gets its name only when its size and checksum are right, so what has
its name is whole. A part is continued (HTTP Range) only when the server confirms that it is still
the same file (If-Range with its ETag), or when a checksum will tell at the end.
Knows nothing of other files, nor of what the file is.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import Field

from thorax.config import Config
from thorax.errors import BadInput, NetworkError
from thorax.sources.checksums import Checksum

_WHOLE, _PARTIAL, _RANGE_REFUSED = 200, 206, 416
PASSING = {408, 425, 429, 500, 502, 503, 504}  # worth another try

Headers = Callable[[], Mapping[str, str]]


class DownloadConfig(Config):
    """How files are fetched."""

    parallel: int = Field(default=8, ge=1)
    """Files at once."""
    timeout_s: float = Field(default=60.0, gt=0)
    """Seconds without an answer or a byte after which a connection counts as broken."""
    attempts: int = Field(default=6, ge=1)
    """Attempts in a row that bring no byte, before giving up."""
    backoff_s: float = Field(default=1.0, ge=0)
    """Seconds before the second attempt; doubled before each further one."""
    longest_wait_s: float = Field(default=60.0, ge=0)
    """The most seconds between two attempts, also where the server asks for more."""


@dataclass(frozen=True)
class Download:
    """One file to fetch: from where, to where, and how it is recognised."""

    url: str
    path: Path
    size_bytes: int
    checksum: Checksum | None = None

    @property
    def part(self) -> Path:
        """The file while it grows."""
        return self.path.with_name(self.path.name + ".part")

    @property
    def part_tag(self) -> Path:
        """The ETag under which the part began."""
        return self.path.with_name(self.path.name + ".part.etag")

    def part_bytes(self) -> int:
        """How much of it is there."""
        return self.part.stat().st_size if self.part.exists() else 0

    def is_there(self) -> bool:
        """Whether the whole file is there, by size and checksum."""
        if not self.path.is_file() or self.path.stat().st_size != self.size_bytes:
            return False
        return self.checksum is None or self.checksum.of_file(self.path) == self.checksum.digest


@dataclass(frozen=True)
class Transfer:
    """What fetches one file after another, and may do so in several threads at once.

    Attributes:
        http: the client.
        config: attempts and waits.
        headers: asked before every request, for tokens that expire.
        arrived: told how many bytes came, as they come.
        stop: when set, whatever is on its way ends soon; its part stays.
    """

    http: httpx.Client
    config: DownloadConfig
    headers: Headers
    arrived: Callable[[int], None]
    stop: threading.Event

    def run(self, one: Download) -> None:
        """Fetch one file and give it its name; after a stop, keep its part."""
        one.path.parent.mkdir(parents=True, exist_ok=True)
        self._attempt_until_whole(one)
        if not self.stop.is_set():
            _finish(one)

    def _attempt_until_whole(self, one: Download) -> None:
        fruitless = 0
        while one.part_bytes() != one.size_bytes or one.size_bytes == 0:
            before = one.part_bytes()
            try:
                self._receive(one)
                if one.part_bytes() >= one.size_bytes or self.stop.is_set():
                    return
                reason, wait_s = "the connection ended early", 0.0
            except httpx.TransportError as error:
                reason, wait_s = f"{type(error).__name__}: {error}", 0.0
            except _TryAgain as error:
                reason, wait_s = error.reason, error.wait_s
            fruitless = 0 if one.part_bytes() > before else fruitless + 1
            self._wait_or_give_up(one, fruitless, reason, wait_s)

    def _wait_or_give_up(self, one: Download, fruitless: int, reason: str, wait_s: float) -> None:
        if fruitless >= self.config.attempts:
            raise NetworkError(
                f"{one.url}: {reason}, {fruitless} times without a byte; "
                f"{one.part_bytes():,} of {one.size_bytes:,} bytes are kept: pull again to go on"
            )
        backoff_s = self.config.backoff_s * 2 ** max(fruitless - 1, 0)
        self.stop.wait(min(max(backoff_s, wait_s), self.config.longest_wait_s))

    def _receive(self, one: Download) -> None:
        """One request, which appends to the part or begins it anew."""
        have = one.part_bytes()
        tag = one.part_tag.read_text() if one.part_tag.exists() else ""
        asked = {**self.headers(), "Accept-Encoding": "identity"}
        if have and (tag or one.checksum):
            asked["Range"] = f"bytes={have}-"
            if tag:
                asked["If-Range"] = tag
        with self.http.stream("GET", one.url, headers=asked) as response:
            if response.status_code == _RANGE_REFUSED:
                _forget(one)
                raise _TryAgain("the server has no such range", 0.0)
            _check_status(one, response)
            going_on = response.status_code == _PARTIAL and _starts_at(response, have)
            if response.status_code == _PARTIAL and not going_on:
                _forget(one)
                raise _TryAgain("the server sent another range", 0.0)
            one.part_tag.write_text(_strong_tag(response))
            self._write(one, response, mode="ab" if going_on else "wb")

    def _write(self, one: Download, response: httpx.Response, *, mode: str) -> None:
        with one.part.open(mode) as file:
            for piece in response.iter_raw():  # a fixed size would lose what came before a break
                file.write(piece)
                self.arrived(len(piece))
                if self.stop.is_set():
                    return


class _TryAgain(Exception):
    """The server could not answer now."""

    def __init__(self, reason: str, wait_s: float) -> None:
        super().__init__(reason)
        self.reason, self.wait_s = reason, wait_s


def _check_status(one: Download, response: httpx.Response) -> None:
    status = response.status_code
    if status in PASSING:
        asked = response.headers.get("Retry-After", "")
        raise _TryAgain(f"the server answers {status}", float(asked) if asked.isdigit() else 0.0)
    if status not in (_WHOLE, _PARTIAL):
        raise BadInput(f"{one.url}: the server answers {status} {response.reason_phrase}")


def _starts_at(response: httpx.Response, have: int) -> bool:
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _strong_tag(response: httpx.Response) -> str:
    tag = str(response.headers.get("ETag", ""))
    return tag if tag.startswith('"') else ""  # a weak one (W/) does not promise the same bytes


def _finish(one: Download) -> None:
    """Check the whole part and give it its name; a wrong one is deleted."""
    found_bytes = one.part_bytes()
    if found_bytes != one.size_bytes:
        _forget(one)
        raise BadInput(
            f"{one.url}: expected {one.size_bytes:,} bytes, found {found_bytes:,}; pull again"
        )
    if one.checksum is not None:
        found = one.checksum.of_file(one.part)
        if found != one.checksum.digest:
            _forget(one)
            raise BadInput(
                f"{one.path.name} from {one.url}: expected {one.checksum.algorithm} "
                f"{one.checksum.digest}, found {found}; it was deleted: pull again"
            )
    one.part.replace(one.path)
    one.part_tag.unlink(missing_ok=True)


def _forget(one: Download) -> None:
    one.part.unlink(missing_ok=True)
    one.part_tag.unlink(missing_ok=True)
