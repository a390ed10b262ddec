"""Where files lie, and how they are written: atomically (temporary name, fsync, rename).

Covers the checkout's root, the machine's own folder `.thorax/`, JSON, Parquet and whole folders,
and sha256. Knows nothing of what the files mean.
"""

import csv
import ctypes
import hashlib
import json
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from thorax import disk_space
from thorax.errors import BadInput
from thorax.files import refuse_special

if TYPE_CHECKING:  # half a second of processor time, which `--help` does not need
    import pandas as pd


def root() -> Path:
    """The checkout's root: `THORAX_ROOT`, or the nearest folder upwards that holds `dvc.yaml`."""
    if named := os.environ.get("THORAX_ROOT"):
        return Path(named).resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise BadInput(
        f"{here} is not inside a Thorax checkout: no dvc.yaml and params.yaml upwards of it"
    )


def home() -> Path:
    """This checkout's machine-local folder, `.thorax/`: locks, state, stores, keys."""
    return root() / ".thorax"


def shared_home() -> Path:
    """The `.thorax/` that all worktrees of one repository share: the decoded pixels lie there."""
    command = ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"]
    answer = subprocess.run(command, cwd=root(), capture_output=True, text=True, check=False)
    common = Path(answer.stdout.strip())
    if answer.returncode == 0 and common.name == ".git":
        return common.parent / ".thorax"
    return home()


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is fsynced and renamed over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with disk_space.writing_to(path.parent):
            yield temporary
            temporary.chmod(0o644)
            _fsync(temporary)
            temporary.replace(path)
            _fsync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it takes the place of `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        with disk_space.writing_to(path.parent):
            yield temporary
            temporary.chmod(0o755)
            for file in temporary.rglob("*"):
                if file.is_file():
                    _fsync(file)
            _replace_folder(temporary, path)
            _fsync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
    elif not _exchange(new, path):
        old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
        path.rename(old / "was")
        new.rename(path)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(new: Path, path: Path) -> bool:
    """Swap two folders in one step (Linux renameat2): a kill leaves no gap. False if refused."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(
        renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(path), _RENAME_EXCHANGE) == 0
    )


_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems refuse fsync on folders
            os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as sorted, indented JSON; NaN and infinities become null."""
    write_text(
        path, json.dumps(_without_nan(content), indent=1, sort_keys=True, allow_nan=False) + "\n"
    )


def _without_nan(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {str(key): _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    if hasattr(content, "item"):  # numpy scalars
        return _without_nan(content.item())
    return content


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or broken one is a `BadInput` naming it."""
    refuse_special(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: run the stage that writes it (dvc repro)") from error
    except ValueError as error:
        raise BadInput(
            f"{path} is not JSON ({error}): run the stage that writes it again"
        ) from error


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a data frame as Parquet without its index, atomically; same frame, same bytes."""
    with atomic_file(path) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd")


def read_table(path: Path, columns: list[str] | None = None) -> "pd.DataFrame":
    """Read a Parquet file; a missing or broken one is a `BadInput` naming it."""
    import pandas as pd

    refuse_special(path)
    try:
        return pd.read_parquet(path, columns=columns)
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: run the stage that writes it (dvc repro)") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not readable Parquet ({error})") from error


def read_csv(path: Path, columns: Sequence[str] = ()) -> "pd.DataFrame":
    """Read a CSV file as text, an empty cell as ""; a column of `columns` must be there.

    The file is first gone through line by line, in constant memory; pandas sees it when it is whole
    and not absurdly long.

    Raises:
        BadInput: naming the line: a row with more or fewer cells than the header (pandas would
            shift it), a text that is not UTF-8, a quote that never ends, more than `MOST_ROWS`
            rows; or a header that lacks a column, has one twice, or is separated by something else.
    """
    import pandas as pd

    try:
        _refuse_broken(path, columns)
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: pull the data first (make pull)") from error
    except UnicodeDecodeError as error:
        line = _undecodable_line(path)
        raise BadInput(f"{path}, line {line:,}: not UTF-8 ({error.reason})") from None
    except (OSError, ValueError, csv.Error) as error:  # pandas' parser errors are ValueErrors
        raise BadInput(f"{path} is not readable CSV in UTF-8: {error}") from error


LONGEST_CELL = 2_000_000
"""Characters of a cell, and so of a report, beyond which it is refused, here and by every pull."""
csv.field_size_limit(LONGEST_CELL)  # for every table that anything here reads; csv's own is 131,072

MOST_ROWS = 2_000_000
"""Rows of a CSV table beyond which it is taken for garbage: the largest public collections of chest
X-rays have some 400,000 images."""

_LONGEST_LINE = 2 * LONGEST_CELL  # characters; a cell with its neighbours


def _refuse_broken(path: Path, columns: Sequence[str]) -> None:
    refuse_special(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(bounded_lines(file, path), strict=True)
        count = last = 0
        try:
            header = next(rows, [])
            _refuse_header(path, header, columns)
            last = rows.line_num
            for row in rows:
                if row and len(row) != len(header):
                    raise BadInput(
                        f"{path}, line {rows.line_num:,}: {len(row)} cells, the header has "
                        f"{len(header)}; quote a text that holds a comma"
                    )
                count, last = count + 1, rows.line_num
                if count > MOST_ROWS:
                    raise BadInput(
                        f"{path}, line {last:,}: more than {MOST_ROWS:,} rows: this is no table of "
                        "chest X-rays; nothing of it was read"
                    )
        except csv.Error as error:
            raise BadInput(
                f"{path}, the row that begins at line {last + 1:,}: {error}; a quote that does not "
                "end?"
            ) from None


def bounded_lines(file: TextIO, path: Path) -> Iterator[str]:
    """The lines of a text file, none of them longer than memory can bear.

    Raises:
        BadInput: a line is longer, or holds a NUL.
    """
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise BadInput(f"{path}, line {number:,}: longer than {_LONGEST_LINE:,} characters")
        if "\0" in line:
            raise BadInput(f"{path}, line {number:,}: holds a NUL character: this is no text")
        yield line


def _refuse_header(path: Path, header: list[str], columns: Sequence[str]) -> None:
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise BadInput(f"{path}, line 1: column {twice[0]!r} stands twice; rename or remove one")
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and mark in header[0]:
            raise BadInput(f"{path}, line 1: cells are separated by {name}, not by commas")
    if missing := [name for name in columns if name not in header]:
        shown = ", ".join(name[:40] for name in header[:20]) or "nothing"
        raise BadInput(f"{path}: column {', '.join(missing)} is missing; it has {shown}")


def _undecodable_line(path: Path) -> int:
    """The first line that is not UTF-8, counted from 1."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return number


def sha256_bytes(content: bytes) -> str:
    """The hexadecimal sha256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """The hexadecimal sha256 of a file, read in pieces."""
    refuse_special(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(content: Any) -> str:
    """The sha256 of `content` as canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(_without_nan(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256_bytes(text.encode())
