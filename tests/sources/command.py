"""`thorax …` as a user types it, in this process: `main` itself, its streams and exit status."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.checkout import clone
from thorax.cli import app


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and how it ended."""

    status: int
    output: str
    errors: str

    @property
    def message(self) -> str:
        """The last line on stderr; a traceback would be many."""
        assert "Traceback" not in self.errors, self.errors
        return self.errors.rstrip("\n").rpartition("\n")[2]


class Checkout:
    """A clone of this checkout whose source is a folder, and the commands that run in it."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.path = clone(path, settings={}).path
        self._patch = patch

    def set_folder(self, **folder: Any) -> None:
        """Write `params.yaml: sources.folder`."""
        params = yaml.safe_load((self.path / "params.yaml").read_text())
        params["sources"] |= {"name": "folder", "folder": folder}
        (self.path / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def thorax(self, *arguments: str | Path) -> Outcome:
        """Run the command line."""
        self._patch.setenv("THORAX_ROOT", str(self.path))
        self._patch.chdir(self.path)
        self._patch.setattr(sys, "argv", ["thorax", *map(str, arguments)])
        status, output, errors = 0, io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            try:
                app.main()
            except SystemExit as ending:
                status = int(ending.code or 0)
        return Outcome(status, output.getvalue(), errors.getvalue())

    def table(self, name: str) -> list[dict[str, str]]:
        """A table of `data/` as rows."""
        import csv

        with (self.path / "data" / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))
