"""A drawn phantom in memory with planted wrong labels, and a predictor for the stage."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from thorax.findings import FINDINGS
from thorax.inference import export
from thorax.inference.predictor import DESCRIPTION, MODEL, Calibration, Description
from thorax.model.classifier import Classifier, ModelConfig
from thorax.reports.settings import ReportsConfig
from thorax.reports.table import label_all
from thorax.schemas.mined_labels import evidence_by_image
from thorax.sources.phantom.drawing import draw
from thorax.sources.phantom.patients import studies
from thorax.sources.phantom.source import PhantomConfig
from thorax.sources.phantom.wording import report
from thorax.training.examples import Examples

SIDE_PX = 96
SEED = 3
PATIENTS = 200


@dataclass(frozen=True)
class Phantom:
    """Drawn images with their truth and what their reports say."""

    rows: pd.DataFrame
    images: NDArray[np.uint8]
    truth: NDArray[np.int8]
    statements: pd.DataFrame

    size_px = SIDE_PX

    def gather(self, manifest_rows: pd.DataFrame) -> NDArray[np.uint8]:
        return self.images[manifest_rows["row"]]


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """429 images of 200 patients, as the phantom source draws them; no label is wrong yet."""
    config = PhantomConfig(seed=SEED, patients=PATIENTS, size_px=SIDE_PX)
    everyone = [
        study
        for patient in range(1, PATIENTS + 1)
        for study in studies(SEED, patient, config.prevalence, config.doubt_share)
    ]
    rows = pd.DataFrame(
        {
            "image": [study.image for study in everyone],
            "patient": [str(study.patient) for study in everyone],
            "age_years": [float(study.age_years) for study in everyone],
            "sex": [study.sex for study in everyone],
            "view": [study.view for study in everyone],
            "label_source": "given",
            "row": range(len(everyone)),
        }
    )
    texts = [report(study, seed=SEED, half=config.templates) for study in everyone]
    reports = pd.DataFrame({"report": rows["image"], "patient": rows["patient"], "text": texts})
    links = pd.DataFrame({"image": rows["image"], "report": rows["image"]})
    settings = ReportsConfig(after_reach_words=8, replicates=10, confidence=0.95, seed=8)
    statements = evidence_by_image(links, label_all(reports, settings), rows["image"])
    truth = np.array([[name in study.present for name in FINDINGS] for study in everyone], np.int8)
    images = np.stack([draw(study, seed=SEED, size_px=SIDE_PX) for study in everyone])
    return Phantom(rows, images, truth, statements)


@pytest.fixture(scope="session")
def graph() -> bytes:
    """A network of 64 px that learned nothing, as ONNX."""
    torch.manual_seed(7)
    settings = ModelConfig(backbone="resnet10", stride_px=16, transition_channels=8)
    return export.to_onnx(Classifier(settings, findings=len(FINDINGS)).eval(), size_px=64)


@pytest.fixture
def predictor_folder(tmp_path: Path, graph: bytes) -> Path:
    """A predictor of that network, at its place in the tiny checkout."""
    folder = tmp_path / "artifacts/inference/predictor"
    folder.mkdir(parents=True)
    (folder / MODEL).write_bytes(graph)
    description = Description(
        findings=FINDINGS,
        size_px=64,
        frame_px=1024,
        calibration={finding: Calibration() for finding in FINDINGS},
        thresholds=dict.fromkeys(FINDINGS, 0.5),
        weights_sha256="0" * 64,
        model_sha256=hashlib.sha256(graph).hexdigest(),
    )
    (folder / DESCRIPTION).write_text(description.model_dump_json())
    return folder


@pytest.fixture
def phantom_like() -> Callable[[], tuple[Any, Examples]]:
    """64 images of 32 px in which finding f brightens its own field, of 32 patients."""

    class Drawn:
        size_px = 32

        def __init__(self, targets: NDArray[np.int8]) -> None:
            chance = np.random.default_rng(4)
            self.images = chance.integers(40, 90, (len(targets), 32, 32), np.uint8)
            for row, finding in zip(*np.nonzero(targets), strict=True):
                x, y = 8 * (finding % 4), 8 * (finding // 4)
                self.images[row, y : y + 8, x : x + 8] += 120

        def gather(self, manifest_rows: pd.DataFrame) -> NDArray[np.uint8]:
            return self.images[manifest_rows["row"]]

    def make() -> tuple[Any, Examples]:
        targets = (np.random.default_rng(3).random((64, len(FINDINGS))) < 1 / 3).astype(np.int8)
        pixels = Drawn(targets)
        levels = pixels.images.reshape(len(targets), -1)
        rows = pd.DataFrame(
            {"row": np.arange(64), "patient": [f"p{number // 2}" for number in range(64)],
             "mean_level": levels.mean(axis=1), "std_level": levels.std(axis=1)}
        )  # fmt: skip
        return pixels, Examples(rows, targets, np.ones(targets.shape, bool))

    return make
