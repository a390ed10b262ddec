"""What a path is, before it is opened, and which names files may have.

Opening a named pipe waits for a writer, perhaps for ever; a device never ends. Both are refused by
their kind. A name that is not UTF-8, or holds a line break, cannot stand in a table or a list.
"""

import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thorax.errors import BadInput

_PLAIN_NAME: Final = re.compile(r"[^/\\|\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff.]"
                                r"[^/\\|\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*")  # fmt: skip
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPECIAL: Final[dict[str, Callable[[int], bool]]] = {
    "named pipe": stat.S_ISFIFO,
    "socket": stat.S_ISSOCK,
    "device": lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode),
}


def special_kind(path: Path) -> str:
    """The kind of a path that must not be read (links followed); empty for anything else."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever opens it says what is wrong
        return ""
    return next((kind for kind, fits in _SPECIAL.items() if fits(mode)), "")


def refuse_special(path: Path) -> None:
    """Raise `BadInput` when `path` is a named pipe, a socket or a device, or a link to one."""
    if kind := special_kind(path):
        raise BadInput(f"{path} is a {kind}, not a file or folder: remove it or name another")


def is_plain_name(name: str) -> bool:
    """Whether a file name can stand in a list: UTF-8, no / \\ |, no control, no leading point."""
    return _PLAIN_NAME.fullmatch(name) is not None


def printable(text: str) -> str:
    """`text` on one line: control characters and what is not UTF-8 as escapes."""
    return _UNPRINTABLE.sub(lambda match: match.group().encode("unicode_escape").decode(), text)
