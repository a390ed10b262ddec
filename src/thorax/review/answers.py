"""What readers answered: one file per reader, one line per keystroke, only ever appended to.

`.thorax/review/NAME.jsonl`. A line is written and synced before the page sees its answer, so a kill
loses nothing that a reader saw accepted; a line that was cut short is dropped at the next start.
Undoing is a line too. Readers' files know nothing of each other.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from thorax.errors import BadInput
from thorax.locks import hold
from thorax.progress import say
from thorax.review.queue import Item, Key

Answer = Literal["keep", "flip", "unsure"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)

_UNDO = "undo"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Said:
    """One answer, and the label that it was about."""

    answer: Answer
    given: int


@dataclass
class Answers:
    """What one reader has said, newest last.

    Attributes:
        reader: the reader's name.
        path: the file.
        said: the standing answers in the order in which they were given.
    """

    reader: str
    path: Path
    said: dict[Key, Said] = field(default_factory=dict)
    _before: list[tuple[Key, Said | None]] = field(default_factory=list)

    def give(self, item: Item, answer: Answer) -> None:
        """Note an answer durably; a later one about the same label takes its place."""
        said = Said(answer, item.given)
        self._append(item.key, answer, item.given)
        self._take(item.key, said)

    def undo(self) -> Key | None:
        """Take back the newest answer durably; returns which label it was about."""
        if not self._before:
            return None
        key = self._before[-1][0]
        self._append(key, _UNDO, None)
        self._untake()
        return key

    def _take(self, key: Key, said: Said) -> None:
        self._before.append((key, self.said.pop(key, None)))
        self.said[key] = said

    def _untake(self) -> None:
        if self._before:
            key, before = self._before.pop()
            self.said.pop(key, None)
            if before is not None:
                self.said[key] = before

    def _append(self, key: Key, answer: str, given: int | None) -> None:
        line = {"image": key[0], "finding": key[1], "given": given, "answer": answer,
                "at": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, (json.dumps(line, sort_keys=True) + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def replay(self, line: dict[str, object]) -> None:
        """Do again what a line of the file says."""
        key = str(line["image"]), str(line["finding"])
        if line["answer"] == _UNDO:
            self._untake()
        elif line["given"] in (0, 1):
            self._take(key, Said(_answer(str(line["answer"])), int(str(line["given"]))))
        else:
            raise BadInput(f"given is {line['given']!r}, not 0 or 1")


def check_reader(name: str) -> str:
    """The name, if it may name a file; else `BadInput`."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"--reader {name!r}: use letters, digits, dot, dash and underscore, at most 64, with a "
            "letter or digit first"
        )
    return name


@contextmanager
def opened(folder: Path, reader: str) -> Iterator[Answers]:
    """A reader's answers, for the `with` block this process's alone.

    Raises:
        ThoraxError: another process has them open.
    """
    check_reader(reader)
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder / f".{reader}.lock", f"review by {reader}", wait=False):
        path = folder / f"{reader}.jsonl"
        _drop_cut_line(path)
        yield _loaded(path)


def all_readers(folder: Path) -> list[Answers]:
    """Everybody's answers, by name. Reads only: a line that is being written is left out."""
    return [_loaded(path) for path in sorted(folder.glob("*.jsonl"))]


def _loaded(path: Path) -> Answers:
    answers = Answers(path.stem, path)
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1].splitlines()
    for number, text in enumerate(whole, 1):
        try:
            answers.replay(json.loads(text))
        except (ValueError, KeyError, TypeError, BadInput) as error:
            why = f"{error} is missing" if isinstance(error, KeyError) else error
            raise BadInput(
                f"{path}, line {number}: not an answer ({why}): mend or delete the line"
            ) from None
    return answers


def _drop_cut_line(path: Path) -> None:
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        say(f"{path}: the last line was cut short by a kill and is dropped")
        os.truncate(path, whole)


def _answer(text: str) -> Answer:
    for answer in ANSWERS:
        if text == answer:
            return answer
    raise BadInput(f"{text!r} is no answer; they are {', '.join(ANSWERS)}")
