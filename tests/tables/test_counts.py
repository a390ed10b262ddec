from pathlib import Path

import numpy as np

from thorax.findings import FINDINGS, NO_FINDING
from thorax.tables import counts

# Three findings on five images.
CARRIED = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1]], bool)


def test_overlaps_and_pairs_counted_by_hand() -> None:
    assert counts.overlaps(CARRIED).tolist() == [2, 2, 1]
    assert counts.together(CARRIED).tolist() == [[3, 2, 1], [2, 2, 1], [1, 1, 2]]


def test_counts_stand_beside_the_paper_s_and_leave_out_what_cannot_be_read(checkout: Path) -> None:
    table, pairs = counts.build()
    rows = {(row.group, row.name): row for row in table.rows}
    assert rows["ChestX-ray8, paper", "images"].cells["Mass"].value == 6046
    assert rows["ChestX-ray14, paper", "with another"].cells["Hernia"].value == 117
    assert "Hernia" not in rows["ours, the eight", "images"].cells
    ours = rows["ours", "images"].cells
    assert table.computed_on == "149 readable images of 50 patients, every split."
    assert ours["Hernia"].value == 0
    assert 0 < ours[NO_FINDING].value < rows["ours, the eight", "images"].cells[NO_FINDING].value
    shared = rows["ours", "with another"].cells
    assert all(shared[name].value <= ours[name].value for name in FINDINGS)
    assert pairs.rows[0].cells["Atelectasis"].value == ours["Atelectasis"].value
