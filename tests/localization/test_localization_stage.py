import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import CHESTX_RAY8, FINDINGS
from thorax.localization.__main__ import localize

REPOSITORY = Path(__file__).parents[2]
NIH = REPOSITORY.parent / "shared/nih/BBox_List_2017.csv.gz"
COLUMNS = ["image", "finding", "x_px", "y_px", "w_px", "h_px", "frame_px"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    return tmp_path


def score(
    root: Path, truth: pd.DataFrame, detected: pd.DataFrame, splits: dict[str, str]
) -> dict[str, Any]:
    (root / "data").mkdir(exist_ok=True)
    truth.to_csv(root / "data/boxes.csv", index=False)
    artifacts.write_table(
        root / "artifacts/inference/boxes.parquet", detected.assign(score=1.0, method="paper")
    )
    peaks = detected.assign(
        x_px=detected["x_px"] + detected["w_px"] / 2, y_px=detected["y_px"] + detected["h_px"] / 2
    )
    artifacts.write_table(root / "artifacts/inference/peaks.parquet", peaks)
    manifest = pd.DataFrame({"image": list(splits), "split": list(splits.values())})
    manifest["patient"] = manifest["image"].str.split("_").str[0]
    artifacts.write_table(root / "artifacts/dataset/manifest.parquet", manifest)
    localize()
    return json.loads((root / "artifacts/localization/metrics.json").read_text())


def some_boxes(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sides = rng.uniform(50, 200, (count, 4))
    boxes = pd.DataFrame(sides, columns=COLUMNS[2:6])
    boxes.insert(0, "image", [f"{number // 2}_{number}.png" for number in range(count)])
    boxes.insert(1, "finding", [CHESTX_RAY8[number % 3] for number in range(count)])
    return boxes.assign(frame_px=1024)


def test_perfect_boxes_hit_all_and_cost_nothing(root: Path) -> None:
    truth = some_boxes(30, seed=1)
    smaller = truth.copy()
    smaller[COLUMNS[2:]] = smaller[COLUMNS[2:]] / 8  # in a frame of 128 px
    summary = score(root, truth, smaller, dict.fromkeys(truth["image"], "test"))
    assert (summary["boxes"], summary["images"], summary["patients"]) == (30, 30, 15)
    method = summary["methods"]["paper"]
    for entry in [method["mean"], *(method["findings"][name] for name in CHESTX_RAY8[:3])]:
        for cell in [*entry["iou"].values(), *entry["iobb"].values()]:
            assert cell["acc_score"] == cell["acc_high"] == 1
            assert 0.6 < cell["acc_low"] < 0.85  # of ten to fifteen patients, all of them hit
            assert cell["afp_paper_error"] == cell["afp_poster_error"] == 0
    assert method["mean"]["findings"] == 3
    pooled = method["pooled"]
    assert (pooled["boxes"], pooled["detected"], pooled["iou"]["0.7"]["acc_score"]) == (30, 30, 1)
    assert sum(part["boxes"] for part in method["sizes"].values()) == 30
    assert summary["pointing"]["pooled"]["pointing_score"] == 1


def test_all_boxes_as_one_group_are_counted_by_box_and_sizes_apart(root: Path) -> None:
    """Ten small boxes, all hit, and thirty large ones, none hit: a quarter of all boxes."""
    truth = some_boxes(40, seed=8).assign(w_px=60.0, h_px=60.0)
    small = np.arange(40) % 4 == 0
    truth.loc[~small, ["w_px", "h_px"]] = 400.0
    detected = truth.assign(x_px=truth["x_px"] + np.where(small, 0, 500))
    summary = score(root, truth, detected, dict.fromkeys(truth["image"], "test"))
    method = summary["methods"]["paper"]
    cell = method["pooled"]["iou"]["0.5"]
    assert cell["acc_score"] == 0.25
    assert cell["acc_low"] < 0.25 < cell["acc_high"]
    assert cell["afp_paper_error"] == cell["afp_poster_error"] == 0.75
    sizes = method["sizes"]
    assert [sizes[name]["boxes"] for name in ("small", "medium", "large")] == [10, 0, 30]
    assert sizes["small"]["iou"]["0.5"]["acc_score"] == 1
    assert sizes["large"]["iobb"]["0.1"]["acc_score"] == 0
    assert sizes["medium"]["iou"]["0.5"]["acc_score"] is None
    assert sizes["medium"]["reason"] == "no true box"
    assert summary["pointing"]["pooled"]["pointing_score"] == 0.25


def test_an_interval_lies_around_acc_and_false_boxes_are_over_all_true_ones(root: Path) -> None:
    truth = some_boxes(60, seed=2)
    moved = truth.assign(x_px=truth["x_px"] + np.where(np.arange(60) % 4 == 0, 500, 0))
    summary = score(root, truth, moved, dict.fromkeys(truth["image"], "test"))
    cell = summary["methods"]["paper"]["findings"]["Atelectasis"]["iou"]["0.5"]
    assert cell["acc_score"] == 0.75
    assert 0.4 < cell["acc_low"] < 0.75 < cell["acc_high"] <= 1
    assert cell["afp_paper_error"] == cell["afp_poster_error"] == 5 / 60


def test_boxes_outside_the_test_split_are_left_out(root: Path) -> None:
    truth = some_boxes(12, seed=3)
    splits = dict.fromkeys(truth["image"], "test")
    splits[truth["image"][0]] = "train"
    splits[truth["image"][3]] = ""  # unreadable
    del splits[truth["image"][6]]  # not pulled
    summary = score(root, truth, truth, splits)
    assert summary["boxes"] == 9
    assert summary["methods"]["paper"]["findings"]["Atelectasis"]["boxes"] == 1


@pytest.mark.parametrize("detections", [0, 10])
def test_a_source_without_boxes_passes_with_reasons(root: Path, detections: int) -> None:
    boxes = some_boxes(10, seed=4)
    splits = dict.fromkeys(boxes["image"], "test")
    summary = score(root, boxes.iloc[:0], boxes.iloc[:detections], splits)
    assert summary["boxes"] == 0
    assert summary["reason"] == "no image of the test split has a true box"
    method = summary["methods"]["paper"]
    assert list(method["findings"]) == sorted(FINDINGS)
    assert {entry["reason"] for entry in method["findings"].values()} == {"no true box"}
    assert method["findings"]["Mass"]["iou"]["0.1"]["acc_score"] is None
    assert method["mean"]["iou"]["0.1"]["acc_score"] is None
    assert method["mean"]["reason"] == "no finding has a true box"


def test_a_finding_without_a_true_box_says_so_beside_others_that_have_one(root: Path) -> None:
    truth = some_boxes(9, seed=5)
    summary = score(root, truth, truth, dict.fromkeys(truth["image"], "test"))
    findings = summary["methods"]["paper"]["findings"]
    assert findings["Hernia"]["reason"] == "no true box"
    assert findings["Hernia"]["iou"]["0.1"]["acc_score"] is None
    few = "interval not estimable: 3 patients with a true box, 5 are needed"
    assert findings["Effusion"]["reason"] == few


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("finding", "Infiltrate", "row 4: 'Infiltrate' is no finding"),
        ("w_px", 0, "row 4: a box needs"),
        ("x_px", "left", "row 4: a box needs"),
    ],
)
def test_a_bad_true_box_is_named_by_its_row(
    root: Path, column: str, value: object, message: str
) -> None:
    truth = some_boxes(6, seed=6).astype(object)
    truth.loc[2, column] = value  # the header is row 1
    with pytest.raises(BadInput, match=message):
        score(root, truth, some_boxes(6, seed=6), {"0_0.png": "test"})


