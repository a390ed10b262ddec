"""All tables from a checkout: what they hold, what they say for what is missing, their files."""

import json
import math
import shutil
from pathlib import Path

import cv2
import pandas as pd
import pytest
import yaml
from rich.console import Console

from thorax.cli.tables import tables
from thorax.errors import BadInput
from thorax.findings import CHESTX_RAY8, FINDINGS
from thorax.tables import catalogue, formats
from thorax.tables.runs import pooling_label
from thorax.tables.table import Row, Table
from thorax.tables.write import write

EVERY = ["table-1", "together", "table-2", "table-18", "table-3", "table-17", "table-4", "table-7",
         "table-19", "pointing", "sizes", "pooling"]  # fmt: skip


def one(word: str) -> Table:
    return catalogue.build([word])[0]


def row(table: Table, group: str, name: str) -> Row:
    return next(row for row in table.rows if (row.group, row.name) == (group, name))


def put_run(root: Path, experiment: str, name: str, **model: object) -> Path:
    """A finished run of an experiment with the numbers of this checkout's own evaluation."""
    result = root / f".thorax/experiments/{experiment}/{name}/result"
    result.mkdir(parents=True)
    shutil.copyfile(root / "artifacts/evaluation/metrics.json", result / "evaluation.json")
    shutil.copyfile(root / "data/source.json", result / "source.json")
    settings = {"backbone": "resnet10", "pooling": "lse", "lse_r": 5.0, **model}
    about = {"settings": settings, "size_px": 64, "initial_weights": "none"}
    (result / "training.json").write_text(json.dumps(about))
    (result / "params.yaml").write_text(yaml.safe_dump({"training": {"epochs": 3, "loss": "cel"}}))
    said = {"run": name, "label": name, "status": "done", "reason": "", "budget": "reduced"}
    (result / "run.json").write_text(json.dumps(said))
    return result


def test_all_tables_are_made_in_one_go(checkout: Path) -> None:
    assert [table.name for table in catalogue.build([])][: len(EVERY)] == EVERY


def test_ours_are_the_evaluation_s_numbers_with_interval_and_positives(checkout: Path) -> None:
    metrics = json.loads((checkout / "artifacts/evaluation/metrics.json").read_text())
    cells = one("17").rows[2].cells
    for finding in FINDINGS[:-1]:
        entry, cell = metrics["findings"][finding], cells[finding]
        assert (cell.value, cell.low, cell.high) == (
            entry["auc_score"], entry["auc_low"], entry["auc_high"],
        )  # fmt: skip
        assert cell.count == entry["positives"]
    mean = one("3").rows[-2].cells["mean"]
    assert mean.value == pytest.approx(
        sum(metrics["findings"][name]["auc_score"] for name in CHESTX_RAY8) / 8
    )
    assert mean.low == metrics["mean_chestx_ray8"]["auc_low"] < mean.value < mean.high


def test_a_finding_with_one_class_and_a_mean_over_it_say_why_they_are_missing(
    checkout: Path,
) -> None:
    table = one("17")
    cells = table.rows[2].cells
    assert math.isnan(cells["Hernia"].value) and cells["Hernia"].reason
    assert cells["mean"].reason == "no mean over 14: 1 of them have no AUC"
    assert {cells["Hernia"].reason, cells["mean"].reason} <= set(table.reasons())


def test_a_run_of_the_experiment_takes_its_row_and_the_others_say_how_to_make_them(
    checkout: Path,
) -> None:
    put_run(checkout, "paper", "alexnet-w-cel", backbone="alexnet")
    table = one("3")
    ours = row(table, "AlexNet", "ours").cells
    assert ours["Mass"] == table.rows[-2].cells["Mass"]
    assert row(table, "VGG-16", "ours").cells["Mass"].reason == (
        "not run here: thorax experiment paper"
    )
    assert any("alexnet-w-cel: budget `reduced`: 64 px, 3 epochs" in note for note in table.notes)


def test_a_run_that_failed_says_how(checkout: Path) -> None:
    result = put_run(checkout, "paper", "vgg16-w-cel")
    (result / "evaluation.json").unlink()
    failed = {"run": "vgg16-w-cel", "status": "failed", "reason": "training: no disk space left"}
    (result / "run.json").write_text(json.dumps(failed))
    reason = row(one("3"), "VGG-16", "ours").cells["Mass"].reason
    assert reason == "vgg16-w-cel: training: no disk space left"


def test_the_sweep_knows_its_runs_by_what_they_pool_with(checkout: Path) -> None:
    put_run(checkout, "pooling", "whatever", lse_r=8.0)
    put_run(checkout, "pooling", "mean", pooling="average")
    swept = one("pooling").rows[:9]
    rows = {row.group: row.cells["mean"].value for row in swept}
    assert not math.isnan(rows["LSE r = 8"]) and not math.isnan(rows["average pooling"])
    assert math.isnan(rows["LSE r = 10"]) and math.isnan(rows["max pooling"])


