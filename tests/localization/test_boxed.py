"""Tables of true boxes that cannot be scored are refused, with the row and what to do."""

from pathlib import Path

import pytest

from thorax.errors import BadInput
from thorax.localization.boxed import read_truth

HEADER = "image,finding,x_px,y_px,w_px,h_px,frame_px\n"


def table(folder: Path, *rows: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def test_boxes_up_to_the_edge_are_read(tmp_path: Path) -> None:
    path = table(tmp_path, "a.png,Mass,0,0,64,64,64", "b.png,Nodule,60,2,4.5,3,64")
    assert read_truth(path)["w_px"].tolist() == [64, 4.5]


@pytest.mark.parametrize(
    "place", ["-5,0,20,20", "0,-5,20,20", "50,0,20,20", "0,50,20,20", "200,200,20,20"]
)
def test_a_box_outside_its_frame_is_named(tmp_path: Path, place: str) -> None:
    path = table(tmp_path, "a.png,Mass,1,1,9,9,64", f"b.png,Nodule,{place},64")
    with pytest.raises(BadInput, match=r"row 3: the box of Nodule on b.png .* outside its frame"):
        read_truth(path)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.png,Cough,1,1,9,9,64", "'Cough' is no finding"),
        ("a.png,Mass,1,1,0,9,64", "above 0"),
        ("a.png,Mass,one,1,9,9,64", "finite x_px"),
    ],
)
def test_other_bad_rows_are_named(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(BadInput, match=f"row 2: .*{words}"):
        read_truth(table(tmp_path, row))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("image,finding,x_px,y_px,w_px,h_px\na.png,Mass,1,1,9,9\n")
    with pytest.raises(BadInput, match="'frame_px' is missing"):
        read_truth(path)
