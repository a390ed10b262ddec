"""Published tables as a folder's table, by `thorax pull`: CheXpert's, VinDr's, PadChest's."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from tests.sources.command import Checkout, Outcome
from tests.sources.conftest import write_rows
from thorax.findings import FINDINGS
from thorax.sources.folder_config import FolderConfig, value_key


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Checkout]:
    with pytest.MonkeyPatch.context() as patch:
        yield Checkout(tmp_path_factory.mktemp("shapes") / "checkout", patch)


def _images(folder: Path, names: Iterable[str], size: tuple[int, int] = (40, 32)) -> None:
    for seed, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        width, height = size
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
        assert cv2.imwrite(str(folder / name), pixels)


def _pull(checkout: Checkout, folder: Path, **settings: Any) -> Outcome:
    checkout.set_folder(**settings)
    return checkout.thorax("pull", "--from", folder)


def _by_image(checkout: Checkout) -> dict[str, tuple[str, str, str]]:
    columns = ("findings", "uncertain", "unknown")
    return {
        row["image"]: tuple(row[name] for name in columns)  # type: ignore[misc]
        for row in checkout.table("entries")
    }


def _options(message: str, key: str) -> Any:
    """The value of `sources.folder.KEY` that a message shows, as YAML reads it."""
    text = message.partition(f"sources.folder.{key}: ")[2]
    return yaml.safe_load(text[: text.index("}") + 1])


CHEXPERT = (
    "Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", "Enlarged Cardiomediastinum",
    "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation", "Pneumonia",
    "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
    "Support Devices",
)  # fmt: skip
CHEXPERT_COLUMNS = {"image": "Path", "patient": "Path", "age": "Age", "sex": "Sex", "view": "AP/PA"}


def _chexpert(folder: Path, *rows: dict[str, str]) -> Path:
    """CheXpert's folder and table; its paths begin with the folder's own name."""
    folder = folder / "CheXpert-v1.0-small"
    paths = [f"train/patient{place:05}/study1/view1_frontal.jpg" for place in range(len(rows))]
    _images(folder, paths)
    cells = [
        {"Path": f"{folder.name}/{path}", "Sex": "Male", "Age": "61", "AP/PA": "AP", **row}
        for path, row in zip(paths, rows, strict=True)
    ]
    table = [[row.get(name, "") for name in CHEXPERT] for row in cells]
    write_rows(folder / "train.csv", CHEXPERT, table)
    return folder


def test_chexpert_is_read_as_the_message_says(checkout: Checkout, tmp_path: Path) -> None:
    folder = _chexpert(
        tmp_path,
        {"No Finding": "1.0", "Support Devices": "1.0"},
        {"Pleural Effusion": "1.0", "Edema": "-1.0", "Pneumonia": "0.0", "Fracture": "what?"},
        {"Cardiomegaly": "TRUE", "Edema": "No"},
    )
    settings = {"table": "train.csv", "patient_pattern": r"patient\d+"}
    wrong = {**CHEXPERT_COLUMNS, "findings": "Edema"}
    refused = _pull(checkout, folder, columns=wrong, **settings)
    assert refused.status == 1
    assert "row 3: unknown label '-1.0'" in refused.message
    columns = _options(refused.message, "label_columns")
    assert columns["Pleural Effusion"] == "Effusion"
    assert columns["No Finding"] == "No Finding"
    assert not columns.keys() & {"Support Devices", "Enlarged Cardiomediastinum", "Fracture"}

    done = _pull(checkout, folder, columns=CHEXPERT_COLUMNS, label_columns=columns, **settings)
    assert done.status == 0, done.errors
    nothing, effusion, heart = _by_image(checkout).values()
    others = "|".join(name for name in FINDINGS if name not in columns.values())
    assert nothing == ("", "", others)  # "No Finding" makes the blank ones absent
    assert effusion[:2] == ("Effusion", "Edema")
    assert "Pneumonia" not in effusion[2].split("|")
    assert "Cardiomegaly" in effusion[2].split("|")  # blank: unmentioned
    assert heart[0] == "Cardiomegaly"
    assert "Edema" not in "|".join(heart)
    assert [row["patient"] for row in checkout.table("entries")] == [
        f"patient{place:05}" for place in range(3)
    ]


def test_an_unmapped_value_shows_the_option_that_maps_it(
    checkout: Checkout, tmp_path: Path
) -> None:
    folder = _chexpert(tmp_path, {"Edema": "maybe"}, {"Edema": "1"})
    settings = {
        "table": "train.csv", "columns": CHEXPERT_COLUMNS, "patient_pattern": r"patient\d+",
        "label_columns": {"Edema": "Edema", "Lung Lesion": "Mass|Nodule"},
    }  # fmt: skip
    refused = _pull(checkout, folder, **settings)
    assert (refused.status, "row 2: Edema is 'maybe'" in refused.message) == (1, True)
    values = _options(refused.message, "label_values")
    assert values == {"maybe": "uncertain"}
    assert _pull(checkout, folder, label_values=values, **settings).status == 0
    assert [labels[:2] for labels in _by_image(checkout).values()] == [("", "Edema"), ("Edema", "")]


def test_a_label_column_that_is_missing_or_means_nothing_is_named(
    checkout: Checkout, tmp_path: Path
) -> None:
    folder = _chexpert(tmp_path, {"Edema": "1"})
    settings = {"table": "train.csv", "columns": CHEXPERT_COLUMNS}
    missing = _pull(checkout, folder, label_columns={"Oedema": "Edema"}, **settings)
    assert "no column 'Oedema'; its header has Path" in missing.message
    strange = _pull(checkout, folder, label_columns={"Edema": "Oedema"}, **settings)
    assert "label_columns" in strange.message
    assert "unknown label 'Oedema' (did you mean 'Edema'?)" in strange.message


@pytest.mark.parametrize(
    ("cell", "key"),
    [("1.0", "1"), ("-1.00", "-1"), ("0", "0"), ("-0.0", "0"), (" YES ", "yes"), ("", "")],
)
def test_values_are_known_however_they_are_written(cell: str, key: str) -> None:
    assert value_key(cell) == key


def test_yaml_s_own_types_are_taken_for_the_cells_they_look_like() -> None:
    text = "{2: absent, -1.0: present, yes: unknown, ~: absent, 'N/A': unknown}"
    config = FolderConfig.model_validate(
        {"columns": {"image": "i", "patient": "p"}, "label_values": yaml.safe_load(text)}
    )
    values = config.values()
    assert [values[key] for key in ("2", "-1", "yes", "true", "", "n/a")] == [
        "absent", "present", "unknown", "unknown", "absent", "unknown",
    ]  # fmt: skip


VINDR = ("image_id", "class_name", "rad_id", "x_min", "y_min", "x_max", "y_max")
VINDR_NAMES = {"Nodule/Mass": "Mass|Nodule", "Aortic enlargement": ""}


def _vindr(folder: Path, *rows: tuple[object, ...]) -> dict[str, Any]:
    _images(folder, sorted({f"{row[0]}.png" for row in rows}))
    write_rows(folder / "train.csv", VINDR, rows)
    columns = {"image": "image_id", "patient": "image_id", "findings": "class_name"}
    return {"table": "train.csv", "columns": columns}


def test_vindr_is_read_as_the_messages_say(checkout: Checkout, tmp_path: Path) -> None:
    settings = _vindr(
        tmp_path,
        ("a", "Cardiomegaly", "R1", 10, 8, 30, 24),
        ("a", "Pleural effusion", "R1", 0, 16, 40, 32),
        ("a", "Cardiomegaly", "R2", 10, 8, 30, 24),  # the same box by another reader
        ("a", "Nodule/Mass", "R2", 1, 1, 5, 5),
        ("a", "No finding", "R3", "", "", "", ""),
        ("b", "No finding", "R1", "", "", "", ""),
        ("b", "Aortic enlargement", "R2", 1, 1, 5, 5),
    )
    twice = _pull(checkout, tmp_path, **settings)
    assert (twice.status, "row 3: image 'a.png' stands in row 2" in twice.message) == (1, True)
    for option in (
        "sources.folder.join_rows: true",
        "columns.box: [x_min, y_min, x_max, y_max]",
        "box_format: corners",
        "columns.reader: rad_id",
    ):
        assert option in twice.message
    settings["join_rows"] = True
    settings["columns"] |= {"box": ["x_min", "y_min", "x_max", "y_max"], "reader": "rad_id"}
    unmapped = _pull(checkout, tmp_path, **settings)
    assert "row 3: unknown label 'Pleural effusion'" in unmapped.message
    names = _options(unmapped.message, "names")
    assert names == {"Pleural effusion": "Effusion", **VINDR_NAMES}
    done = _pull(checkout, tmp_path, names=names, **settings)
    assert done.status == 0, done.errors
    assert _by_image(checkout) == {
        "a.png": ("Cardiomegaly|Effusion|Mass|Nodule", "", ""),
        "b.png": ("", "", ""),
    }  # fmt: skip
    boxes = [tuple(row.values()) for row in checkout.table("boxes")]
    assert boxes == [  # of 40 x 32 pixels, in a square frame of 1024
        ("a.png", "Cardiomegaly", "256", "256", "512", "512", "1024"),
        ("a.png", "Effusion", "0", "512", "1024", "512", "1024"),
        ("a.png", "Mass", "25.6", "32", "102.4", "128", "1024"),
        ("a.png", "Nodule", "25.6", "32", "102.4", "128", "1024"),
    ]


def test_most_of_three_readers_decide_where_that_is_wanted(
    checkout: Checkout, tmp_path: Path
) -> None:
    settings = _vindr(
        tmp_path,
        ("a", "Cardiomegaly", "R1", 10, 8, 30, 24),
        ("a", "Cardiomegaly", "R2", 11, 8, 30, 24),
        ("a", "Effusion", "R3", 0, 16, 40, 32),
        ("b", "Mass", "R1", 1, 1, 5, 5),
        ("b", "No finding", "R2", "", "", "", ""),
    )
    settings["columns"] |= {"box": ["x_min", "y_min", "x_max", "y_max"], "reader": "rad_id"}
    done = _pull(checkout, tmp_path, join_rows=True, readers="majority", **settings)
    assert done.status == 0, done.errors
    assert _by_image(checkout) == {"a.png": ("Cardiomegaly", "", ""), "b.png": ("", "Mass", "")}
    assert {row["finding"] for row in checkout.table("boxes")} == {"Cardiomegaly"}
    assert "2 boxes are of findings that most readers do not give" in done.errors


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", "Mass", "R1", 1, 1, "", ""), r"row 3: x_max is '', not a number"),
        (("a", "Mass", "R1", 9, 9, 5, 5), r"row 3: a box from (9, 9) to (5, 5) has no area"),
        (("a", "Mass", "R1", 1, 1, "inf", 5), r"row 3: x_max is 'inf', not a number"),
        (("a", "Mass", "R1", 1, 1, "1e300", 5), r"row 3: x_max is '1e300'; expected at most"),
    ],
)
def test_a_box_that_is_none_is_named(
    checkout: Checkout, tmp_path: Path, row: tuple[object, ...], message: str
) -> None:
    settings = _vindr(tmp_path, ("a", "Mass", "R1", 1, 1, 5, 5), row)
    settings["columns"] |= {"box": ["x_min", "y_min", "x_max", "y_max"]}
    refused = _pull(checkout, tmp_path, join_rows=True, **settings)
    assert (refused.status, message in refused.message) == (1, True), refused.errors


def test_boxes_may_be_given_by_width_and_height_and_in_a_table_of_their_own(
    checkout: Checkout, tmp_path: Path
) -> None:
    _images(tmp_path, ["a.png", "b.png"])
    write_rows(tmp_path / "labels.csv", ("id", "Mass", "Edema"), [("a", 1, 0), ("b", 0, "")])
    boxes = ("id", "what", "x", "y", "width", "height")
    write_rows(tmp_path / "boxes.csv", boxes, [("a", "mass", 10, 8, 20, 16)])
    columns = {
        "image": "id", "patient": "id",
        "box": ["x", "y", "width", "height"], "box_finding": "what",
    }  # fmt: skip
    done = _pull(
        checkout, tmp_path, table="labels.csv", boxes="boxes.csv", columns=columns,
        box_format="size", label_columns={"Mass": "Mass", "Edema": "Edema"},
    )  # fmt: skip
    assert done.status == 0, done.errors
    assert [tuple(row.values()) for row in checkout.table("boxes")] == [
        ("a.png", "Mass", "256", "256", "512", "512", "1024")
    ]


def test_rows_of_one_image_that_contradict_each_other_are_both_named(
    checkout: Checkout, tmp_path: Path
) -> None:
    _images(tmp_path, ["a.png"])
    rows = [("a.png", "P1", "M", "Mass"), ("a.png", "P1", "", "Edema"), ("a", "P1", "F", "Hernia")]
    write_rows(tmp_path / "entries.csv", ("file", "who", "sex", "labels"), rows)
    columns = {"image": "file", "patient": "who", "sex": "sex", "findings": "labels"}
    refused = _pull(checkout, tmp_path, columns=columns, join_rows=True)
    assert "row 4: image 'a.png' has another sex than in row 2" in refused.message


def _listed(folder: Path, *cells: str) -> dict[str, Any]:
    """PadChest's shape: a list of labels in a cell."""
    names = [f"{place}.png" for place in range(len(cells))]
    _images(folder, names)
    rows = [(name, name, cell) for name, cell in zip(names, cells, strict=True)]
    write_rows(folder / "entries.csv", ("ImageID", "PatientID", "Labels"), rows)
    return {"columns": {"image": "ImageID", "patient": "PatientID", "findings": "Labels"}}


