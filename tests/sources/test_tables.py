import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thorax import artifacts
from thorax.errors import BadInput
from thorax.sources import door, layout
from thorax.sources.tables import age_years, finding_names, read_rows, write_csv

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_any_text_survives_writing_and_reading(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    write_csv(path, pd.DataFrame(rows, columns=["a", "b"]))
    read = [(row["a"], row["b"]) for row in read_rows(path)]
    assert read == [(_one_newline(first), _one_newline(second)) for first, second in rows]


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def test_numbers_are_written_short_and_missing_ones_as_nothing(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "a": [1.0, None, 0.1],
            "b": pd.array([1, None, 3], dtype="Int64"),
            "c": [True, False, None],
        }
    )
    write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_bytes() == b"a,b,c\n1,1,1\n,,0\n0.1,3,\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n3\n", r"row 3: 1 cells where the header has 2"),
        (b"a,b\n1,2,3\n", r"row 2: 3 cells where the header has 2"),
        (b'a,b\n1,"2\n', r"after row 1: not a whole CSV file"),
        (b"a,b\n" + b"1,2\n" * 9000 + b"1,\xff\n", r"line 9,002: not UTF-8"),
        (b"a,b,a\n", r"row 1: column 'a' stands twice"),
        (b"a;b\n1;2\n", r"row 1: cells are not separated by commas \('a;b'\)"),
        (b"", r"no column 'a'; its header has nothing"),
        (b"x,y\n", r"no column 'a'; its header has x, y"),
    ],
)
def test_a_broken_table_is_named_with_its_row(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(BadInput, match=rf"t\.csv.*{message}"):
        read_rows(tmp_path / "t.csv", need=("a",))


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_an_endless_table_is_refused_before_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(artifacts, "MOST_ROWS", 100)
    path = tmp_path / f"t.{suffix}"
    content = b"a,b\n" + b"garbage,garbage\n" * 100
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    with pytest.raises(BadInput, match=r"t\.csv.*, row 101: more rows than any collection"):
        read_rows(path, need=("a",))


def test_a_gzip_that_is_cut_short_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(5000)))
    (tmp_path / "t.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match=r"t\.csv\.gz, after row [\d,]+: not a whole CSV file"):
        read_rows(tmp_path / "t.csv.gz")


def test_a_byte_order_mark_and_crlf_are_no_part_of_the_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    (row,) = read_rows(tmp_path / "t.csv", need=("a", "b"))
    assert (row["a"], row["b"], row.line) == ("1", "2", 2)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("57", 57),
        ("058Y", 58),
        ("006M", 0.5),
        ("001D", 0.0),
        ("4.5", 4.5),
        ("413", 413),
        ("", None),
    ],
)
def test_ages_are_read_in_years(text: str, age: float | None) -> None:
    assert age_years(text, "here") == age


@pytest.mark.parametrize("text", ["old", "-3", "5 7", "nan", "1e3", "058Z"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="here: age"):
        age_years(text, "here")


def test_labels_come_out_once_and_in_order() -> None:
    names = {"Infiltrate": "Infiltration", "No Finding": ""}
    labels = ["Nodule", "Infiltrate", "", "Infiltration", "No Finding"]
    assert finding_names(labels, "here", names) == ["Infiltration", "Nodule"]


def _content(**tables: pd.DataFrame) -> layout.Content:
    entry = ("1.png", "P1", None, 57.0, "M", "PA", "Mass", "", "", "")
    given = {
        **{name: layout.empty(name) for name in layout.COLUMNS},
        "entries": pd.DataFrame([entry], columns=list(layout.COLUMNS["entries"])),
        **tables,
    }
    return layout.Content({"source": "test"}, given, iter(()), 0)


def _rows(table: str, *rows: tuple[object, ...]) -> dict[str, pd.DataFrame]:
    return {table: pd.DataFrame(rows, columns=list(layout.COLUMNS[table]))}


GOOD = ("1.png", "P1", 0, 57, "M", "PA", "Mass", "", "", "")


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (_rows("entries", GOOD, GOOD), "entries, row 3: image '1.png' stands in row 2 already"),
        (
            _rows("entries", (*GOOD[:6], "Massive", "", "", "")),
            "entries, row 2: unknown label 'Massive'",
        ),
        (
            _rows("entries", (*GOOD[:3], "old", *GOOD[4:])),
            "entries, row 2: age_years is 'old', not a number",
        ),
        (_rows("entries", (*GOOD[:9], "exam")), "entries, row 2: split 'exam'"),
        (
            _rows("entries", ("1.png", "", *GOOD[2:])),
            "entries, row 2: image '1.png' has no patient",
        ),
        (
            _rows("entries", ("../1.png", *GOOD[1:])),
            "row 2: image name '../1.png' is not a plain file name",
        ),
        (
            _rows("boxes", ("9.png", "Mass", 1, 2, 3, 4, 16)),
            "boxes, row 2: image '9.png' stands not in",
        ),
        (_rows("truth", ("1.png", "Lump", 1)), "truth, row 2: unknown label 'Lump'"),
        (
            _rows("reports", ("R1", "P1", "1.png|9.png", "")),
            "reports, row 2: image '9.png' stands not",
        ),
        (
            {"boxes": pd.DataFrame(columns=["image"])},
            "table boxes: columns image; expected image, finding",
        ),
    ],
)
def test_the_door_names_table_and_row(tables: dict[str, pd.DataFrame], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        door.check(_content(**tables))


def test_the_door_lets_implausible_but_readable_rows_pass() -> None:
    door.check(_content())
    door.check(
        _content(**_rows("entries", ("1.png", "P1", 0, 413, "", "lateral", "", "Mass", "", "test")))
    )
    door.check(_content(**_rows("adjudicated", ("1.png", "Mass|Nodule", 1))))


def test_a_damaged_gzip_file_is_named_without_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(5000)))
    path.write_bytes(whole[:2000] + bytes(200) + whole[2200:])
    with pytest.raises(BadInput, match="fetch it again"):
        read_rows(path)


def test_an_endless_line_is_named_before_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "entries.csv"
    path.write_text("image,patient\n" + "x" * 5_000_000)
    with pytest.raises(BadInput, match="line 2: longer than 4,000,000 characters"):
        read_rows(path)
