"""Long reports and numbers beyond sense: one limit everywhere, refused at the pull with the row."""

import gc
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from tests.sources.command import Checkout
from tests.sources.conftest import Hospital, png, write_rows
from thorax import artifacts
from thorax.dataset.tables import read_entries
from thorax.errors import BadInput
from thorax.reports.labeler import Labeler
from thorax.reports.settings import ReportsConfig
from thorax.sources import door, layout

HEADER = ("file", "who", "visit", "age", "labels", "text")
COLUMNS = {"image": "file", "patient": "who", "follow_up": "visit", "age": "age", "report": "text"}
BOXES = ("image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px")
SENTENCE = "There is a small left pleural effusion without pneumothorax. "
LONG = SENTENCE * (1_000_000 // len(SENTENCE) + 1)  # 1 MB


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Checkout]:
    with pytest.MonkeyPatch.context() as patch:
        yield Checkout(tmp_path_factory.mktemp("limits") / "checkout", patch)


def _folder(folder: Path, **row: str) -> Path:
    (folder / "0.png").write_bytes(png(0))
    (folder / "1.png").write_bytes(png(1))
    good = {"file": "0.png", "who": "1", "visit": "1", "age": "57", "labels": "Mass", "text": "A."}
    rows = [good, {**good, "file": "1.png", "who": "2", **row}]
    write_rows(folder / "entries.csv", HEADER, [[row[name] for name in HEADER] for row in rows])
    return folder


