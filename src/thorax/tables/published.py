"""The paper's numbers, read from the CSV files in `paper/`; each file's first lines cite its table.

Wang et al., CVPR 2017, arXiv 1705.02315v5 and the authors' poster. Nothing of ours is in there.
"""

from importlib import resources

import pandas as pd

from thorax.findings import CHESTX_RAY8, FINDINGS
from thorax.tables.table import Cell

MEAN = "mean"
EIGHT = (*CHESTX_RAY8, MEAN)
FOURTEEN = (*FINDINGS, MEAN)
TEST_IMAGES = 25_596
"""Images of the official test list (Wang et al., ChestX-ray14)."""
BOXES = 984
"""Boxes of NIH's published list, all on images of the official test list."""


def read(name: str) -> pd.DataFrame:
    """The table `paper/NAME.csv`, its citation left out; an empty number is NaN."""
    file = resources.files("thorax.tables") / "paper" / f"{name}.csv"
    with file.open(encoding="utf-8") as lines:
        return pd.read_csv(lines, comment="#")


def auc(name: str, **keys: str) -> dict[str, Cell]:
    """AUC per finding of the rows that `keys` choose, and their mean (the paper prints none)."""
    return _with_mean(_chosen(read(name), keys), "auc")


def images_and_patients() -> tuple[int, int]:
    """Images and patients of ChestX-ray14."""
    table = read("table1")
    counts = table[table["dataset"] == "ChestX-ray14"].set_index("label")["images"]
    return int(counts["images"]), int(counts["patients"])


def boxes(name: str, threshold: float, number: str) -> dict[str, Cell]:
    """`number` (acc or afp) per finding at one T, and their mean."""
    table = read(name)
    return _with_mean(table[table["threshold"] == threshold], number)


def poster_afp(overlap: str, threshold: float) -> dict[str, Cell]:
    """AFP as the poster counts it, per finding and on average; empty where none was printed."""
    table = read("poster_afp")
    chosen = table[(table["overlap"] == overlap) & (table["threshold"] == threshold)]
    return _with_mean(chosen, "afp")


def mined(name: str, labeler: str, score: str) -> dict[str, Cell]:
    """`score` (precision, recall or f1) of a labeler per finding, `normal` and in total."""
    table = _chosen(read(name), {"labeler": labeler})
    pairs = zip(table["finding"], table[score], strict=True)
    return {str(finding): Cell(float(value)) for finding, value in pairs}


def _chosen(table: pd.DataFrame, keys: dict[str, str]) -> pd.DataFrame:
    for column, value in keys.items():
        table = table[table[column] == value]
    return table


def _with_mean(table: pd.DataFrame, number: str) -> dict[str, Cell]:
    cells = {
        str(finding): Cell(float(value))
        for finding, value in zip(table["finding"], table[number], strict=True)
    }
    ordered: dict[str, Cell] = {finding: cells[finding] for finding in FINDINGS if finding in cells}
    if ordered:
        ordered[MEAN] = Cell(float(table[number].mean()))
    return ordered
