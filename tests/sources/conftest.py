"""A hospital's folder with a table, and NIH's tables, for the tests of pulling."""

import csv
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thorax.sources.config import SourcesConfig
from thorax.sources.folder_config import FolderColumns, FolderConfig
from thorax.sources.nih.config import NihConfig
from thorax.sources.pull import PullResult, pull

NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)


def png(seed: int) -> bytes:
    """A little grey picture; another one for another seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 16), np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])


def write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


class Hospital:
    """A folder of images with a table that can grow, and the checkout that pulls from it."""

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.folder, self.checkout = folder, checkout
        self.data, self.home = checkout / "data", checkout / ".thorax"
        self.rows: list[tuple[str, ...]] = []
        folder.mkdir()
        checkout.mkdir()

    def add(self, *numbers: int, findings: str = "Mass") -> None:
        """Add images and their rows."""
        for number in numbers:
            name = f"{number:03d}.png"
            (self.folder / name).write_bytes(png(number))
            self.rows.append((name, f"P{number // 2}", "57", "M", "PA", findings))
        self.write_table()

    def write_table(self) -> None:
        header = ("file", "patient", "age", "sex", "view", "labels")
        write_rows(self.folder / "entries.csv", header, self.rows)

    def config(self, **changes: object) -> SourcesConfig:
        columns = FolderColumns(
            image="file", patient="patient", age="age", sex="sex", view="view", findings="labels"
        )
        values = {"images": str(self.folder), "columns": columns, **changes}
        return SourcesConfig(
            name="folder", images_per_archive=3, folder=FolderConfig.model_validate(values)
        )

    def pull(self, *, config: SourcesConfig | None = None, **named: object) -> PullResult:
        arguments = {"source": None, "from_path": None, **named}
        return pull(config or self.config(), data=self.data, home=self.home, **arguments)


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    hospital = Hospital(tmp_path / "hospital", tmp_path / "checkout")
    hospital.add(*range(7))
    return hospital


@pytest.fixture
def nih_tables(tmp_path: Path) -> Path:
    """NIH's tables for six images of three patients, with the quirks of the published ones."""
    folder = tmp_path / "nih"
    folder.mkdir()
    rows = [
        "00000001_000.png,Cardiomegaly|Emphysema,0,1,57,M,PA,2682,2749,0.143,0.143",
        "00000001_001.png,No Finding,1,1,58,M,AP,2682,2749,0.143,0.143",
        "00000002_000.png,Pleural_Thickening,0,2,413,F,PA,2500,2048,0.168,0.168",
        "00000003_000.png,Infiltration,0,3,33,F,AP,2500,2048,0.168,0.168",
        "00000003_001.png,Nodule|Mass,1,3,33,F,AP,2500,2048,0.168,0.168",
        "00000099_000.png,Hernia,0,99,70,M,PA,2500,2048,0.168,0.168",
    ]
    (folder / "Data_Entry_2017_v2020.csv").write_text("\n".join([NIH_HEADER, *rows]) + "\n")
    (folder / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00000003_000.png,Infiltrate,225.5,547.25,86.75,79.5\n"
        "00000099_000.png,Mass,1,2,3,4\n"
    )
    (folder / "test_list.txt").write_text("00000003_000.png\n00000003_001.png\n00000099_000.png")
    (folder / "train_val_list.txt").write_text("00000001_000.png\r\n00000001_001.png\r\n")
    (folder / "google2019_nih-chest-xray-labels.csv").write_text(
        "Image Index,Fracture,Pneumothorax,Airspace opacity,Nodule or mass,Set Id\n"
        "00000003_001.png,NO,NO,NO,YES,test\n"
    )
    return folder


NIH_STEMS = ("00000001_000", "00000001_001", "00000002_000", "00000003_000", "00000003_001")


@pytest.fixture
def add_images() -> Callable[..., None]:
    """Write NIH's five images of `nih_tables` into a folder."""

    def add(folder: Path, stems: Iterable[str] = NIH_STEMS, *, suffix: str = ".png") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for seed, stem in enumerate(stems):
            (folder / f"{stem}{suffix}").write_bytes(png(seed))

    return add


class Checkout:
    """A checkout that pulls from NIH's source."""

    def __init__(self, folder: Path) -> None:
        self.data, self.home = folder / "data", folder / ".thorax"

    def pull(self, from_path: Path | None = None, **nih: object) -> PullResult:
        settings = SourcesConfig(name="nih", nih=NihConfig.model_validate(nih))
        return pull(settings, source=None, from_path=from_path, data=self.data, home=self.home)

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.data / f"{name}.csv", dtype=str, keep_default_na=False)

    def images(self) -> list[str]:
        names = []
        for path in sorted((self.data / "images").iterdir()):
            with tarfile.open(path) as archive:
                names += archive.getnames()
        return names


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def tar_gz(path: Path, folder: Path, stems: tuple[str, ...]) -> bytes:
    with tarfile.open(path, "w:gz") as archive:
        for stem in stems:
            archive.add(folder / f"{stem}.png", f"images/{stem}.png")
    return path.read_bytes()
