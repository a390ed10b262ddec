"""Random cells in every column of a folder's table: a pull accepts them or refuses plainly.

What is accepted must be readable by the stages that come next: reports, and dataset's tables.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.conftest import png, write_rows
from thorax.dataset import labels, tables
from thorax.errors import ThoraxError
from thorax.reports import table as reports
from thorax.reports.settings import ReportsConfig
from thorax.sources.config import SourcesConfig
from thorax.sources.folder_config import FolderConfig
from thorax.sources.pull import pull

NUMBERS = [
    "",
    "0",
    "1",
    "-1",
    "1.0",
    "-1.0",
    "nan",
    "inf",
    "1e300",
    "1e18",
    "2.5",
    "0012",
    "\u0661",
]
WORDS = ["Mass", "No finding", "mass|Hernia", "['Mass', 'Edema']", "[[[", "Mass;Edema", "=1+1",
         "yes", "TRUE", "PA", "M", "057Y", "a\nb", "a,b", '"', "'",
         "\u2028", "é", "|", "\\", "#"]  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(NUMBERS + WORDS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.floats().map(str),
)
HEADER = ("file", "who", "visit", "age", "sex", "view", "labels", "doubt", "split", "text", "study",
          "Edema", "reader", "l", "t", "r", "b")  # fmt: skip
COLUMNS = {"image": "file", "patient": "who", "follow_up": "visit", "age": "age", "sex": "sex",
           "view": "view", "findings": "labels", "uncertain": "doubt", "split": "split",
           "report": "text", "report_name": "study", "reader": "reader",
           "box": ("l", "t", "r", "b")}  # fmt: skip
GOOD = ("0.png", "P0", "1", "57", "M", "PA", "Mass", "", "", "A mass.", "S", "1", "R", "1", "1",
        "9", "9")  # fmt: skip
OPTIONS = st.fixed_dictionaries({
    "findings_format": st.sampled_from(["separated", "list"]),
    "join_rows": st.booleans(),
    "readers": st.sampled_from(["union", "majority"]),
    "unmapped": st.sampled_from(["refuse", "leave_out"]),
    "similar_patients": st.sampled_from(["refuse", "same", "distinct"]),
    "box_format": st.sampled_from(["corners", "size"]),
    "label_columns": st.sampled_from([{}, {"Edema": "Edema"}]),
})  # fmt: skip
CHANGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, len(HEADER) - 1), CELLS), max_size=4)


def _pulled(folder: Path, config: FolderConfig) -> Path | None:
    """The data of a pull; None when it was refused in one plain line."""
    data = folder / "data"
    try:
        pull(
            SourcesConfig(name="folder", folder=config), source=None, from_path=folder / "images",
            data=data, home=folder / "home",
        )  # fmt: skip
    except ThoraxError as error:
        assert str(error).strip()
        return None
    return data


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=CHANGES, options=OPTIONS)
def test_a_pull_accepts_or_refuses_and_what_it_accepts_can_be_read(
    changes: list[tuple[int, int, str]], options: dict[str, Any]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        rows = []
        for place in range(4):
            (folder / "images" / f"{place}.png").write_bytes(png(place))
            rows.append([f"{place}.png", f"P{place}", *GOOD[2:10], f"S{place}", *GOOD[11:]])
        for row, column, cell in changes:
            rows[row][column] = cell
        write_rows(folder / "images" / "entries.csv", HEADER, rows)
        data = _pulled(folder, FolderConfig.model_validate({"columns": COLUMNS, **options}))
        if data is None:
            return
        entries = tables.read_entries(data / "entries.csv")
        texts = reports.read_reports(data / "reports.csv")
        mined = reports.label_all(texts, ReportsConfig())
        links = tables.read_report_links(data / "reports.csv")
        joined = labels.join(entries, links, mined, "ignore")
        assert joined.targets.shape == (len(entries), 14)
        assert entries["patient"].str.strip().ne("").all()