def test_acc_and_afp_of_every_method_stand_beside_the_paper_s_at_every_t(checkout: Path) -> None:
    metrics = json.loads((checkout / "artifacts/localization/metrics.json").read_text())
    table = one("7")
    for threshold in ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"):
        for method, maker in (("paper", "paper's boxes"), ("regression", "regression boxes")):
            entry = metrics["methods"][method]["findings"]["Mass"]["iou"][threshold]
            cell = row(table, f"T(IoU) {threshold}", f"Acc, ours, {maker}").cells["Mass"]
            assert (cell.value, cell.low, cell.count) == (entry["acc_score"], entry["acc_low"], 8)
            cell = row(table, f"T(IoU) {threshold}", f"AFP, ours, {maker}").cells["Mass"]
            assert cell.value == entry["afp_paper_error"]
    pooled = metrics["methods"]["paper"]["pooled"]["iou"]["0.5"]["acc_score"]
    cells = row(table, "T(IoU) 0.5", "Acc, ours, paper's boxes").cells
    assert cells["all boxes"].value == pooled == 0.5
    assert row(table, "T(IoU) 0.5", "AFP, poster").cells["Mass"].value == 0.1483


def test_results_of_an_older_version_ask_for_a_new_run(checkout: Path) -> None:
    path = checkout / "artifacts/localization/metrics.json"
    metrics = json.loads(path.read_text())
    del metrics["pointing"]
    for method in metrics["methods"].values():
        del method["pooled"], method["sizes"]
    path.write_text(json.dumps(metrics))
    assert "run the localization stage again" in one("7").reasons()[-1]
    for table in catalogue.build(["localization"])[3:]:  # the pointing game, and sizes
        assert table.reasons()[0].endswith("again")


def test_without_a_run_the_paper_stands_alone_and_every_cell_of_ours_says_why(
    checkout: Path,
) -> None:
    shutil.rmtree(checkout / "artifacts")
    (checkout / "data/source.json").unlink()
    made = catalogue.build([])
    for table in made:
        for line in table.rows:
            for cell in line.cells.values():
                assert line.origin == "paper" or not math.isnan(cell.value) or cell.reason
        assert table.computed_on.startswith("Nothing was computed")
        assert "nothing of" in table.comparable or table.name in ("pointing", "sizes")
    written = {path.name for path in write(made, checkout / "out")}
    assert "table-7.png" in written and "pointing.md" in written
    assert "pointing.png" not in written  # there is nothing to draw


def test_an_experiment_alone_speaks_of_its_own_test_images(checkout: Path) -> None:
    put_run(checkout, "paper", "resnet50-w-cel", backbone="resnet50", pooling="lse", lse_r=10.0)
    shutil.rmtree(checkout / "artifacts")
    for word in ("3", "17"):
        table = one(word)
        assert not table.computed_on.startswith("Nothing was computed")
        counted = next(line for line in table.rows if "positive" in line.name)
        assert counted.cells["Mass"].value > 0


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({"pooling": "lse", "lse_r": 10.0}, "LSE r = 10"),
        ({"pooling": "lse-lba", "lse_r": 10.0}, "LSE-LBA, r from 10"),
        ({"pooling": "max"}, "max pooling"),
    ],
)
def test_a_pooling_has_its_name(settings: dict[str, object], label: str) -> None:
    assert pooling_label(settings) == label


def test_a_word_that_means_no_table_lists_those_that_do(checkout: Path) -> None:
    with pytest.raises(BadInput, match=r"no table '5'; there are: .*classification 3 17"):
        catalogue.build(["3", "5"])


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_number_is_cut_off_on_a_narrow_terminal(checkout: Path, width: int) -> None:
    table = one("3")
    console = Console(width=width, record=True, highlight=False)
    formats.print_tables([table], console)
    text = console.export_text()
    for line in table.rows:
        for cell in line.cells.values():
            assert formats.number(cell, line) in text
    assert console.width == width


def test_files_hold_the_same_numbers_and_the_same_run_gives_the_same_bytes(
    checkout: Path, tmp_path: Path
) -> None:
    made = [one("3"), one("4"), *catalogue.build(["counts", "pooling"])]
    first, second = (
        {path.name: path.read_bytes() for path in write(made, tmp_path / name)}
        for name in ("one", "two")
    )
    assert first == second
    assert {f"table-3{suffix}" for suffix in (".md", ".csv", ".png")} <= set(first)
    numbers = pd.read_csv(tmp_path / "one/table-3.csv")
    paper = numbers[(numbers["origin"] == "paper") & (numbers["group"] == "AlexNet")]
    assert paper.set_index("column")["value"]["Mass"] == 0.5644
    ours = numbers[numbers["row"] == "ours"].dropna(subset="value")
    assert ours["count"].notna().sum() == 8 and ours["reason"].isna().all()
    page = (tmp_path / "one/tables.md").read_text()
    assert "May not be compared with the paper's: these are phantoms" in page
    assert "![" in page and "[a] not run here: thorax experiment paper." in page


def test_every_figure_is_a_picture_with_something_on_it(checkout: Path, tmp_path: Path) -> None:
    for table in catalogue.build([]):
        assert table.draw is not None
        table.draw(tmp_path / "figure.png", table.comparable)
        picture = cv2.imread(str(tmp_path / "figure.png"))
        assert picture.shape[0] > 400 and picture.std() > 5


def test_the_command_prints_and_writes(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables(["17"], output=None)
    printed = capsys.readouterr().out
    assert "Table 17" in printed and ".872" in printed  # the paper's Hernia
    assert (checkout / ".thorax/tables/table-17.png").exists()