def test_a_missing_column_is_named(root: Path) -> None:
    truth = some_boxes(6, seed=7)
    with pytest.raises(BadInput, match="column 'frame_px' is missing"):
        score(root, truth.drop(columns="frame_px"), truth, {"0_0.png": "test"})


@pytest.mark.skipif(not NIH.exists(), reason="NIH's boxes are not beside the checkout")
def test_nih_boxes_have_the_counts_that_the_published_accs_are_multiples_of(root: Path) -> None:
    truth = pd.read_csv(NIH).iloc[:, :6].set_axis(COLUMNS[:6], axis=1).assign(frame_px=1024)
    truth["finding"] = truth["finding"].replace("Infiltrate", "Infiltration")
    summary = score(root, truth, truth, dict.fromkeys(truth["image"], "test"))
    findings = summary["methods"]["paper"]["findings"]
    assert (summary["boxes"], summary["images"], summary["patients"]) == (984, 880, 726)
    counts = [findings[name]["boxes"] for name in CHESTX_RAY8]
    assert counts == [180, 146, 153, 123, 85, 79, 120, 98]
    # Acc as Wang et al. print it at T(IoU) 0.1, truncated to four digits (Table 7).
    for printed, count in zip(
        (0.6888, 0.9383, 0.6601, 0.7073, 0.4000, 0.1392, 0.6333, 0.3775), counts, strict=True
    ):
        hits = np.ceil(printed * count - 1e-9)
        assert np.floor(hits / count * 1e4) / 1e4 == pytest.approx(printed)
