"""A CSV file that is broken is refused with its line, soon, and in little memory."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from thorax import artifacts
from thorax.errors import BadInput

HEADER = "image,patient,findings\n"
GOOD = "00000001_000.png,1,Mass\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def put(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


Write = Callable[[str | bytes], Path]


def test_cells_are_text_and_empty_ones_stay_empty(write: Write) -> None:
    table = artifacts.read_csv(write(HEADER + '"a\nb.png",007,\nc.png,NA,"x,y"\n'), ("image",))
    assert table.to_dict("records") == [
        {"image": "a\nb.png", "patient": "007", "findings": ""},
        {"image": "c.png", "patient": "NA", "findings": "x,y"},
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_column(write: Write) -> None:
    table = artifacts.read_csv(write(b"\xef\xbb\xbf" + (HEADER + GOOD).encode()), ("image",))
    assert list(table.columns) == ["image", "patient", "findings"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER + GOOD + "00000002_000.png,2\n", r"line 3: 2 cells, the header has 3"),
        (HEADER + GOOD + "b.png,2,Mass, left\n", r"line 3: 4 cells, the header has 3"),
        (HEADER + GOOD * 5 + 'b.png,2,"Mass\n' + GOOD * 9, r"begins at line 7: .* quote that does"),
        (HEADER + 'b.png,2,"Mass\n' + GOOD, r"begins at line 2: .* quote that does"),
        (HEADER + GOOD + 'b.png,2,"Mass"x\n', r"begins at line 3: .*quote"),
        (HEADER.replace(",", ";") + "a;1;Mass\n", "line 1: cells are separated by semicolons"),
        (HEADER.replace(",", "\t") + "a\t1\tMass\n", "line 1: cells are separated by tabs"),
        ("image,patient,image\n" + GOOD, "line 1: column 'image' stands twice"),
        ("picture,patient\na,b\n", "column image is missing; it has picture, patient"),
        ("", "column image is missing; it has nothing"),
        ((HEADER + GOOD * 3).encode() + "b.png,2,Ödem\n".encode("latin-1"), "line 5: not UTF-8"),
        ((HEADER + GOOD).encode("utf-16"), "line 1: not UTF-8"),
        (bytes(range(11, 256)) * 40, "line 1: not UTF-8"),
        (HEADER + GOOD + "b.png,2,\0\n", r"line 3: holds a NUL"),
        ((HEADER + "x" * 5_000_000), "line 2: longer than 4,000,000 characters"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    write: Write, content: str | bytes, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        artifacts.read_csv(write(content), ("image",))


def test_more_rows_than_any_collection_has_are_refused_before_they_are_held(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "MOST_ROWS", 1000)
    assert len(artifacts.read_csv(write(HEADER + GOOD * 1000))) == 1000
    with pytest.raises(BadInput, match="line 1,002: more than 1,000 rows"):
        artifacts.read_csv(write(HEADER + GOOD * 1001))


def test_a_long_file_of_garbage_costs_little_memory(write: Write, tmp_path: Path) -> None:
    path = write(HEADER + "garbage,garbage,garbage\n" * 400_000)
    code = (
        "import resource, sys; from pathlib import Path; from thorax import artifacts\n"
        "artifacts.MOST_ROWS = 300_000\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: artifacts.read_csv(Path(sys.argv[1]))\n"
        "except artifacts.BadInput: pass\n"
        "else: raise SystemExit('read')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 20_000  # kilobytes; the file has nearly 10,000 of its own
