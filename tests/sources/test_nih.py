from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.conftest import NIH_HEADER, NIH_STEMS, Checkout, tar_gz
from thorax import config
from thorax.errors import BadInput
from thorax.sources.config import SourcesConfig
from thorax.sources.tables import read_rows

REAL = Path(__file__).parents[3] / "shared/nih"
Add = Callable[..., None]


def test_tables_are_read_with_their_quirks(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    add_images(nih_tables / "images")
    assert checkout.pull(nih_tables).images == 5
    entries = checkout.table("entries")
    assert entries[
        ["image", "patient", "follow_up", "age_years", "sex", "view", "split"]
    ].to_numpy().tolist() == [
        ["00000001_000.png", "1", "0", "57", "M", "PA", "train_val"],
        ["00000001_001.png", "1", "1", "58", "M", "AP", "train_val"],
        ["00000002_000.png", "2", "0", "413", "F", "PA", ""],
        ["00000003_000.png", "3", "0", "33", "F", "AP", "test"],
        ["00000003_001.png", "3", "1", "33", "F", "AP", "test"],
    ]
    assert list(entries["findings"]) == [
        "Cardiomegaly|Emphysema",
        "",
        "Pleural_Thickening",
        "Infiltration",
        "Mass|Nodule",
    ]
    assert checkout.table("boxes").to_numpy().tolist() == [
        ["00000003_000.png", "Infiltration", "225.5", "547.25", "86.75", "79.5", "1024"]
    ]
    assert checkout.table("adjudicated").to_numpy().tolist() == [
        ["00000003_001.png", "Pneumothorax", "0"],
        ["00000003_001.png", "Infiltration|Consolidation|Pneumonia|Edema", "0"],
        ["00000003_001.png", "Mass|Nodule", "1"],
    ]


def test_no_finding_beside_a_finding_reaches_validation(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    add_images(nih_tables / "images")
    path = nih_tables / "Data_Entry_2017_v2020.csv"
    path.write_text(path.read_text().replace("Nodule|Mass", "Nodule|No Finding"))
    checkout.pull(nih_tables)
    assert list(checkout.table("entries")["findings"])[-1] == "No Finding|Nodule"


def test_the_2017_table_is_read_where_there_is_no_newer_one(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    add_images(nih_tables / "images")
    (nih_tables / "Data_Entry_2017_v2020.csv").unlink()
    (nih_tables / "Data_Entry_2017.csv").write_text(
        NIH_HEADER + ",\n"
        "00000001_000.png,Cardiomegaly,000,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
        "00000002_000.png,No Finding,000,2,013M,M,PA,2682,2749,0.143,0.143,\n"
    )
    checkout.pull(nih_tables)
    entries = checkout.table("entries")
    assert list(entries["age_years"]) == ["58", "1.08"]
    assert list(entries["follow_up"]) == ["0", "0"]


def test_images_are_matched_by_stem_and_jpeg_keeps_its_name(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    add_images(nih_tables / "small", suffix=".jpg")
    checkout.pull(nih_tables)
    assert checkout.images() == [f"{stem}.jpg" for stem in NIH_STEMS]
    assert list(checkout.table("boxes")["image"]) == ["00000003_000.jpg"]


def test_of_two_sets_of_the_same_images_the_larger_is_taken(
    checkout: Checkout, nih_tables: Path, add_images: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    add_images(nih_tables / "images-512", suffix=".jpg")
    add_images(nih_tables / "images-1024", NIH_STEMS[:2])
    checkout.pull(nih_tables)
    assert checkout.images() == [f"{stem}.jpg" for stem in NIH_STEMS]
    assert (
        "images-1024: left out, since 2 of its 2 images are in images-512"
        in capsys.readouterr().err
    )
    checkout.pull(nih_tables, images="images-1024")
    assert checkout.images() == [f"{stem}.png" for stem in NIH_STEMS[:2]]
    with pytest.raises(BadInput, match=r"no images in 'images'; it has images-1024, images-512"):
        checkout.pull(nih_tables, images="images")


def test_kaggle_s_twelve_folders_are_one_set(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    add_images(nih_tables / "images_001/images", NIH_STEMS[:2])
    add_images(nih_tables / "images_002/images", NIH_STEMS[2:])
    assert checkout.pull(nih_tables, images="images_*").images == 5


def test_published_archives_are_kept_byte_for_byte(
    checkout: Checkout, nih_tables: Path, add_images: Add, tmp_path: Path
) -> None:
    add_images(tmp_path / "loose")
    contents = {
        name: tar_gz(nih_tables / name, tmp_path / "loose", stems)
        for name, stems in (
            ("images_001.tar.gz", NIH_STEMS[:2]),
            ("images_002.tar.gz", NIH_STEMS[2:]),
        )
    }
    result = checkout.pull(nih_tables)
    assert (result.images, result.archives, result.new_images) == (5, 2, 0)
    for name, content in contents.items():
        path = checkout.data / "images" / name
        assert path.read_bytes() == content
        assert path.stat().st_ino != (nih_tables / name).stat().st_ino  # its owner may write to it
    assert not checkout.pull(nih_tables).changed


def test_an_archive_cut_short_is_named(
    checkout: Checkout, nih_tables: Path, add_images: Add, tmp_path: Path
) -> None:
    add_images(tmp_path / "loose")
    archive = nih_tables / "images_001.tar.gz"
    content = tar_gz(archive, tmp_path / "loose", NIH_STEMS)
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match=r"images_001\.tar\.gz is not a whole tar archive"):
        checkout.pull(nih_tables)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("No Finding", "No Findings", "row 3: unknown label 'No Findings'"),
        (",57,M", ",fifty,M", "row 2: age 'fifty' is not a number"),
        (
            "00000002_000.png",
            "00000001_000.png",
            "row 4: image '00000001_000' stands in row 2 already",
        ),
        (",0.168\n00000099", "\n00000099", "row 6: 10 cells where the header has 11"),
        ("Patient ID", "Patient", "no column 'Patient ID'"),
    ],
)
def test_a_broken_label_table_is_named(
    checkout: Checkout, nih_tables: Path, add_images: Add, old: str, new: str, message: str
) -> None:
    add_images(nih_tables / "images")
    table = nih_tables / "Data_Entry_2017_v2020.csv"
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(BadInput, match=rf"Data_Entry_2017_v2020\.csv.*{message}"):
        checkout.pull(nih_tables)
    assert not checkout.data.exists()


def test_a_few_missing_images_are_named_and_a_part_of_the_data_set_is_only_counted(
    checkout: Checkout, nih_tables: Path, add_images: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    add_images(nih_tables / "images")
    checkout.pull(nih_tables)
    counted = "5 of 6 rows have an image here (missing first: row 7, 00000099_000.png);"
    assert counted in capsys.readouterr().err
    for stem in NIH_STEMS[2:]:
        (nih_tables / f"images/{stem}.png").unlink()
    checkout.pull(nih_tables)
    assert "2 of 6 rows have an image here; " in capsys.readouterr().err
    assert len(checkout.table("entries")) == 2


def test_an_image_in_both_official_lists_is_refused(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    add_images(nih_tables / "images")
    with (nih_tables / "test_list.txt").open("a") as file:
        file.write("\n00000001_000.png")
    with pytest.raises(
        BadInput, match=r"train_val_list\.txt: 00000001_000 stands in the test list"
    ):
        checkout.pull(nih_tables)


def test_a_folder_without_label_table_or_images_says_what_is_missing(
    checkout: Checkout, nih_tables: Path, add_images: Add
) -> None:
    with pytest.raises(BadInput, match="has no PNG or JPEG file"):
        checkout.pull(nih_tables)
    add_images(nih_tables / "images")
    (nih_tables / "Data_Entry_2017_v2020.csv").unlink()
    with pytest.raises(BadInput, match=r"has no Data_Entry_2017_v2020\.csv: get NIH's tables from"):
        checkout.pull(nih_tables)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.exists(), reason="the real NIH images are not beside the checkout")
def test_the_real_images_are_pulled_with_their_labels_and_boxes(checkout: Checkout) -> None:
    result = checkout.pull(REAL)
    subset = read_rows(REAL / "subset.csv")
    entries, boxes = checkout.table("entries"), checkout.table("boxes")
    assert result.images == len(entries) == len(subset)
    assert len(boxes) == sum(int(row["n_boxes"]) for row in subset)
    split = dict(zip(entries["image"].str[:-4], entries["split"], strict=True))
    assert split == {row["image_index"][:-4]: row["official_split"] for row in subset}
    assert not checkout.pull(REAL).changed


def test_the_committed_settings_are_valid() -> None:
    settings = config.load("sources", SourcesConfig, Path(__file__).parents[2] / "params.yaml")
    assert settings.nih.download.parallel > 0
