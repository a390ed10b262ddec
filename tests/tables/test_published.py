"""The paper's numbers: as many as its tables have, and a few read from the paper itself."""

import math
from importlib import resources

import pytest

from thorax.findings import CHESTX_RAY8, FINDINGS
from thorax.tables import published


@pytest.mark.parametrize(
    ("name", "rows"),
    [("table1", 28), ("table3", 40), ("table17", 14), ("table4", 40), ("table7", 56),
     ("table19", 40), ("table2", 20), ("table18", 30), ("poster_afp", 16), ("figure6", 9)],
)  # fmt: skip
def test_every_file_is_whole_and_says_where_it_comes_from(name: str, rows: int) -> None:
    assert len(published.read(name)) == rows
    first = (resources.files("thorax.tables") / f"paper/{name}.csv").read_text().splitlines()[0]
    assert first.startswith("#") and "1705.02315" in first


def test_numbers_stand_where_the_paper_has_them() -> None:
    assert published.auc("table3", network="alexnet", loss="w-cel")["Nodule"].value == 0.6487
    assert published.auc("table3", network="resnet50", loss="cel")["Pneumonia"].value == 0.5164
    assert published.auc("table17")["Pleural_Thickening"].value == 0.6835
    assert published.boxes("table4", 0.25, "acc")["Cardiomegaly"].value == 0.9794
    assert published.boxes("table7", 0.5, "afp")["Atelectasis"].value == 1.0884
    assert published.boxes("table19", 0.1, "acc")["Cardiomegaly"].value == 1.0
    assert published.poster_afp("iou", 0.5)["Pneumothorax"].value == 0.0965
    assert published.poster_afp("iou", 0.1) == {}
    assert published.images_and_patients() == (112_120, 30_805)


def test_means_are_over_all_findings_of_the_table() -> None:
    eight = published.auc("table3", network="resnet50", loss="w-cel")
    assert tuple(eight) == (*CHESTX_RAY8, "mean")
    assert eight["mean"].value == pytest.approx(0.6962, abs=5e-5)
    fourteen = published.auc("table17")
    assert tuple(fourteen) == (*FINDINGS, "mean")
    assert fourteen["mean"].value == pytest.approx(0.7451, abs=5e-5)


@pytest.mark.parametrize("name", ["table4", "table7"])
def test_printed_accs_are_truncated_shares_of_nih_s_box_counts(name: str) -> None:
    counts = dict(zip(CHESTX_RAY8, (180, 146, 153, 123, 85, 79, 120, 98), strict=True))
    table = published.read(name)
    for finding, acc in zip(table["finding"], table["acc"], strict=True):
        hits = math.ceil(acc * counts[finding] - 1e-9)
        assert math.floor(hits / counts[finding] * 1e4) / 1e4 == pytest.approx(acc)
