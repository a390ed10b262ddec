"""A valid little `data/` folder, and a checkout around it, for every room's tests."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from thorax import artifacts
from thorax.findings import FINDINGS
from thorax.sources.layout import COLUMNS, empty

REPOSITORY = Path(__file__).parents[1]

SIZE_PX = 64
SPLIT_IMAGES = {"train": 24, "validation": 8, "test": 8}
IMAGES_PER_ARCHIVE = 25


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with long tests first, so that workers end at about the same time."""
    marks = ("end_to_end", "slow")
    long = {item.path for item in items if any(map(item.get_closest_marker, marks))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """`data/` with 40 images of 30 patients, 64 px, in two archives.

    Labels are given, the split is official, every finding has a positive in every split, and
    brightens its own field of the picture. Every image has a report and every positive a box.
    """
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    entries = _entries()
    tables = {
        "entries": entries,
        "boxes": _boxes(entries),
        "reports": _reports(entries),
        "adjudicated": empty("adjudicated"),
        "truth": _truth(entries),
    }
    for name, table in tables.items():
        table[list(COLUMNS[name])].to_csv(data / f"{name}.csv", index=False)
    files = [(row.image, _png(row.findings, seed)) for seed, row in enumerate(entries.itertuples())]
    for start in range(0, len(files), IMAGES_PER_ARCHIVE):
        name = f"{start // IMAGES_PER_ARCHIVE + 1:04}.tar"
        _write_tar(data / "images" / name, files[start : start + IMAGES_PER_ARCHIVE])
    _write_source(data)
    return data


@pytest.fixture
def tiny_checkout(tiny_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a checkout around `tiny_data`: this repository's params.yaml and dvc.yaml."""
    root = tiny_data.parent
    for name in ("params.yaml", "dvc.yaml"):
        (root / name).write_bytes((REPOSITORY / name).read_bytes())
    (root / "corrections.csv").write_text("image,finding,label,reader,date,comment\n")
    monkeypatch.setenv("THORAX_ROOT", str(root))
    return root


@pytest.fixture
def pack() -> Callable[[Path, str, list[tuple[str, bytes]]], None]:
    """Write (or replace) `data/images/NAME` with the given files, and `source.json` to match."""

    def write(data: Path, name: str, files: list[tuple[str, bytes]]) -> None:
        _write_tar(data / "images" / name, files)
        _write_source(data)

    return write


def _entries() -> pd.DataFrame:
    rows = []
    for split, count in SPLIT_IMAGES.items():
        for number in range(count):
            patient = number * 3 // 4  # of four images two are one patient's
            group = number % 8
            present = [] if group == 7 else [FINDINGS[group], FINDINGS[group + 7]]
            rows.append(
                {
                    "image": f"{split}_{number:03}.png",
                    "patient": f"{split}-{patient:03}",
                    "follow_up": number % 3,
                    "age_years": 20 + 2 * number,
                    "sex": "FM"[number % 2],
                    "view": ("PA", "AP")[number // 2 % 2],
                    "findings": "|".join(present),
                    "uncertain": "",
                    "unknown": "",
                    "split": split,
                }
            )
    return pd.DataFrame(rows)


def _field(finding: str) -> tuple[int, int]:
    place = FINDINGS.index(finding)
    return 4 + 15 * (place % 4), 4 + 15 * (place // 4)


def _png(findings: str, seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(60, 100, (SIZE_PX, SIZE_PX), np.uint8)
    for finding in filter(None, findings.split("|")):
        x, y = _field(finding)
        pixels[y : y + 11, x : x + 11] += 110
    return cv2.imencode(".png", pixels)[1].tobytes()


def _boxes(entries: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (row.image, finding, *_field(finding), 11, 11, SIZE_PX)
        for row in entries.itertuples()
        for finding in filter(None, row.findings.split("|"))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS["boxes"]))


def _reports(entries: pd.DataFrame) -> pd.DataFrame:
    words = entries["findings"].str.replace("_", " ").str.lower().str.split("|")
    said = words.map(lambda names: "".join(f"There is {name}. " for name in names if name))
    return pd.DataFrame(
        {
            "report": "report-" + entries["image"].str.removesuffix(".png"),
            "patient": entries["patient"],
            "images": entries["image"],
            "text": "FINDINGS: " + said + "The bones are intact.",
        }
    )


def _truth(entries: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (row.image, finding, int(finding in row.findings.split("|")))
        for row in entries.itertuples()
        for finding in FINDINGS
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS["truth"]))


def _write_tar(path: Path, files: list[tuple[str, bytes]]) -> None:
    mode = "w:gz" if path.suffix == ".gz" else "w"
    with tarfile.open(path, mode) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def _write_source(data: Path) -> None:
    archives = {}
    for path in sorted((data / "images").iterdir()):
        with tarfile.open(path) as tar:
            images = len(tar.getnames())
        archives[f"images/{path.name}"] = {
            "sha256": artifacts.sha256_file(path),
            "bytes": path.stat().st_size,
            "images": images,
        }
    tables = {f"{name}.csv": artifacts.sha256_file(data / f"{name}.csv") for name in COLUMNS}
    source = {"source": "tiny", "archives": archives, "tables": tables}
    (data / "source.json").write_text(json.dumps(source))
