"""Progress of long work: a bar when a person watches, a plain line now and then when piped."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from thorax.files import printable

Item = TypeVar("Item")

_PLAIN_EVERY_S = 10.0
_copies: list[Callable[[str], None]] = []


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yield `items` and show on stderr how many of `total` are done."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            yield from bar.track(items, total=total, description=description)
    else:
        yield from _track_plainly(items, description, total)


def _track_plainly(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    last = started = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= _PLAIN_EVERY_S:
            say(f"{description}: {done:,} of {total:,} ({now - started:.0f} s)")
            last = now


def say(line: str) -> None:
    """Print one line of progress on stderr at once."""
    print(printable(line), file=sys.stderr, flush=True)
    for copy in _copies:
        copy(printable(line))


@contextmanager
def copied_to(copy: Callable[[str], None]) -> Iterator[None]:
    """Within the `with` block give every line of `say` to `copy` as well."""
    _copies.append(copy)
    try:
        yield
    finally:
        _copies.remove(copy)
