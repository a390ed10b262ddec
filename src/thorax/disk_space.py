"""Tells a full disk from every other error, whichever library met it.

The system's own error is an `OSError`, but libraries wrap it: shutil lists it, pandas and PyTorch
chain it or keep its words only, PyTorch's writer of archives says that a write failed, and SQLite
that the database is full.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ERRORS: Final = (errno.ENOSPC, errno.EDQUOT)
_WORDS: Final = re.compile(
    r"no space left|errno 28\b|errno 122\b|quota exceeded|disk is full|disk full", re.IGNORECASE
)
# Messages of writes that failed without a reason: a full disk is the reason where one is full.
_FAILED_WRITES: Final = re.compile(
    "PytorchStreamWriter|unexpected pos|write failed|error writing|disk I/O error|failed to write",
    re.IGNORECASE,
)
_FULL_BELOW_BYTES: Final = 1_000_000

ADVICE: Final = "free some and run it again; `thorax doctor` shows what is used"


def describe_full_disk(error: BaseException, place: Path) -> str:
    """One line when `error` comes of a full disk, else an empty string.

    Args:
        error: what a library raised; its causes are looked at too.
        place: a folder on the disk that was written to.
    """
    for each in _chain(error):
        full = isinstance(each, OSError) and each.errno in _ERRORS
        if (
            full
            or _WORDS.search(str(each))
            or (_FAILED_WRITES.search(str(each)) and _is_full(place))
        ):
            file = getattr(each, "filename", None)
            return f"no space left on the disk ({file or place}): {ADVICE}"
    return ""


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Within the block, an error that comes of a full disk is an `OSError` (ENOSPC).

    Whoever catches it later can no longer see that the disk was full: the file that filled it has
    been removed by then.
    """
    try:
        yield
    except Exception as error:
        if describe_full_disk(error, place):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(place)) from error
        raise


def mentions_full_disk(text: str) -> bool:
    """Whether a program's output says that a disk is full."""
    return bool(_WORDS.search(text))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came of, and the errors that it lists (`shutil.Error`, groups)."""
    todo: list[BaseException | None] = [error]
    done: set[int] = set()
    while todo:
        each = todo.pop(0)
        if each is None or id(each) in done:
            continue
        done.add(id(each))
        yield each
        todo += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions


def _is_full(place: Path) -> bool:
    try:
        return shutil.disk_usage(place).free < _FULL_BELOW_BYTES
    except OSError:
        return False
