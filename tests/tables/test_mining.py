"""Tables 2 and 18: published figures beside the measured ones, or the reason why there are none."""

from pathlib import Path

import pandas as pd
import pytest

from thorax import artifacts
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import quality
from thorax.reports.settings import ReportsConfig
from thorax.tables import catalogue, published
from thorax.tables.table import Cell, Table


def cell(table: Table, group: str, name: str, column: str) -> Cell:
    row = next(row for row in table.rows if (row.group, row.name) == (group, name))
    return row.cells[column]


def measured(root: Path) -> None:
    """Four reports, Mass positive in two and labelled in two, one of them right."""
    states = ["positive", "positive", "negative", "unmentioned"]
    pairs = [(number, name) for number in range(4) for name in (*FINDINGS, NORMAL)]
    labels = pd.DataFrame(
        {
            "report": [f"r{number}" for number, _ in pairs],
            "patient": [f"p{number}" for number, _ in pairs],
            "finding": [name for _, name in pairs],
            "state": [
                states[number] if name == "Mass" else "unmentioned" for number, name in pairs
            ],
        }
    )
    truth = labels[["report", "finding"]].assign(
        label=[int(name == "Mass" and number in (0, 2)) for number, name in pairs]
    )
    told = quality.measure(labels, truth, ReportsConfig(replicates=20), measured_on="human labels")
    artifacts.write_json(root / "artifacts/reports/quality.json", told)


def test_published_figures_stand_where_they_were_printed(checkout: Path) -> None:
    two, eighteen = catalogue.build(["labels"])
    assert (two.name, eighteen.name) == ("table-2", "table-18")
    assert cell(two, "paper, OpenI", "recall", "normal").value == 0.99
    assert cell(eighteen, "NegBio, OpenI", "F1", "total").value == 0.873
    assert cell(eighteen, "MetaMap, OpenI", "precision", "Consolidation").value == 0.163


@pytest.mark.parametrize("name", ["table2", "table18"])
def test_printed_f1_follows_from_printed_precision_and_recall(name: str) -> None:
    table = published.read(name)
    f1 = 2 * table["precision"] * table["recall"] / (table["precision"] + table["recall"])
    digits = 0.02 if name == "table2" else 0.002  # of rounded numbers, and as the paper rounds
    assert ((f1 - table["f1"]).abs() < digits).all()


def test_what_was_not_measured_says_what_to_run(checkout: Path) -> None:
    table = catalogue.build(["18"])[0]
    assert any("dvc repro reports" in reason for reason in table.reasons())


def test_ours_comes_with_its_interval_and_its_reason(checkout: Path) -> None:
    measured(checkout)
    table = catalogue.build(["18"])[0]
    mass = cell(table, "ours", "precision", "Mass")
    assert (mass.value, mass.count) == (0.5, 2) and mass.low <= 0.5 <= mass.high
    assert "no report has it" in cell(table, "ours", "F1", "Hernia").reason
    assert "4 reports" in table.computed_on
    assert "May not be compared" in table.comparable


def test_only_openi_may_stand_beside_the_published(checkout: Path) -> None:
    measured(checkout)
    artifacts.write_json(checkout / "data/source.json", {"source": "openi"})
    assert catalogue.build(["2"])[0].comparable.startswith("May be compared roughly at best")
