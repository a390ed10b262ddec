"""The OpenI reports: from XML and human labels to tables that the stage `reports` can measure."""

import tarfile
from pathlib import Path

import pandas as pd
import pytest

from tests.sources.conftest import png
from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import quality, table
from thorax.reports.settings import ReportsConfig
from thorax.sources.config import SourcesConfig
from thorax.sources.pull import PullResult, pull

XML = (
    '<eCitation><uId id="{name}"/><AbstractText Label="FINDINGS">{text}</AbstractText>'
    '<parentImage id="{name}_IM-1"/></eCitation>'
)
TOLD = {"CXR1": "A large mass.", "CXR2": "No effusion.", "CXR3": "Effusion."}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "openi"
    (folder / "xml").mkdir(parents=True)
    for name, text in TOLD.items():
        (folder / "xml" / f"{name[3:]}.xml").write_text(XML.format(name=name, text=text))
    rows = [("filename", *FINDINGS, NORMAL)]
    for name, findings in {"CXR1": ["Mass"], "CXR2": ["normal"], "CXR9": []}.items():
        rows.append((name, *(str(int(each in findings)) for each in (*FINDINGS, NORMAL))))
    (folder / "gold.csv").write_text("\n".join(map(",".join, rows)))
    (folder / "other.csv").write_text("a,b\n1,2\n")
    return folder


def ask(folder: Path | None, tmp_path: Path) -> PullResult:
    return pull(
        SourcesConfig(),
        source="openi",
        from_path=folder,
        data=tmp_path / "data",
        home=tmp_path / ".thorax",
    )


def test_reports_alone_can_be_pulled_labelled_and_measured(
    collection: Path, tmp_path: Path
) -> None:
    assert ask(collection, tmp_path).images == 0
    reports = table.read_reports(tmp_path / "data" / "reports.csv")
    assert list(reports["report"]) == list(TOLD)
    truth, origin = quality.truth_of(reports, tmp_path / "data")
    assert origin == "adjudicated labels" and set(truth["report"]) == {"CXR1", "CXR2"}
    settings = ReportsConfig(replicates=20)
    labels = table.label_all(reports, settings)
    measured = quality.measure(labels, truth, settings, measured_on=origin)
    assert measured["findings"]["Mass"]["f1"] == 1.0
    assert measured["normal"]["positives"] == 1


def test_an_archive_gives_what_its_loose_files_give(collection: Path, tmp_path: Path) -> None:
    ask(collection, tmp_path)
    loose = pd.read_csv(tmp_path / "data" / "reports.csv")
    with tarfile.open(collection / "NLMCXR_reports.tgz", "w:gz") as archive:
        archive.add(collection / "xml", "xml")
    assert not ask(collection, tmp_path).changed
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "data" / "reports.csv"), loose)


def test_images_that_are_there_are_pulled_with_every_finding_unknown(
    collection: Path, tmp_path: Path
) -> None:
    (collection / "CXR2_IM-1.png").write_bytes(png(1))
    (collection / "stray.png").write_bytes(png(2))
    assert ask(collection, tmp_path).images == 1
    entries = artifacts.read_csv(tmp_path / "data" / "entries.csv")
    assert entries[["image", "patient"]].values.tolist() == [["CXR2_IM-1.png", "CXR2"]]
    assert entries["unknown"][0] == "|".join(FINDINGS)
    reports = table.read_reports(tmp_path / "data" / "reports.csv")
    assert list(reports["images"]) == ["", "CXR2_IM-1.png", ""]


def test_a_broken_report_stays_out_and_is_named(
    collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (collection / "xml" / "2.xml").write_text("<eCitation>")
    ask(collection, tmp_path)
    told = capsys.readouterr().err
    assert "1 reports cannot be read" in told and "xml/2.xml: malformed XML" in told


def test_a_label_that_is_no_label_is_named(collection: Path, tmp_path: Path) -> None:
    gold = collection / "gold.csv"
    gold.write_text(gold.read_text().replace("CXR2,0", "CXR2,?"))
    with pytest.raises(BadInput, match=r"gold\.csv, row 3: Atelectasis is '\?', not 0 or 1"):
        ask(collection, tmp_path)
    assert not (tmp_path / "data").exists()


def test_without_a_folder_it_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"sources\.openi\.folder"):
        ask(None, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"neither NLMCXR_reports\.tgz nor"):
        ask(tmp_path / "empty", tmp_path)
