"""Writes tables into a folder: Markdown, CSV and PNG each, and one page with all of them."""

from pathlib import Path

from thorax import artifacts
from thorax.tables import formats
from thorax.tables.table import Table

PAGE = "tables.md"


def write(tables: list[Table], folder: Path) -> list[Path]:
    """Write every table's files and `tables.md`, and return their paths; other files stay."""
    written = []
    sections = []
    for table in tables:
        figure = ""
        if table.draw is not None and not table.is_empty():
            figure = f"{table.name}.png"
            with artifacts.atomic_file(folder / figure) as temporary:
                table.draw(temporary, table.comparable)
            written.append(folder / figure)
        section = formats.markdown(table, figure=figure)
        sections.append(section)
        for suffix, text in ((".md", section), (".csv", formats.csv(table))):
            artifacts.write_text(folder / f"{table.name}{suffix}", text)
            written.append(folder / f"{table.name}{suffix}")
    page = "# The paper's tables beside ours\n\n" + "\n".join(sections)
    artifacts.write_text(folder / PAGE, page)
    return [*written, folder / PAGE]
