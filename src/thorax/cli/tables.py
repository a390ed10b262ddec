"""`thorax tables`: the paper's tables beside ours, printed and written."""

from pathlib import Path

from thorax import artifacts
from thorax.cli import consoles
from thorax.errors import BadInput
from thorax.tables import catalogue, formats, mining
from thorax.tables.table import Table
from thorax.tables.write import PAGE, write


def tables(wanted: list[str], *, output: Path | None, from_path: Path | None = None) -> None:
    """Print the tables that are wanted (all when empty) and write them into `output`.

    With `from_path` the reports of a collection are mined and measured for tables 2 and 18, and
    nothing else is read or changed.

    Raises:
        BadInput: a word means no table, or one that `from_path` has nothing to say of.
    """
    made = catalogue.build(wanted) if from_path is None else _of_reports(wanted, from_path)
    folder = output or artifacts.home() / "tables"
    write(made, folder)
    console = consoles.wide()
    formats.print_tables(made, console)
    count = "1 table" if len(made) == 1 else f"{len(made)} tables"
    console.print(f"{count} as Markdown, CSV and PNG: {folder / PAGE}", soft_wrap=True)


def _of_reports(wanted: list[str], path: Path) -> list[Table]:
    made = {table.name.removeprefix("table-"): table for table in mining.measure(path)}
    words = [word.lower().removeprefix("table-") for word in wanted]
    if strange := set(words) - {*made, "labels"}:
        raise BadInput(
            f"--from measures labels mined from reports, tables labels, 2 and 18; {min(strange)} "
            "is of this checkout's data: leave --from out"
        )
    return [table for number, table in made.items() if set(words) <= {"labels"} or number in words]
