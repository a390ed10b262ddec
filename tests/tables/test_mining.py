"""Tables 2 and 18: published figures beside the measured ones, or the reason why there are none."""

import io
import math
import tarfile
from pathlib import Path

import pandas as pd
import pytest

from thorax import artifacts
from thorax.cli.tables import tables as command
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import quality
from thorax.reports.settings import ReportsConfig
from thorax.tables import catalogue, mining, published
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
    told = quality.measure(
        labels,
        truth,
        ReportsConfig(replicates=20, interval_patients_min=2),
        measured_on="human labels",
    )
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


XML = (
    '<?xml version="1.0" encoding="utf-8"?><eCitation><uId id="{name}"/><MedlineCitation><Article>'
    '<Abstract><AbstractText Label="COMPARISON">None.</AbstractText>'
    '<AbstractText Label="INDICATION">Question of mass.</AbstractText>'
    '<AbstractText Label="FINDINGS">{text}</AbstractText>'
    '<AbstractText Label="IMPRESSION"/></Abstract></Article></MedlineCitation>'
    '<parentImage id="{name}_IM-0001"/></eCitation>'
)
TOLD = {
    "CXR1": ("The heart is enlarged. Small left effusion.", {"Cardiomegaly", "Effusion"}),
    "CXR2": ("The lungs are clear. No effusion.", {"normal"}),
    "CXR3": ("A nodule in the left apex. No pneumothorax.", {"Nodule", "Mass"}),
    "CXR4": ("A large hiatal hernia, and a right effusion.", {"Effusion"}),
}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """The archive and the human labels as the collection has them, with four invented reports."""
    folder = tmp_path / "openi"
    folder.mkdir()
    with tarfile.open(folder / "NLMCXR_reports.tgz", "w:gz") as archive:
        for name, (text, _) in TOLD.items():
            content = XML.format(name=name, text=text).encode()
            member = tarfile.TarInfo(f"ecgen-radiology/{name[3:]}.xml")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    columns = (*FINDINGS, NORMAL)
    rows = [("filename", *columns)]
    rows += [(name, *(str(int(c in found)) for c in columns)) for name, (_, found) in TOLD.items()]
    (folder / "gold.csv").write_text("\n".join(map(",".join, rows)))
    return folder


def files(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_collection_is_mined_and_measured_by_one_command(
    checkout: Path, collection: Path, tmp_path: Path
) -> None:
    before = files(checkout)
    command(["labels"], output=tmp_path / "out", from_path=collection)
    assert files(checkout) == before
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {
        "tables.md",
        *(f"table-{n}.{kind}" for n in (2, 18) for kind in ("md", "csv", "png")),
    }
    numbers = pd.read_csv(tmp_path / "out" / "table-18.csv")
    ours = numbers[numbers["origin"] == "ours"].set_index(["row", "column"])["value"]
    assert ours["recall", "Mass"] == 0.0
    assert ours["F1", "Effusion"] == 1.0
    assert ours["precision", "those that occur"] == 1.0
    assert ours["recall", "those that occur"] == 0.8
    assert ours["precision", "total"] == 0.8  # the hernia has no human label


def test_the_published_stand_beside_what_was_measured_here(
    checkout: Path, collection: Path
) -> None:
    two, eighteen = mining.measure(collection / "NLMCXR_reports.tgz")
    total = cell(two, "ours", "F1", "total")  # four reports: too few for an interval
    assert total.value > 0.5 and math.isnan(total.low)
    assert cell(eighteen, "NegBio, OpenI", "F1", "total").value == 0.873
    assert "4 reports of source openi" in two.computed_on
    assert two.comparable.startswith("May be compared roughly at best")
    assert "no report has it" in cell(eighteen, "ours", "F1", "Hernia").reason


def test_without_human_labels_it_says_what_is_looked_for(checkout: Path, collection: Path) -> None:
    (collection / "gold.csv").unlink()
    with pytest.raises(BadInput, match=r"no CSV of human labels .* 'filename'"):
        mining.measure(collection)


def test_from_says_nothing_of_other_tables(checkout: Path, collection: Path) -> None:
    with pytest.raises(BadInput, match="3 is of this checkout's data"):
        command(["labels", "3"], output=None, from_path=collection)
