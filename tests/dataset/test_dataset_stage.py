"""The stage: good data gives a full manifest, bad input gives a reason in it or one plain line."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thorax import artifacts, config
from thorax.dataset import __main__ as dataset_stage
from thorax.dataset import archive, manifest
from thorax.dataset.pixels import Pixels
from thorax.dataset.settings import DatasetConfig
from thorax.errors import ThoraxError
from thorax.findings import FINDINGS, known_column, target_column
from thorax.reports import __main__ as reports_stage

Pack = Callable[[Path, str, list[tuple[str, bytes]]], None]
Edit = Callable[[pd.DataFrame], pd.DataFrame]

REPOSITORY = Path(__file__).parents[2]


def stage(root: Path) -> tuple[int, str]:
    """Run reports and dataset in `root` (in this process): exit code and what they said."""
    said = io.StringIO()
    with redirect_stderr(said):
        try:
            reports_stage.main()
            dataset_stage.main()
        except ThoraxError as error:
            print(error, file=said)
            return error.exit_code, said.getvalue()
    return 0, said.getvalue()


def edit(root: Path, change: Edit) -> None:
    path = root / "data" / "entries.csv"
    change(artifacts.read_csv(path)).to_csv(path, index=False)


def made(root: Path) -> pd.DataFrame:
    code, said = stage(root)
    assert code == 0, said
    return manifest.read(root / "artifacts" / "dataset" / "manifest.parquet")


def test_good_data_gives_every_column_and_every_image(tiny_checkout: Path) -> None:
    table = made(tiny_checkout)
    entries = artifacts.read_csv(tiny_checkout / "data" / "entries.csv").set_index("image")
    assert list(table["image"]) == sorted(entries.index)
    assert list(table["split"]) == list(entries["split"][table["image"]])
    assert table["readable"].all()
    assert (table["reason"] == "").all()
    assert set(table["label_source"]) == {"given"}
    given = entries["findings"][table["image"]].str.split("|")
    for place, finding in enumerate(FINDINGS):
        expected = [int(finding in names) for names in given]
        assert manifest.targets(table)[:, place].tolist() == expected
    assert manifest.known(table).all()
    assert str(table["follow_up"].dtype) == "Int64"
    assert {str(table[target_column(f)].dtype) for f in FINDINGS} == {"int8"}
    assert {str(table[known_column(f)].dtype) for f in FINDINGS} == {"bool"}
    root = tiny_checkout / "artifacts" / "dataset"
    frames = Pixels.open(root / "pixels.json", tiny_checkout / "data").gather(table)
    size_px = config.load("dataset", DatasetConfig).size_px
    assert frames.shape == (40, size_px, size_px)
    np.testing.assert_allclose(frames.mean((1, 2)), table["mean_level"], rtol=0.01)  # resized


def test_the_same_inputs_give_the_same_bytes(tiny_checkout: Path) -> None:
    digests = set()
    for _ in range(2):
        made(tiny_checkout)
        folder = tiny_checkout / "artifacts" / "dataset"
        digests.add(tuple(artifacts.sha256_file(path) for path in sorted(folder.iterdir())))
    assert len(digests) == 1


def test_unknown_labels_come_from_the_reports(tiny_checkout: Path) -> None:
    truth = manifest.targets(made(tiny_checkout))
    edit(tiny_checkout, lambda t: t.assign(findings="", unknown="|".join(FINDINGS)))
    mined = made(tiny_checkout)
    assert set(mined["label_source"]) == {"mined"}
    np.testing.assert_array_equal(manifest.targets(mined), truth)


def test_the_hash_splits_what_no_list_splits(tiny_checkout: Path) -> None:
    edit(tiny_checkout, lambda t: t.assign(split=""))
    table = made(tiny_checkout)
    assert set(table["split"]) == {"train", "validation", "test"}
    assert (table.groupby("patient")["split"].nunique() == 1).all()


def test_bad_files_stay_out_of_every_split_with_a_reason(tiny_checkout: Path, pack: Pack) -> None:
    first = archive.listed(tiny_checkout / "data")[0]
    files = dict(archive.members(first))
    files["train_000.png"] = files["train_000.png"][:100]
    files["train_001.png"] = b""
    del files["train_002.png"]
    pack(tiny_checkout / "data", "0001.tar", list(files.items()))
    table = made(tiny_checkout).set_index("image")
    bad = table.loc[["train_000.png", "train_001.png", "train_002.png"]]
    assert bad["row"].tolist() == [-1, -1, -1]
    assert set(bad["split"]) == {""}
    assert "cut short" in bad["reason"].iloc[0]
    assert bad["reason"].iloc[1] == "the file is empty"
    assert bad["reason"].iloc[2] == manifest.MISSING
    assert table["readable"].sum() == 37


def test_of_two_files_with_one_name_the_first_counts(tiny_checkout: Path, pack: Pack) -> None:
    files = list(archive.members(archive.listed(tiny_checkout / "data")[0]))
    pack(tiny_checkout / "data", "0009.tar", [("train_000.png", files[5][1])])
    code, said = stage(tiny_checkout)
    table = manifest.read(tiny_checkout / "artifacts" / "dataset" / "manifest.parquet")
    row = table.set_index("image").loc["train_000.png"]
    assert code == 0
    assert "1 image names occur more than once" in said
    assert row["readable"]
    assert row["archive"] == "images/0001.tar"
    assert row["sha256"] == artifacts.sha256_bytes(files[0][1])
    assert "images/0001.tar, counts" in row["reason"]


def test_odd_cells_pass_on_to_validation(tiny_checkout: Path) -> None:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, "age_years"] = "413"
        table.loc[1, "age_years"] = "058Y"
        table.loc[2, "findings"] = "Effusions"
        table.loc[3, "follow_up"] = "first"
        return pd.concat([table, table.iloc[[0]]])

    edit(tiny_checkout, spoil)
    table = made(tiny_checkout).set_index("image")
    assert len(table) == 40
    assert table.loc["train_000.png", "age_years"] == 413
    assert np.isnan(table.loc["train_001.png", "age_years"])
    assert table.loc["train_002.png", [target_column(f) for f in FINDINGS]].sum() == 0
    assert pd.isna(table.loc["train_003.png", "follow_up"])


def test_a_finding_without_a_positive_is_said_plainly(tiny_checkout: Path) -> None:
    edit(tiny_checkout, lambda t: t.assign(findings=t["findings"].str.replace("Hernia", "")))
    code, said = stage(tiny_checkout)
    assert code == 0
    assert said.count("without a positive: Hernia") == 3


def give_one_patient_two_lists(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table["image"] == "test_000.png", "patient"] = "train-000"
    return table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(split="train"), "a split is empty (train 40, validation 0, test 0"),
        (give_one_patient_two_lists, "test_000.png in test"),
        (lambda t: t.head(0), "has no row"),
        (lambda t: t.drop(columns="patient"), "column patient is missing"),
        (lambda t: t.assign(patient=""), "patient is empty in 40 rows (first: 2, 3"),
    ],
)
def test_what_cannot_be_joined_ends_in_one_plain_line(
    tiny_checkout: Path, change: Edit, message: str
) -> None:
    edit(tiny_checkout, change)
    code, said = stage(tiny_checkout)
    assert code == 1
    assert message in said
    assert not (tiny_checkout / "artifacts" / "dataset").exists()


def test_the_command_says_what_is_wrong_without_a_traceback(tiny_checkout: Path) -> None:
    path = tiny_checkout / "params.yaml"
    path.write_text(path.read_text().replace("train_share: 0.7", "train_share: 0.9"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "thorax.dataset"],
        cwd=tiny_checkout,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "leave no patient for test" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_corrections_change_is_said(tiny_checkout: Path) -> None:
    before = made(tiny_checkout)
    image, label = before["image"][0], int(before[target_column("Mass")][0])
    with (tiny_checkout / "corrections.csv").open("a") as file:
        file.write(f"{image},Mass,{1 - label},ann,2026-01-01,\n")
    code, said = stage(tiny_checkout)
    assert code == 0
    assert "1 labels in corrections.csv change" in said
    words = ("absent", "present")
    assert f"Mass: 1 {words[label]} -> {words[1 - label]}" in said
