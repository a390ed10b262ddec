"""A checkout whose test split is scored."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    made = Checkout(root, *_tables())
    made.write()
    return made


def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(8)
    patient = np.arange(IMAGES) * PATIENTS // IMAGES
    manifest = pd.DataFrame(
        {
            "image": [f"{number:04}.png" for number in range(IMAGES)],
            "patient": [f"patient-{number}" for number in patient],
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
