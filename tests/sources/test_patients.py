"""One patient under two spellings would be in two splits: joined where sure, else refused."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from tests.sources.command import Checkout
from tests.sources.conftest import Hospital, png, write_rows
from thorax.errors import BadInput
from thorax.sources import tombstones
from thorax.sources.patients import plain_id
from thorax.sources.tables import read_rows

COLUMNS = {"image": "file", "patient": "who", "follow_up": "visit", "report": "text",
           "report_name": "study"}  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Checkout]:
    with pytest.MonkeyPatch.context() as patch:
        yield Checkout(tmp_path_factory.mktemp("patients") / "checkout", patch)


def _folder(folder: Path, *patients: str) -> Path:
    rows = []
    for place, patient in enumerate(patients):
        (folder / f"{place}.png").write_bytes(png(place))
        rows.append((f"{place}.png", patient, f"{place}.0", "Clear.", f"{place // 2 + 7}.0"))
    write_rows(folder / "entries.csv", ("file", "who", "visit", "text", "study"), rows)
    return folder


def test_a_decimal_point_makes_no_other_patient(checkout: Checkout, tmp_path: Path) -> None:
    checkout.set_folder(columns=COLUMNS)
    folder = _folder(tmp_path, "101.0", "101", " 101 ", "101.00")
    done = checkout.thorax("pull", "--from", folder)
    assert done.status == 0, done.errors
    entries, reports = checkout.table("entries"), checkout.table("reports")
    assert {row["patient"] for row in entries} == {"101"}
    assert [row["follow_up"] for row in entries] == ["0", "1", "2", "3"]
    assert [(row["report"], row["patient"]) for row in reports] == [("7", "101"), ("8", "101")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CXR 12", "cxr 12"), ("CXR 12", "CXR  12"), ("CXR 12", "CXR12"), ("101", "0101"),
        ("P-007", "P-7"), ("P-7", "P\u20117"), ("A\u00a07", "A 7"), ("\uff11\uff12", "12"),
        ("x\u200b1", "X1"), ("101.0", "0101"),
    ],
)  # fmt: skip
def test_ids_that_look_alike_are_refused_with_both_rows(
    checkout: Checkout, tmp_path: Path, one: str, other: str
) -> None:
    checkout.set_folder(columns=COLUMNS)
    refused = checkout.thorax("pull", "--from", _folder(tmp_path, "Z9", one, "Z8", other))
    assert refused.status == 1
    message = refused.message
    assert f"entries.csv, row 5: patient {other!r} is {plain_id(one)!r} in row 3" in message
    assert "sources.folder.similar_patients in params.yaml: same" in message


@pytest.mark.parametrize("patient", ["", "nan", "None", "N/A"])
def test_nobody_is_no_patient(checkout: Checkout, tmp_path: Path, patient: str) -> None:
    checkout.set_folder(columns=COLUMNS)
    refused = checkout.thorax("pull", "--from", _folder(tmp_path, "1", patient))
    assert "entries.csv, row 3: no patient" in refused.message


def test_an_id_that_a_spreadsheet_rounded_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    checkout.set_folder(columns=COLUMNS)
    refused = checkout.thorax("pull", "--from", _folder(tmp_path, "1.23457E+11"))
    assert "row 2: patient '1.23457E+11' has lost digits" in refused.message


@pytest.mark.parametrize(
    ("policy", "expected"), [("same", ["A 1", "A 1"]), ("distinct", ["A 1", "a 1"])]
)
def test_the_site_may_say_what_ids_that_look_alike_are(
    hospital: Hospital, policy: str, expected: list[str]
) -> None:
    for place, patient in ((0, "A 1"), (1, "a 1")):
        hospital.rows[place] = (hospital.rows[place][0], patient, *hospital.rows[place][2:])
    hospital.write_table()
    with pytest.raises(BadInput, match="row 3: patient 'a 1' is 'A 1' in row 2"):
        hospital.pull()
    hospital.pull(config=hospital.config(similar_patients=policy))
    entries = read_rows(hospital.data / "entries.csv")
    assert [row["patient"] for row in entries[:2]] == expected


@pytest.mark.parametrize("patient", ["0", "00", "A", "P1.5", "1.50", "12.", "3E12"])
def test_other_ids_are_taken_as_they_are(hospital: Hospital, patient: str) -> None:
    hospital.rows[6] = (hospital.rows[6][0], patient, *hospital.rows[6][2:])
    hospital.write_table()
    hospital.pull()
    entries = read_rows(hospital.data / "entries.csv")
    assert entries[6]["patient"] == ("12" if patient == "12." else patient)


def test_a_patient_forgotten_by_a_decimal_id_stays_forgotten(hospital: Hospital) -> None:
    path = hospital.checkout / tombstones.FILE
    tombstones.bury(path, "101.0", source="folder", day=date(2026, 12, 1), who="A Tester")
    hospital.rows[6] = (hospital.rows[6][0], "101", *hospital.rows[6][2:])
    hospital.write_table()
    hospital.pull()
    assert "101" not in {row["patient"] for row in read_rows(hospital.data / "entries.csv")}
