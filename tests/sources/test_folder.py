from pathlib import Path

import pandas as pd
import pytest

from tests.sources.conftest import Hospital, png, write_rows
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.sources.config import SourcesConfig

HEADER = ("file", "patient", "age", "sex", "view", "labels")


def _read(hospital: Hospital, table: str) -> pd.DataFrame:
    return pd.read_csv(hospital.data / f"{table}.csv", dtype=str, keep_default_na=False)


def _entries(hospital: Hospital) -> dict[str, pd.Series]:
    entries = _read(hospital, "entries")
    return {row["image"]: row for _, row in entries.iterrows()}


def test_given_labels_become_findings_in_the_vocabulary_s_order(hospital: Hospital) -> None:
    hospital.rows[0] = (*hospital.rows[0][:5], "Hernia|Mass")
    hospital.rows[1] = (*hospital.rows[1][:5], "No Finding")
    hospital.rows[2] = (*hospital.rows[2][:5], "No Finding|Mass")
    hospital.write_table()
    hospital.pull()
    entries = _entries(hospital)
    assert entries["000.png"]["findings"] == "Mass|Hernia"
    assert entries["001.png"]["findings"] == ""
    assert entries["002.png"]["findings"] == "No Finding|Mass"  # which validation refuses
    assert set(_read(hospital, "entries")["unknown"]) == {""}


def test_the_site_s_words_are_translated(hospital: Hospital) -> None:
    rows = [
        ("000.png", "P0", "034Y", "female", "ap view", "tumour; water ;scar"),
        *hospital.rows[1:],
    ]
    write_rows(hospital.folder / "entries.csv", HEADER, rows)
    names = {"tumour": "Mass|Nodule", "water": "Effusion", "scar": ""}
    hospital.pull(
        config=hospital.config(
            separator=";", names=names, sexes={"female": "F"}, views={"ap view": "AP"}
        )
    )
    entry = _entries(hospital)["000.png"]
    assert (entry["findings"], entry["sex"], entry["view"], entry["age_years"]) == (
        "Effusion|Mass|Nodule",
        "F",
        "AP",
        "34",
    )


def test_findings_that_the_site_does_not_judge_are_unknown(hospital: Hospital) -> None:
    hospital.pull(config=hospital.config(judged=("Mass", "Effusion")))
    unknown = _entries(hospital)["000.png"]["unknown"].split("|")
    assert unknown == [name for name in FINDINGS if name not in ("Mass", "Effusion")]


def test_a_judged_name_outside_the_vocabulary_is_refused(hospital: Hospital) -> None:
    with pytest.raises(ValueError, match="unknown label 'Tumour'; known are Atelectasis"):
        hospital.config(judged=("Tumour",))


def test_reports_without_labels_leave_every_finding_unknown(hospital: Hospital) -> None:
    rows = [
        ("000.png", "P0", "No effusion.\nA second line, with a comma."),
        ("001.png", "P0", "No effusion.\nA second line, with a comma."),
        ("002.png", "P1", ""),
    ]
    write_rows(hospital.folder / "entries.csv", ("file", "patient", "text"), rows)
    columns = {"image": "file", "patient": "patient", "report": "text"}
    hospital.pull(config=hospital.config(columns=columns))
    assert set(_read(hospital, "entries")["unknown"]) == {"|".join(FINDINGS)}
    reports = _read(hospital, "reports")
    assert list(reports["report"]) == ["000", "001"]
    assert reports["text"][0] == "No effusion.\nA second line, with a comma."


def test_images_with_one_report_name_share_the_report(hospital: Hospital) -> None:
    header = ("file", "patient", "study", "text")
    rows = [("000.png", "P0", "S1", "Clear."), ("001.png", "P0", "S1", "Clear.")]
    write_rows(hospital.folder / "entries.csv", header, rows)
    columns = {"image": "file", "patient": "patient", "report": "text", "report_name": "study"}
    hospital.pull(config=hospital.config(columns=columns))
    assert _read(hospital, "reports").to_dict("records") == [
        {"report": "S1", "patient": "P0", "images": "000.png|001.png", "text": "Clear."}
    ]
    write_rows(
        hospital.folder / "entries.csv", header, [rows[0], ("001.png", "P9", "S1", "Clear.")]
    )
    with pytest.raises(BadInput, match=r"entries\.csv, row 3: report 'S1' has another patient"):
        hospital.pull(config=hospital.config(columns=columns))


def test_images_in_sub_folders_are_found_by_path_name_or_stem(hospital: Hospital) -> None:
    (hospital.folder / "a").mkdir()
    (hospital.folder / "b").mkdir()
    (hospital.folder / "a/x.png").write_bytes(png(50))
    (hospital.folder / "b/x.png").write_bytes(png(51))
    (hospital.folder / "b/y.JPG").write_bytes(png(52))
    rows = [
        (name, "P1", "5", "M", "PA", "")
        for name in ("a/x.png", "b\\x.png", "y", "000", "./001.png")
    ]
    write_rows(hospital.folder / "entries.csv", HEADER, rows)
    hospital.pull()
    assert list(_entries(hospital)) == ["a_x.png", "b_x.png", "b_y.JPG", "000.png", "001.png"]
    write_rows(hospital.folder / "entries.csv", HEADER, [("x.png", "P1", "5", "M", "PA", "")])
    with pytest.raises(BadInput, match=r"image 'x.png' may be a_x.png or b_x.png: give its path"):
        hospital.pull()


