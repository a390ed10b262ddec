"""Where tables are printed: as wide as the terminal, and wide enough where there is none."""

from rich.console import Console

_PIPED_COLUMNS = 132  # characters of a line when nobody's terminal says how many


def wide(*, piped_columns: int = _PIPED_COLUMNS) -> Console:
    """Standard output, without highlighting; `piped_columns` wide into a file or a command."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=piped_columns)
