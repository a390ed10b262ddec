"""Table 1: images per label, how many of those carry another one too, and which go together.

Counts the manifest's known targets on all readable images, whatever their split.
"""

import numpy as np
from numpy.typing import NDArray

from thorax import artifacts
from thorax.dataset import manifest
from thorax.findings import CHESTX_RAY8, FINDINGS, NO_FINDING, display
from thorax.tables import comparable, figures, published
from thorax.tables.runs import Run, present
from thorax.tables.table import Cell, Row, Table, missing
from thorax.tables.together import draw_together

_TITLE = "Tables 1 and 16: images that carry a label, and those that carry another one too"
_COLUMNS = (*FINDINGS, NO_FINDING)

Ints = NDArray[np.int64]


def build() -> list[Table]:
    """Label counts with overlaps, and the matrix of labels that go together."""
    here = present()
    path = artifacts.root() / "artifacts/dataset/manifest.parquet"
    if not path.exists():
        return [_paper_alone()]
    table = manifest.read(path)
    table = table[table["readable"]]
    carried = (manifest.targets(table) == 1) & manifest.known(table)  # [N, F]
    patients = int(table["patient"].nunique())
    return [_counts(here, carried, patients), _together(here, carried)]


def overlaps(carried: NDArray[np.bool_]) -> Ints:
    """Of the images that carry each finding [N, F], how many carry another one too: [F]."""
    several = carried.sum(axis=1) > 1
    return np.asarray((carried & several[:, None]).sum(axis=0), np.int64)


def together(carried: NDArray[np.bool_]) -> Ints:
    """How many images carry both findings: [F, F], on the diagonal those that carry the one."""
    whole = carried.astype(np.int64)
    return np.asarray(whole.T @ whole)


def _counts(here: Run, carried: NDArray[np.bool_], patients: int) -> Table:
    rows = [
        row for dataset in ("ChestX-ray8", "ChestX-ray14") for row in _published_rows(dataset)
    ] + [*_rows("ours, the eight", carried[:, : len(CHESTX_RAY8)]), *_rows("ours", carried)]
    published_images = published.images_and_patients()[0]
    return Table(
        name="table-1",
        title=_TITLE,
        columns=_COLUMNS,
        rows=tuple(rows),
        computed_on=f"{len(carried):,} readable images of {patients:,} patients, every split.",
        comparable=comparable.counts(here, len(carried), published_images),
        notes=("Overlap: carries at least one more of the findings that its row counts.",),
        draw=lambda path, warning: figures.draw_counts(path, warning, _rows("", carried), FINDINGS),
        tall=True,
    )


def _paper_alone() -> Table:
    reason = "artifacts/dataset is missing; run the pipeline first: make retrain"
    ours = Row("ours", "images", "ours", missing(_COLUMNS, reason), "count")
    return Table(
        name="table-1",
        title=_TITLE,
        columns=_COLUMNS,
        rows=(*_published_rows("ChestX-ray8"), *_published_rows("ChestX-ray14"), ours),
        computed_on=f"Nothing was computed: {reason}.",
        comparable="There is nothing of ours yet that could be compared with the paper's.",
        tall=True,
    )


def _published_rows(dataset: str) -> list[Row]:
    table = published.read("table1")
    table = table[table["dataset"] == dataset].set_index("label")
    rows = []
    for name, column in (("images", "images"), ("with another", "overlap")):
        values = table[column].dropna()
        cells = {str(label): Cell(float(values[label])) for label in _COLUMNS if label in values}
        rows.append(Row(f"{dataset}, paper", name, "paper", cells, "count"))
    return rows


def _rows(group: str, carried: NDArray[np.bool_]) -> list[Row]:
    """Images and overlaps of the first F findings; No Finding means none of those."""
    names = FINDINGS[: carried.shape[1]]
    images = dict(zip(names, carried.sum(axis=0).tolist(), strict=True))
    images[NO_FINDING] = int((~carried.any(axis=1)).sum())
    shared = dict(zip(names, overlaps(carried).tolist(), strict=True))
    return [
        Row(group, name, "ours", {key: Cell(float(value)) for key, value in of.items()}, "count")
        for name, of in (("images", images), ("with another", shared))
    ]


def _together(here: Run, carried: NDArray[np.bool_]) -> Table:
    matrix = together(carried)
    rows = [
        Row(
            display(finding), "", "ours",
            {other: Cell(float(count)) for other, count in zip(FINDINGS, line, strict=True)},
            "count",
        )
        for finding, line in zip(FINDINGS, matrix.tolist(), strict=True)
    ]  # fmt: skip
    return Table(
        name="together",
        title="Findings that go together: images that carry both",
        columns=FINDINGS,
        rows=tuple(rows),
        computed_on=f"{len(carried):,} readable images, every split.",
        comparable="The poster draws this for ChestX-ray8 without numbers.",
        notes=("On the diagonal: images that carry the finding at all.",),
        draw=lambda path, warning: draw_together(path, warning, matrix, FINDINGS),
    )