def test_a_row_without_image_stays_and_is_named_and_an_image_without_row_stays_out(
    hospital: Hospital, capsys
) -> None:
    (hospital.folder / "006.png").unlink()
    (hospital.folder / "900.png").write_bytes(png(900))
    hospital.pull()
    said = capsys.readouterr().err
    assert "entries.csv: 6 of 7 rows have an image, 1 have none (the first: row 8, 006.png)" in said
    assert "1 images have no row and stay out (the first: 900.png)" in said
    assert list(_entries(hospital)) == [f"{number:03d}.png" for number in range(7)]


def test_an_image_taken_away_leaves_the_archives_while_its_row_stays(hospital: Hospital) -> None:
    hospital.pull()
    (hospital.folder / "001.png").unlink()
    assert hospital.pull().images == 6
    assert "001.png" in _entries(hospital)
    assert not hospital.pull().changed


def test_an_image_that_cannot_be_read_is_named(hospital: Hospital) -> None:
    hospital.pull()
    before = (hospital.data / "source.json").read_bytes()
    hospital.add(50)
    broken = hospital.folder / "050.png"
    broken.unlink()
    broken.symlink_to("/proc/self/mem")  # whose first page nobody may read, root neither
    with pytest.raises(BadInput, match=r"050\.png cannot be read \(.+\): mend or remove it"):
        hospital.pull()
    assert (hospital.data / "source.json").read_bytes() == before


def test_a_table_that_cannot_be_read_is_named(hospital: Hospital) -> None:
    with pytest.raises(BadInput, match=r"hospital cannot be read \(Is a directory\)"):
        hospital.pull(config=hospital.config(table="."))


def test_boxes_are_taken_with_their_frame(hospital: Hospital) -> None:
    header = ("image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px")
    boxes = [("000.png", "Mass", 1, 2.5, 3, 4, 16), ("none.png", "Mass", 1, 2, 3, 4, 16)]
    write_rows(hospital.folder / "boxes.csv", header, boxes)
    hospital.pull(config=hospital.config(boxes="boxes.csv"))
    assert _read(hospital, "boxes").to_numpy().tolist() == [
        ["000.png", "Mass", "1", "2.5", "3", "4", "16"]
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ("000.png", "P0", "57", "M", "PA", "Massive"),
            r"row 9: unknown label 'Massive' \(did you mean 'Mass'\?\); known are .*, No Finding",
        ),
        (("000.png", "P0", "fifty", "M", "PA", ""), "row 9: age 'fifty' is not a number"),
        (("000.png", "", "57", "M", "PA", ""), "row 9: no patient"),
        (("000.png", "P0", "57"), "row 9: 3 cells where the header has 6; the file is cut short"),
        (("001.png", "P0", "57", "M", "PA", ""), "row 9: image '001.png' stands in row 3 already"),
        (("001", "P0", "57", "M", "PA", ""), "row 9: image '001.png' stands in row 3 already"),
    ],
)
def test_a_broken_row_is_named(hospital: Hospital, row: tuple[str, ...], message: str) -> None:
    write_rows(
        hospital.folder / "entries.csv",
        HEADER,
        [("9.png", *hospital.rows[0][1:]), *hospital.rows[1:], row],
    )
    with pytest.raises(BadInput, match=rf"entries\.csv, {message}"):
        hospital.pull()
    assert not hospital.data.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "none.csv"}, r"none\.csv is missing"),
        ({"images": "/nowhere"}, "/nowhere: no such folder"),
        (
            {"columns": {"image": "file", "patient": "person"}},
            "no column 'person'; its header has file",
        ),
    ],
)
def test_settings_that_do_not_fit_the_folder_are_named(
    hospital: Hospital, changes, message
) -> None:
    with pytest.raises(BadInput, match=message):
        hospital.pull(config=hospital.config(**changes))


def test_an_image_without_any_row_in_the_table_is_an_error(hospital: Hospital) -> None:
    write_rows(hospital.folder / "entries.csv", HEADER, [("other.png", "P0", "5", "M", "PA", "")])
    with pytest.raises(
        BadInput, match=r"no image of its 1 rows is there \(the first: row 2, other\.png\)"
    ):
        hospital.pull()


def test_the_named_folder_comes_before_the_configured_one(
    hospital: Hospital, tmp_path: Path
) -> None:
    config = hospital.config(images="/nowhere")
    assert isinstance(config, SourcesConfig)
    assert hospital.pull(config=config, from_path=hospital.folder).images == 7


def test_boxes_without_image_and_rows_without_label_are_counted(
    hospital: Hospital, capsys: pytest.CaptureFixture[str]
) -> None:
    hospital.rows[3] = (*hospital.rows[3][:5], "")
    hospital.write_table()
    header = ("image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px")
    boxes = [("000.png", "Mass", 1, 1, 5, 5, 64), ("zzz.png", "Mass", 1, 1, 5, 5, 64)]
    write_rows(hospital.folder / "boxes.csv", header, boxes)
    hospital.pull(config=hospital.config(boxes="boxes.csv"))
    said = capsys.readouterr().err
    assert "1 boxes are of images that are not there" in said
    assert "row 3, zzz.png" in said
    assert "1 rows with nothing in 'labels'" in said
    assert len(_read(hospital, "boxes")) == 1


def test_links_to_folders_are_followed_once(hospital: Hospital, tmp_path: Path) -> None:
    elsewhere = tmp_path / "archive"
    elsewhere.mkdir()
    (elsewhere / "far.png").write_bytes(png(9))
    (hospital.folder / "linked").symlink_to(elsewhere)
    (elsewhere / "round").symlink_to(hospital.folder)
    hospital.rows.append(("linked/far.png", *hospital.rows[0][1:]))
    hospital.write_table()
    hospital.pull()
    assert "linked_far.png" in _entries(hospital)