def test_padchest_is_read_as_the_messages_say(checkout: Checkout, tmp_path: Path) -> None:
    settings = _listed(
        tmp_path,
        "['cardiomegaly', 'pleural effusion']",
        '["nodule"]',
        "['normal']",
        "[]",
        "",
        "['pleural thickening', ' mass ', 'NSG tube', '']",
    )
    refused = _pull(checkout, tmp_path, **settings)
    assert (refused.status, "sources.folder.findings_format: list" in refused.message) == (1, True)
    settings |= {"findings_format": "list", "no_finding": ["normal"]}
    unmapped = _pull(checkout, tmp_path, **settings)
    assert "unknown label 'pleural effusion'" in unmapped.message
    assert _options(unmapped.message, "names") == {"pleural effusion": "Effusion", "NSG tube": ""}
    settings["names"] = {"pleural effusion": "Effusion"}
    done = _pull(checkout, tmp_path, unmapped="leave_out", **settings)
    assert done.status == 0, done.errors
    assert "1 labels mean no finding and are left out (the first: 'NSG tube', row 7)" in done.errors
    assert [labels[0] for labels in _by_image(checkout).values()] == [
        "Cardiomegaly|Effusion", "Nodule", "", "", "", "Mass|Pleural_Thickening",
    ]  # fmt: skip


