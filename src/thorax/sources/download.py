"""Fetch many files over HTTP in parallel, with progress; what is there is not fetched again.

How one file is fetched, resumed and checked stands in `transfer`. Honours the proxy variables of
the environment. Knows nothing of what the files are.
"""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from thorax.progress import say, track
from thorax.sources.request import FreeBytes, free_bytes, need_space
from thorax.sources.transfer import Download, DownloadConfig, Headers, Transfer

_MIB = 1 << 20


def client(config: DownloadConfig) -> httpx.Client:
    """An HTTP client with the timeouts and connections of `config`."""
    limits = httpx.Limits(
        max_connections=config.parallel, max_keepalive_connections=config.parallel
    )
    return httpx.Client(
        timeout=config.timeout_s, limits=limits, follow_redirects=True, trust_env=True
    )


def fetch(
    downloads: list[Download],
    config: DownloadConfig,
    *,
    purpose: str,
    headers: Headers = dict,
    free: FreeBytes = free_bytes,
) -> int:
    """Fetch what is not there already; returns how many files were fetched.

    Args:
        downloads: the files; their folders are made.
        config: parallelism, timeouts, attempts.
        purpose: what is fetched, for progress and messages.
        headers: asked before every request, for tokens that expire.
        free: tells free disk space.

    Raises:
        BadInput: the server refuses, or a whole file has the wrong checksum or size.
        NetworkError: the connection keeps breaking; a repetition goes on where this one ended.
    """
    with ThreadPoolExecutor(config.parallel) as pool:
        there = list(pool.map(Download.is_there, downloads))
    waiting = [one for one, done in zip(downloads, there, strict=True) if not done]
    if not waiting:
        return 0
    need_bytes = sum(max(one.size_bytes - one.part_bytes(), 0) for one in waiting)
    need_space(need_bytes, waiting[0].path.parent, free, purpose=purpose)
    with client(config) as http:
        fetching = _Fetching(http, config, headers)
        for _ in track(fetching.run(waiting), f"{purpose} (MiB)", -(-need_bytes // _MIB)):
            pass
    return len(waiting)


class _Fetching:
    """The threads of one `fetch`, and the count of bytes that they report."""

    def __init__(self, http: httpx.Client, config: DownloadConfig, headers: Headers) -> None:
        self._parallel = config.parallel
        self._arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._transfer = Transfer(http, config, headers, self._arrived.put, self._stop)

    def run(self, downloads: list[Download]) -> Iterator[None]:
        """Fetch all; yields once for every MiB that arrives."""
        with ThreadPoolExecutor(self._parallel) as pool:
            futures = [pool.submit(self._fetch_one, one) for one in downloads]
            try:
                yield from self._count_mib(len(futures))
            finally:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
        _raise_first(futures)

    def _count_mib(self, running: int) -> Iterator[None]:
        arrived = 0
        while running and not self._stop.is_set():
            count = self._arrived.get()
            running -= count < 0
            arrived += max(count, 0)
            while arrived >= _MIB:
                arrived -= _MIB
                yield None

    def _fetch_one(self, one: Download) -> None:
        try:
            self._transfer.run(one)
        except BaseException:
            self._stop.set()
            raise
        finally:
            self._arrived.put(_FILE_ENDED)


_FILE_ENDED = -1


def _raise_first(futures: list[Future[None]]) -> None:
    errors = [
        error for future in futures if not future.cancelled() and (error := future.exception())
    ]
    if len(errors) > 1:
        say(f"{len(errors)} files could not be fetched; the first:")
    if errors:
        raise errors[0]
