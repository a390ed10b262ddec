"""What a C library prints to standard error while it works, as lines.

libjpeg reports damaged data in no other way through OpenCV. For as long as it decodes, descriptor 2
is a file of ours; what was printed there by others goes on to where it belongs.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()
_sinks: dict[int, int] = {}
"""The file that takes the lines, by process: a fork must not share its place in it."""
_LIBRARY = (
    "Corrupt JPEG", "Premature end of JPEG", "Inconsistent progression", "Unsupported ",
    "Invalid ", "Warning: ", "Unknown ", "libpng ",
)  # fmt: skip


@contextmanager
def captured(wanted: bool = True) -> Iterator[list[str]]:
    """A list that holds the library's lines after the block; nothing is done unless `wanted`."""
    lines: list[str] = []
    if not wanted:
        yield lines
        return
    with _one_at_a_time:
        sink = _sink()
        try:
            before = os.dup(2)
        except OSError:  # closed
            before = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)
        try:
            yield lines
        finally:
            os.dup2(before, 2)
            os.close(before)
            if size := os.lseek(sink, 0, os.SEEK_CUR):
                os.lseek(sink, 0, os.SEEK_SET)
                _sort(os.read(sink, size), lines)
                os.lseek(sink, 0, os.SEEK_SET)
                os.ftruncate(sink, 0)


def _sink() -> int:
    if os.getpid() not in _sinks:
        with tempfile.TemporaryFile() as file:
            _sinks[os.getpid()] = os.dup(file.fileno())
    return _sinks[os.getpid()]


def _sort(printed: bytes, lines: list[str]) -> None:
    for line in printed.splitlines(keepends=True):
        text = line.decode("utf-8", "replace").strip()
        if text.startswith(_LIBRARY):
            lines.append(text)
        else:
            os.write(2, line)