@pytest.mark.parametrize("mark", [";", ",", "/"])
def test_another_separator_is_named(checkout: Checkout, tmp_path: Path, mark: str) -> None:
    settings = _listed(tmp_path, f"Mass{mark} Edema", "Hernia")
    refused = _pull(checkout, tmp_path, **settings)
    assert f'set sources.folder.separator: "{mark}" in params.yaml' in refused.message


@pytest.mark.parametrize("cell", ["Mass", "['Mass'", "['Mass]", "[['Mass'], 'Edema']", "[" * 5000])
def test_a_cell_that_is_no_list_is_named(checkout: Checkout, tmp_path: Path, cell: str) -> None:
    settings = _listed(tmp_path, cell)
    refused = _pull(checkout, tmp_path, findings_format="list", **settings)
    assert refused.status == 1
    assert "entries.csv, row 2: Labels is " in refused.message


def test_labels_are_known_as_they_are_printed(checkout: Checkout, tmp_path: Path) -> None:
    thick = ("pleural thickening", "Pleural Thickening", "pleural_thickening", "Pleural-Thickening")
    nothing = ("No finding", "no_finding", "NO FINDING", "NoFinding")
    settings = _listed(tmp_path, *thick, *nothing, "MASS; hernia")
    assert _pull(checkout, tmp_path, separator=";", **settings).status == 0
    assert [labels[0] for labels in _by_image(checkout).values()] == [
        *["Pleural_Thickening"] * len(thick), *[""] * len(nothing), "Mass|Hernia",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "close"),
    [
        ("No findings", "No Finding"), ("Nofindng", "No Finding"), ("Nodules", "Nodule"),
        ("Effusions", "Effusion"), ("Cardiomegally", "Cardiomegaly"), ("Oedema", "Edema"),
    ],
)  # fmt: skip
def test_a_label_spelled_nearly_is_proposed(
    checkout: Checkout, tmp_path: Path, label: str, close: str
) -> None:
    refused = _pull(checkout, tmp_path, **_listed(tmp_path, label))
    assert f"unknown label {label!r} (did you mean {close!r}?)" in refused.message
    assert "Hernia, No Finding; write" in refused.message
    assert _options(refused.message, "names") == {label: close}