@pytest.mark.parametrize("shape", ["one line", "many lines"])
def test_a_report_of_a_megabyte_passes_the_pull_and_the_reports_stage(
    checkout: Checkout, tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LONG if shape == "one line" else LONG.replace(". ", ".\n")
    checkout.set_folder(columns=COLUMNS)
    done = checkout.thorax("pull", "--from", _folder(tmp_path, text=text))
    assert done.status == 0, done.errors
    from thorax.reports.__main__ import main

    monkeypatch.setenv("THORAX_ROOT", str(checkout.path))
    main()
    labels = artifacts.read_table(checkout.path / "artifacts/reports/labels.parquet")
    one = labels[labels["report"] == "1"].set_index("finding")["state"]
    assert (one["Effusion"], one["Pneumothorax"]) == ("positive", "negative")


def test_a_longer_report_is_refused_at_the_pull_with_its_row(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.set_folder(columns=COLUMNS)
    refused = checkout.thorax("pull", "--from", _folder(tmp_path, text=LONG * 3))
    assert refused.status == 1
    assert "entries.csv, row 3: a cell of more than 2,000,000 characters" in refused.message


def test_a_longer_report_of_openi_is_named_and_stays_out(
    checkout: Checkout, tmp_path: Path
) -> None:
    for name, text in (("CXR1", "Clear."), ("CXR2", LONG * 3), ("CXR3", LONG * 9)):
        (tmp_path / f"{name}.xml").write_text(
            f'<e><uId id="{name}"/><AbstractText Label="FINDINGS">{text}</AbstractText></e>'
        )
    refused = checkout.thorax("pull", "--source", "openi", "--from", tmp_path)
    assert refused.status == 1
    assert "report 'CXR2' has 3,0" in refused.message
    assert "at most 2,000,000 are read" in refused.message
    assert "1 reports cannot be read and stay out (the first: CXR3.xml" in refused.errors


def _least_seconds(text: str) -> float:
    """The least processor time of three readings: other work and the collector only add to it."""
    taken = []
    for _ in range(3):
        labeler = Labeler(ReportsConfig())  # a used one remembers the sentences
        labeler.label("There is a mass.")
        gc.collect()
        started = time.process_time()
        labeler.label(text)
        taken.append(time.process_time() - started)
    return min(taken)


@pytest.mark.parametrize(
    "form", [SENTENCE, "no ", "x", " ", "effusion, ", "1) Mass. 2) No nodule. ", "\n"]
)
def test_the_miner_s_time_grows_with_the_report_s_length_and_no_faster(form: str) -> None:
    """Four times the text takes four times as long; sixteen times would be quadratic."""
    short, long = (form * (length // len(form)) for length in (250_000, 1_000_000))
    assert _least_seconds(long) < 9 * _least_seconds(short) + 0.5


NUMBERS = ("1e300", "inf", "-inf", "nan", "1e18", "-3", "2.5", "two", "1_0e9")


@pytest.mark.parametrize("cell", NUMBERS)
def test_a_visit_that_is_no_whole_number_is_refused_with_its_row(
    checkout: Checkout, tmp_path: Path, cell: str
) -> None:
    checkout.set_folder(columns=COLUMNS)
    refused = checkout.thorax("pull", "--from", _folder(tmp_path, visit=cell))
    assert (refused.status, "entries.csv, row 3: follow_up is " in refused.message) == (1, True)
    assert repr(cell) in refused.message


@pytest.mark.parametrize("cell", ["1e300", "inf", "nan", "-3", "1001", "9" * 400, "9" * 400 + "Y"])
def test_an_age_beyond_sense_is_refused_with_its_row(
    checkout: Checkout, tmp_path: Path, cell: str
) -> None:
    checkout.set_folder(columns=COLUMNS)
    refused = checkout.thorax("pull", "--from", _folder(tmp_path, age=cell))
    assert (refused.status, "entries.csv, row 3: age '" in refused.message) == (1, True)


@pytest.mark.parametrize("column", BOXES[2:])
@pytest.mark.parametrize("cell", ["1e300", "inf", "nan", ""])
def test_a_box_beyond_sense_is_refused_with_its_row(
    hospital: Hospital, column: str, cell: str
) -> None:
    good = {"image": "000.png", "finding": "Mass", **dict.fromkeys(BOXES[2:], "5")}
    rows = [good, {**good, column: cell}]
    write_rows(
        hospital.folder / "boxes.csv", BOXES, [[row[name] for name in BOXES] for row in rows]
    )
    with pytest.raises(BadInput, match=rf"boxes\.csv, row 3: {column} is '{cell}'"):
        hospital.pull(config=hospital.config(boxes="boxes.csv"))
    assert not hospital.data.exists()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        *[("entries", "follow_up", value) for value in (1e300, float("inf"), 1e18, -3, 2.5)],
        *[("entries", "age_years", value) for value in (1e300, float("inf"), -1.0, 1001.0)],
        *[("boxes", column, value) for column in BOXES[2:]
          for value in (1e300, float("inf"), float("nan"), -1e18)],
        ("boxes", "frame_px", 0), ("boxes", "frame_px", 0.5), ("boxes", "frame_px", -1024),
        *[("adjudicated", "label", value) for value in (2, -1, 0.5, float("nan"), 1e300)],
        ("truth", "label", 2),
    ],
)  # fmt: skip
def test_no_source_brings_such_a_number_into_the_data(
    table: str, column: str, value: float
) -> None:
    rows: dict[str, tuple[object, ...]] = {
        "entries": ("1.png", "P1", 0, 57.0, "M", "PA", "Mass", "", "", ""),
        "boxes": ("1.png", "Mass", 1.0, 1.0, 5.0, 5.0, 64),
        "adjudicated": ("1.png", "Mass", 1),
        "truth": ("1.png", "Mass", 1),
    }
    tables = {name: layout.empty(name) for name in layout.COLUMNS}
    for name, row in rows.items():
        tables[name] = pd.DataFrame([row], columns=list(layout.COLUMNS[name]))
    content = layout.Content({"source": "test"}, tables, iter(()), 0)
    door.check(content)
    tables[table][column] = [value]
    with pytest.raises(BadInput, match=f"table {table}, row 2: {column} is .*; expected a "):
        door.check(content)


def test_a_visit_written_into_the_data_by_hand_is_no_crash(tmp_path: Path) -> None:
    header = ",".join(layout.COLUMNS["entries"])
    rows = [f"{place}.png,P,{cell},,,,,,," for place, cell in enumerate((*NUMBERS, "7"))]
    (tmp_path / "entries.csv").write_text("\n".join([header, *rows]) + "\n")
    visits = read_entries(tmp_path / "entries.csv")["follow_up"]
    assert visits.iloc[-1] == 7
    assert visits[:-1].dropna().tolist() == [-3]  # which validation questions
