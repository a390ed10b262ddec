"""Reports in, one row per report x finding out; the stage end to end."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import table
from thorax.reports.columns import LABELS
from thorax.reports.settings import ReportsConfig

REPOSITORY = Path(__file__).parents[2]


def write(path: Path, rows: list[tuple[str, str, str, str]]) -> Path:
    pd.DataFrame(rows, columns=list(table.COLUMNS)).to_csv(path, index=False)
    return path


def test_two_rows_with_one_id_are_named(tmp_path: Path) -> None:
    rows = [("r1", "p1", "", "x"), ("r2", "p1", "", "x"), ("r1", "p2", "", "y")]
    with pytest.raises(BadInput, match=r"'r1' \(rows 2, 4\)"):
        table.read_reports(write(tmp_path / "reports.csv", rows))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_text("report,patient,text\nr1,p1,fine\n")
    with pytest.raises(BadInput, match="column images is missing"):
        table.read_reports(tmp_path / "reports.csv")


def test_broken_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_bytes(b"report,patient,images,text\nr1,p1,,\xff\xfe\n")
    with pytest.raises(BadInput, match="UTF-8"):
        table.read_reports(tmp_path / "reports.csv")


def test_no_report_gives_an_empty_table_with_its_columns() -> None:
    empty = pd.DataFrame(columns=list(table.COLUMNS), dtype=str)
    labels = table.label_all(empty, ReportsConfig())
    assert len(labels) == 0
    assert list(labels.columns) == list(LABELS)
    assert str(labels["start"].dtype) == "Int64"


def test_a_row_without_an_id_is_named(tmp_path: Path) -> None:
    rows = [("r1", "p1", "", "x"), (" ", "p1", "", "x")]
    with pytest.raises(BadInput, match=r"1 reports have no id \(rows 3\)"):
        table.read_reports(write(tmp_path / "reports.csv", rows))


def test_what_is_counted_is_what_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = pd.DataFrame({"report": ["r1", "r2"], "patient": "", "text": ["A mass.", "No mass."]})
    mined = table.mine_all(reports, tmp_path / "labels.parquet", ReportsConfig())
    table.say_counts(mined)
    assert "Mass                     1 positive       0 uncertain       1 negative" in (
        capsys.readouterr().err
    )
    labels = artifacts.read_table(tmp_path / "labels.parquet")
    pd.testing.assert_frame_equal(labels, table.label_all(reports, ReportsConfig()))


def test_the_stage_writes_the_same_bytes_twice(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(REPOSITORY / "params.yaml", tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    write(
        tmp_path / "data" / "reports.csv",
        [("r1", "p1", "a.png", "FINDINGS: No effusion. A nodule."), ("r2", "p2", "b.png", "")],
    )
    digests = set()
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-m", "thorax.reports"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(REPOSITORY / "src"), "PATH": "/usr/bin:/bin"},
            check=True,
        )
        digests.add(artifacts.sha256_file(tmp_path / "artifacts" / "reports" / "labels.parquet"))
    assert len(digests) == 1
    labels = artifacts.read_table(tmp_path / "artifacts" / "reports" / "labels.parquet")
    assert len(labels) == 2 * (len(FINDINGS) + 1)
    by_key = labels.set_index(["report", "finding"])["state"]
    assert by_key["r1", "Effusion"] == "negative"
    assert by_key["r1", "Nodule"] == "positive"
    assert by_key["r1", NORMAL] == "negative"
    assert set(by_key["r2"]) == {"unmentioned"}
