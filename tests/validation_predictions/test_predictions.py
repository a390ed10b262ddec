"""Every rule about predictions catches its planted fault, and clean predictions pass."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thorax import artifacts, config
from thorax.findings import FINDINGS, known_column, target_column
from validation import predictions, runner, verdict
from validation.predictions import PredictionsConfig

REPOSITORY = Path(__file__).parents[2]
SETTINGS = config.load("validation_predictions", PredictionsConfig, REPOSITORY / "params.yaml")
IMAGES = 60

Fault = Callable[[pd.DataFrame], pd.DataFrame]


def manifest() -> pd.DataFrame:
    """60 images, of which every third has every finding; the last 40 are judged."""
    number = np.arange(IMAGES)
    table = pd.DataFrame({"image": [f"{place:02}.png" for place in number]})
    table["split"] = np.repeat(["train", "validation", "test"], 20)
    for finding in FINDINGS:
        table[target_column(finding)] = (number % 3 == 0).astype(np.int8)
        table[known_column(finding)] = True
    return table


def scored() -> pd.DataFrame:
    """Predictions of the judged images, calibrated."""
    judged = manifest().iloc[20:]
    table = judged[["image", "split"]].merge(pd.DataFrame({"finding": FINDINGS}), how="cross")
    probability = np.where(np.arange(len(table)) // len(FINDINGS) % 3 == 1, 0.8, 0.1)
    table["probability"] = probability.astype(np.float32)
    table["logit"] = np.log(probability / (1 - probability)).astype(np.float32)
    return table[["image", "finding", "logit", "probability", "split"]]


def cell(column: str, value: Any) -> Fault:
    def plant(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[30, column] = value
        return table

    return plant


def constant(table: pd.DataFrame) -> pd.DataFrame:
    mine = (table["finding"] == "Mass") & (table["split"] == "test")
    table.loc[mine, "probability"] = np.float32(0.3)
    return table


def overconfident(table: pd.DataFrame) -> pd.DataFrame:
    mine = table["finding"] == "Mass"
    table.loc[mine, "probability"] = 0.3 + table.loc[mine, "probability"] / 10 * 8.7
    table["probability"] = table["probability"].clip(upper=1.0)
    return table


SOFTER = SETTINGS.model_copy(update={"positives_min": 5, "calibration_ratio_max": 1.5})

FAULTS: list[tuple[Fault, str, str, str, str]] = [
    (lambda table: table.drop(columns="logit"), "predictions", "all columns", "critical", ""),
    (lambda table: pd.concat([table, table.head(1)]), "predictions", "an image is scored once",
     "critical", "20.png"),
    (cell("finding", "Lump"), "predictions", "every finding is of", "critical", "Lump"),
    (cell("finding", None), "predictions", "every finding is of", "critical", "n"),
    (cell("probability", 1.5), "predictions", "every probability", "critical", "1.5"),
    (cell("probability", np.nan), "predictions", "every probability", "critical", "nan"),
    (cell("logit", np.inf), "predictions", "every logit", "critical", "inf"),
    (cell("logit", np.nan), "predictions", "every logit", "critical", "nan"),
    (cell("split", "test"), "predictions", "the split is the manifest's", "critical", "validat"),
    (cell("image", "99.png"), "predictions", "the split is the manifest's", "critical", "no such"),
    (lambda table: table.drop(index=30), "coverage", "every image of validation", "critical", "22"),
    (lambda table: table[table["image"] != "45.png"], "coverage", "every image of test",
     "critical", "45.png"),
    (constant, "spread", "no finding has one score", "critical", "Mass"),
    (overconfident, "spread", "the mean probability", "warning", "Mass"),
]  # fmt: skip


def judge(table: pd.DataFrame, folder: Path, *, only: tuple[str, str] = ("", "")) -> dict[str, Any]:
    tables = [
        replace(item, checks=tuple(c for c in item.checks if c.name.startswith(only[1])))
        for item in predictions.tables(table, manifest(), SOFTER)
        if item.name == only[0] or not only[0]
    ]
    return verdict.judge(runner.judge(runner.open_context(folder), tables, rows_named=5))


def test_clean_predictions_are_accepted_by_every_check(tmp_path: Path) -> None:
    answer = judge(scored(), tmp_path)
    assert [check["name"] for check in answer["checks"] if not check["success"]] == []
    assert answer["verdict"] == "accept"


@pytest.mark.parametrize(("fault", "table", "name", "severity", "named"), FAULTS)
def test_a_planted_fault_is_caught_and_named(
    fault: Fault, table: str, name: str, severity: str, named: str, tmp_path: Path
) -> None:
    answer = judge(fault(scored()), tmp_path, only=(table, name))
    (caught,) = answer["checks"]
    assert not caught["success"]
    assert caught["severity"] == severity
    assert named in str(caught["rows"])
    assert answer["verdict"] == ("refuse" if severity == "critical" else "accept")


def test_every_check_has_a_planted_fault() -> None:
    checks = {
        (table.name, check.name)
        for table in predictions.tables(scored(), manifest(), SETTINGS)
        for check in table.checks
    }
    planted = [(table, name) for _, table, name, _, _ in FAULTS]
    missed = [item for item in checks
              if not any(item[0] == t and item[1].startswith(n) for t, n in planted)]  # fmt: skip
    assert missed == []


def test_the_stage_writes_its_refusal_and_ends_well(tmp_path: Path) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    artifacts.write_table(tmp_path / "artifacts/dataset/manifest.parquet", manifest())
    broken = cell("probability", np.nan)(scored())
    artifacts.write_table(tmp_path / "artifacts/inference/predictions.parquet", broken)
    path = f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"
    done = subprocess.run(
        [sys.executable, "-m", "validation.predictions"],
        cwd=tmp_path,
        env={**os.environ, "THORAX_ROOT": str(tmp_path), "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "artifacts" / "validation_predictions"
    assert json.loads((folder / "verdict.json").read_text())["verdict"] == "refuse"
    index = (folder / "docs" / "index.html").read_text()
    assert "The predictions are refused" in index
    assert 'class="failed critical"' in index
    for address in re.findall(r'href="([^"#:]+)"', index):
        assert (folder / "docs" / address).is_file(), address
    assert "the predictions are refused" in done.stdout + done.stderr
    assert "every probability lies between 0 and 1" in done.stdout + done.stderr
