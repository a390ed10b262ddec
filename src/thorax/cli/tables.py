"""`thorax tables`: the paper's tables beside ours, printed and written."""

from pathlib import Path

from rich.console import Console

from thorax import artifacts
from thorax.tables import catalogue, formats
from thorax.tables.write import PAGE, write

_PIPED_COLUMNS = 132  # characters of a line when nobody's terminal says how many


def tables(wanted: list[str], *, output: Path | None) -> None:
    """Print the tables that are wanted (all when empty) and write them into `output`."""
    made = catalogue.build(wanted)
    folder = output or artifacts.home() / "tables"
    write(made, folder)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED_COLUMNS)
    formats.print_tables(made, console)
    count = "1 table" if len(made) == 1 else f"{len(made)} tables"
    console.print(f"{count} as Markdown, CSV and PNG: {folder / PAGE}", soft_wrap=True)
