"""The stage from outside: its files, its refusals, and a kill -9 that changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from thorax import artifacts, stage
from thorax.dataset import __main__ as dataset_stage
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.model import checkpoint
from thorax.reports import __main__ as reports_stage
from thorax.training import __main__ as training_stage

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
STAGE = {"deps": ["artifacts/dataset", "artifacts/validation/verdict.json"], "params": ["training"]}


@pytest.fixture
def checkout(tiny_checkout: Path, fast: Callable) -> Path:
    """The tiny checkout with a dataset, a verdict of yes, and settings that train in seconds."""
    settings = fast(epochs=4, patience_epochs=4, batch_size=8).model_dump(mode="json")
    change(tiny_checkout / "params.yaml", dataset={"size_px": 64}, training=settings)
    # what the digest of the state counts in: the inputs of this test, not the repository's files
    (tiny_checkout / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"training": STAGE}}))
    reports_stage.main()
    dataset_stage.main()
    say(tiny_checkout, "accept")
    return tiny_checkout


def change(path: Path, **sections: dict) -> None:
    params = yaml.safe_load(path.read_text())
    for name, values in sections.items():
        params[name] = {**params.get(name, {}), **values}
    path.write_text(yaml.safe_dump(params))


def say(root: Path, verdict: str, valid_until: str | None = None) -> None:
    content = {"verdict": verdict, "checks": [], "valid_until": valid_until}
    artifacts.write_json(root / "artifacts/validation/verdict.json", content)


def start(root: Path) -> subprocess.Popen:
    environment = {**os.environ, "THORAX_ROOT": str(root), "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-m", "thorax.training"]
    return subprocess.Popen(
        command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True, bufsize=1
    )


def result(root: Path) -> dict[str, bytes]:
    folder = root / "artifacts/training"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_stage_writes_a_model_that_reads_back_and_a_history(checkout: Path) -> None:
    training_stage.main()
    trained = checkpoint.load(checkout / "artifacts/training")
    assert trained.description.findings == FINDINGS
    assert trained.description.size_px == 64
    history = json.loads((checkout / "artifacts/training/history.json").read_text())
    assert [epoch["epoch"] for epoch in history["epochs"]] == [1, 2, 3, 4]
    best = max(history["epochs"], key=lambda epoch: epoch["validation_auc_score"])
    assert history["best_epoch"] == best["epoch"]


def test_killed_and_run_again_it_gives_the_bytes_of_an_undisturbed_run(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = start(checkout)
    assert killed.stderr is not None
    for line in killed.stderr:
        if "epoch 1 of 4" in line:
            break
    while not list((checkout / ".thorax/state/training").glob("*/progress.pt")):
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    killed.stderr.close()
    assert not (checkout / "artifacts/training").exists()

    training_stage.main()
    assert "going on after epoch" in capsys.readouterr().err
    disturbed = result(checkout)

    for state in (checkout / ".thorax/state/training").glob("*/progress.pt"):
        state.unlink()
    training_stage.main()
    assert "going on" not in capsys.readouterr().err
    assert result(checkout) == disturbed


def test_a_refused_verdict_stops_it_with_one_line_and_no_output(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(checkout, "refuse")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        stage.run("training", training_stage.main)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("training: validation refused the data")
    assert len(said.splitlines()) == 1
    assert not (checkout / "artifacts/training").exists()
    assert not list((checkout / ".thorax/state/training").glob("*/progress.pt"))


def test_a_verdict_whose_waiver_ended_yesterday_stops_it_in_the_same_way(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say(checkout, "accept", valid_until="2026-05-03")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        stage.run(
            "training", lambda: training_stage.main(clock=lambda: datetime(2026, 5, 4, tzinfo=UTC))
        )
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "rested on a waiver that ended on 2026-05-03" in said
    assert len(said.splitlines()) == 1
    assert not (checkout / "artifacts/training").exists()


def test_other_settings_do_not_go_on_from_the_old_state(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(checkout / "params.yaml", training={"epochs": 1, "patience_epochs": 1})
    training_stage.main()
    change(checkout / "params.yaml", training={"epochs": 2, "learning_rate": 0.002})
    training_stage.main()
    said = capsys.readouterr().err
    assert "epoch 1 of 2" in said
    assert "going on" not in said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": {"backbone": "resnet19"}}, "unknown backbone 'resnet19'"),
        ({"model": {"backbone": "resnet10", "stride_px": 32}, "weights": "none.safetensors"},
         r"none\.safetensors is missing"),
    ],
)  # fmt: skip
def test_settings_that_name_nothing_are_plain_errors(
    checkout: Path, settings: dict, message: str
) -> None:
    change(checkout / "params.yaml", training=settings)
    with pytest.raises(BadInput, match=message):
        training_stage.main()


def test_images_below_the_smallest_size_are_refused(checkout: Path) -> None:
    change(checkout / "params.yaml", dataset={"size_px": 32},
           training={"model": {"backbone": "resnet10", "stride_px": 32}})  # fmt: skip
    dataset_stage.main()
    with pytest.raises(BadInput, match="32 px are too small"):
        training_stage.main()


def test_a_split_without_a_known_target_is_bad_input(checkout: Path) -> None:
    path = checkout / "artifacts/dataset/manifest.parquet"
    table = artifacts.read_table(path)
    known = [column for column in table if column.startswith("known_")]
    table.loc[table["split"] == "validation", known] = False
    artifacts.write_table(path, table)
    with pytest.raises(BadInput, match=r"no readable image .* in split 'validation'"):
        training_stage.main()
