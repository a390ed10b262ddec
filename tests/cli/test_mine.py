"""`thorax mine` as a person calls it."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from thorax.cli.app import app
from thorax.errors import BadInput, ThoraxError
from thorax.reports import lexicon

RUNNER = CliRunner()


def test_a_report_on_stdin_is_read_with_its_evidence() -> None:
    answer = RUNNER.invoke(app, ["mine", "--explain"], input="No effusion. Possible pneumonia.")
    assert answer.exit_code == 0
    assert "uncertainty: possible | before" in answer.stdout
    assert "denied" in answer.stdout


def test_a_text_is_no_path_and_a_lost_path_is_no_text(tmp_path: Path) -> None:
    answer = RUNNER.invoke(app, ["mine", "A mass/nodule is seen."])
    assert answer.exit_code == 0 and "positive" in answer.stdout
    with pytest.raises(BadInput, match="no such file"):
        RUNNER.invoke(app, ["mine", str(tmp_path / "x.csv")], catch_exceptions=False)


def test_what_is_not_mined_is_counted_and_the_command_fails(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("report,text\nr1,A mass.\nr1,No mass.\n")
    output = tmp_path / "labels.parquet"
    call = ["mine", str(tmp_path / "r.csv"), "--output", str(output)]
    with pytest.raises(ThoraxError, match="1 of 2 were not mined, the first: line 3"):
        RUNNER.invoke(app, call, catch_exceptions=False)
    assert output.exists()


def test_a_broken_rule_is_named_with_file_and_line(tmp_path: Path) -> None:
    for part in ("phrases", "rules"):
        shutil.copytree(lexicon.BUILT_IN / part, tmp_path / part)
    (tmp_path / "rules" / "negation.txt").write_text("no | before\nwithout\n")
    with pytest.raises(BadInput, match=r"negation\.txt:2: 'without' must be"):
        RUNNER.invoke(app, ["mine", "A mass.", "--rules", str(tmp_path)], catch_exceptions=False)


def test_two_equal_rule_sets_flip_nothing() -> None:
    answer = RUNNER.invoke(app, ["mine", "A mass.", "--diff", "built-in", "built-in"])
    assert answer.exit_code == 0 and "no label flips" in answer.stdout


@pytest.mark.parametrize("output", ["r.csv", "link.csv", "folder"])
def test_labels_are_never_written_over_the_reports(tmp_path: Path, output: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text("report,text\nr1,A mass.\n")
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "folder").mkdir()
    told = RUNNER.invoke(app, ["mine", str(path), "--output", str(tmp_path / output)])
    assert isinstance(told.exception, BadInput) and output in str(told.exception)
    assert path.read_text() == "report,text\nr1,A mass.\n"


def test_a_list_of_unread_reports_is_not_written_over_the_reports(tmp_path: Path) -> None:
    path = tmp_path / "labels.unread.csv"
    path.write_text("report,text\nr1,A mass.\n")
    output = str(tmp_path / "labels.parquet")
    told = RUNNER.invoke(app, ["mine", str(path), "--output", output])
    assert isinstance(told.exception, BadInput) and path.exists()


def test_a_column_of_text_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text\nA mass.\nNo mass.\n")
    output = tmp_path / "labels.parquet"
    call = ["mine", str(tmp_path / "r.csv"), "--text-column", "text", "--output", str(output)]
    answer = RUNNER.invoke(app, call)
    assert answer.exit_code == 0 and "report ids are row numbers" in answer.stderr
    labels = pd.read_parquet(output).set_index(["report", "finding"])["state"]
    assert (labels["1", "Mass"], labels["2", "Mass"]) == ("positive", "negative")
