"""A checkout with a dataset, an evaluation and a localization of a few generated images."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thorax import artifacts
from thorax.dataset.manifest import COLUMNS
from thorax.evaluation import intervals, scored, summary
from thorax.evaluation.settings import EvaluationConfig
from thorax.findings import CHESTX_RAY8, FINDINGS, known_column, target_column
from thorax.localization.boxed import Boxed
from thorax.localization.settings import LocalizationConfig
from thorax.localization.summary import summarise

REPOSITORY = Path(__file__).parents[2]
IMAGES, PATIENTS, TEST = 150, 50, 120
NETWORK = {"backbone": "resnet50", "pooling": "lse", "lse_r": 10.0}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; not to be changed."""
    root = tmp_path_factory.mktemp("tables")
    shutil.copyfile(REPOSITORY / "params.yaml", root / "params.yaml")
    artifacts.write_json(root / "data/source.json", {"source": "phantom"})
    model = {"settings": NETWORK, "size_px": 64, "initial_weights": "none"}
    artifacts.write_json(root / "artifacts/training/model.json", model)
    table = _manifest()
    artifacts.write_table(root / "artifacts/dataset/manifest.parquet", table)
    artifacts.write_json(root / "artifacts/evaluation/metrics.json", _evaluation(root, table))
    artifacts.write_json(root / "artifacts/localization/metrics.json", _localization(table))
    return root


@pytest.fixture
def checkout(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as a folder that a test may change, and that is the root."""
    root = tmp_path / "checkout"
    shutil.copytree(made, root)
    monkeypatch.setenv("THORAX_ROOT", str(root))
    return root


def _manifest() -> pd.DataFrame:
    """Hernia is on no image, so that it has one class only; the last image cannot be read."""
    rng = np.random.default_rng(8)
    numbers = np.arange(IMAGES)
    table = pd.DataFrame({name: [""] * IMAGES for name in COLUMNS})
    table["image"] = [f"{number:04}.png" for number in numbers]
    table["patient"] = [f"p{number * PATIENTS // IMAGES}" for number in numbers]
    table["split"] = np.where(numbers < TEST, "test", "train")
    table["age_years"], table["row"], table["readable"] = 50.0, numbers, numbers < IMAGES - 1
    for finding in FINDINGS:
        carried = (rng.random(IMAGES) < 0.3) & (finding != "Hernia")
        table[target_column(finding)] = carried.astype(np.int8)
        table[known_column(finding)] = True
    return table


def _evaluation(root: Path, table: pd.DataFrame) -> dict[str, object]:
    rng = np.random.default_rng(9)
    test = table[table["split"] == "test"]
    logits = np.concatenate(
        [test[target_column(finding)] + rng.normal(size=len(test)) for finding in FINDINGS]
    )
    predictions = pd.DataFrame({"image": np.tile(test["image"], len(FINDINGS))})
    predictions["finding"] = np.repeat(FINDINGS, len(test))
    predictions["logit"] = logits.astype(np.float32)
    predictions["probability"] = (1 / (1 + np.exp(-logits))).astype(np.float32)
    predictions["split"] = "test"
    path = root / "artifacts/inference/predictions.parquet"
    artifacts.write_table(path, predictions)
    manifest = root / "artifacts/dataset/manifest.parquet"
    scores = scored.read(path, manifest, split="test")
    config = EvaluationConfig(replicates=100)
    resampling = intervals.resample(scores.about["patient"], replicates=100, seed=8)
    return {"split": "test", **summary.summarise(scores, resampling, config)}


def _localization(table: pd.DataFrame) -> dict[str, object]:
    """One box on each of 64 test images; every second one is found, by two methods alike."""
    boxes = pd.DataFrame({"image": table["image"][:64], "patient": table["patient"][:64]})
    boxes["finding"] = [CHESTX_RAY8[number % 8] for number in range(64)]
    sides = np.random.default_rng(7).uniform(60, 300, (64, 4))
    boxes[["x_px", "y_px", "w_px", "h_px"]] = sides
    boxes["frame_px"] = 1024
    found = boxes.assign(x_px=boxes["x_px"] + np.where(np.arange(64) // 8 % 2, 0, 400))
    peaks = found.assign(x_px=found["x_px"] + 5, y_px=found["y_px"] + 5)
    detected = pd.concat([found.assign(method=method) for method in ("paper", "regression")])
    config = LocalizationConfig(replicates=100, methods=("paper", "regression"))
    return summarise(Boxed(boxes, detected, peaks), config)
