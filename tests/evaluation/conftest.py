"""A checkout whose test split is scored."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from thorax import artifacts
from thorax.evaluation.__main__ import evaluate
from thorax.findings import FINDINGS, known_column, target_column

REPOSITORY = Path(__file__).parents[2]
IMAGES, PATIENTS = 240, 80


@dataclass
class Checkout:
    """A folder like a checkout, its manifest and its predictions, which a test may change."""

    root: Path
    manifest: pd.DataFrame
    predictions: pd.DataFrame
    adjudicated: pd.DataFrame
    predictor: dict[str, Any]

    @property
    def manifest_path(self) -> Path:
        return self.root / "artifacts/dataset/manifest.parquet"

    @property
    def output(self) -> Path:
        return self.root / "artifacts/evaluation"

    @property
    def predictions_path(self) -> Path:
        return self.root / "artifacts/inference/predictions.parquet"

    def write(self) -> None:
        artifacts.write_table(self.manifest_path, self.manifest)
        artifacts.write_table(self.predictions_path, self.predictions)
        artifacts.write_json(
            self.root / "artifacts/inference/predictor/predictor.json", self.predictor
        )
        (self.root / "data").mkdir(exist_ok=True)
        self.adjudicated.to_csv(self.root / "data/adjudicated.csv", index=False)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """240 images of 80 patients in three splits; Hernia has no positive, Mass no known label."""
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    return _make(tmp_path)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The same, with the stage run once; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("evaluated")
        patch.setenv("THORAX_ROOT", str(root))
        made = _make(root)
        evaluate()
        yield made


def _make(root: Path) -> Checkout:
    for name in ("params.yaml", "dvc.yaml"):
        (root / name).write_bytes((REPOSITORY / name).read_bytes())
    manifest, predictions = _tables()
    made = Checkout(root, manifest, predictions, _judged(manifest), _predictor())
    made.write()
    return made


def _judged(manifest: pd.DataFrame) -> pd.DataFrame:
    """Every other image judged for nodule or mass, and for effusion, one in nine otherwise."""
    images = manifest["image"][::2]
    effusion = manifest[target_column("Effusion")][::2] ^ (np.arange(len(images)) % 9 == 0)
    either = np.arange(len(images)) % 4 == 0
    return pd.concat(
        [
            pd.DataFrame({"image": images, "finding": "Effusion", "label": effusion.astype(int)}),
            pd.DataFrame({"image": images, "finding": "Mass|Nodule", "label": either.astype(int)}),
        ]
    )


def _predictor() -> dict[str, Any]:
    """What the stage reads of predictor.json: all thresholds 0.3, screening 0.1, Hernia without."""
    points = {
        finding: {"threshold": None if finding == "Hernia" else 0.1,
                  "reason": "no positive image" if finding == "Hernia" else ""}
        for finding in FINDINGS
    }  # fmt: skip
    aim = {"measure": "sensitivity", "at_least": 0.9, "findings": points}
    thresholds = {finding: None if finding == "Hernia" else 0.3 for finding in FINDINGS}
    return {"thresholds": thresholds, "operating_points": {"screening": aim}}


def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(8)
    patient = np.arange(IMAGES) * PATIENTS // IMAGES
    manifest = pd.DataFrame(
        {
            "image": [f"{number:04}.png" for number in range(IMAGES)],
            "patient": [f"patient-{number}" for number in patient],
            "follow_up": pd.array(np.arange(IMAGES) % 3, dtype="Int64"),
            "age_years": rng.uniform(5, 95, IMAGES),
            "sex": rng.choice(["F", "M"], IMAGES),
            "view": rng.choice(["PA", "AP"], IMAGES),
            "split": np.array(["train", "validation", "test"])[np.minimum(patient // 10, 2)],
        }
    )
    manifest.loc[IMAGES - 1, "age_years"] = np.nan
    manifest.loc[IMAGES - 1, "sex"] = ""
    scores = []
    for finding in FINDINGS:
        logits = rng.normal(size=IMAGES) - 1
        targets = rng.random(IMAGES) < expit(2 * logits)
        manifest[target_column(finding)] = (targets & (finding != "Hernia")).astype(np.int8)
        manifest[known_column(finding)] = finding != "Mass"
        scores.append(
            pd.DataFrame(
                {
                    "image": manifest["image"],
                    "finding": finding,
                    "logit": logits.astype(np.float32),
                    "probability": expit(2 * logits).astype(np.float32),
                    "split": manifest["split"],
                }
            )
        )
    return manifest, pd.concat(scores, ignore_index=True)
