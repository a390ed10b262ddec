"""A tiny network that was trained on nothing, exported as the stage does."""

from pathlib import Path

import pytest
import torch

from thorax.findings import FINDINGS
from thorax.image_checks import ImageChecks
from thorax.inference import export
from thorax.inference.predictor import DESCRIPTION, MODEL, Calibration, Description, Predictor
from thorax.model.classifier import Classifier, ModelConfig

SIZE_PX = 64
SETTINGS = ModelConfig(backbone="resnet10", stride_px=16, transition_channels=8)


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """A network with random weights and batch statistics that are not the initial ones."""
    torch.manual_seed(7)
    model = Classifier(SETTINGS, findings=len(FINDINGS))
    model.set_normalisation(100.0, 40.0)
    model.train()(torch.randint(0, 256, (16, 1, SIZE_PX, SIZE_PX), dtype=torch.uint8))
    return model.eval()


@pytest.fixture(scope="session")
def graph(classifier: Classifier) -> bytes:
    """The network as ONNX."""
    return export.to_onnx(classifier, size_px=SIZE_PX)


@pytest.fixture
def predictor_folder(tmp_path: Path, graph: bytes) -> Path:
    """A predictor's folder whose threshold is 0.5 for all findings but the last, which has none."""
    import hashlib

    folder = tmp_path / "predictor"
    folder.mkdir()
    (folder / MODEL).write_bytes(graph)
    thresholds: dict[str, float | None] = dict.fromkeys(FINDINGS, 0.5)
    description = Description(
        findings=FINDINGS,
        size_px=SIZE_PX,
        frame_px=1024,
        calibration={finding: Calibration(scale=2.0, bias=0.5) for finding in FINDINGS},
        thresholds=thresholds | {FINDINGS[-1]: None},
        image_checks=ImageChecks(not_a_chest="off", inverted="off", turned="off", mirrored="off"),
        weights_sha256="0" * 64,
        model_sha256=hashlib.sha256(graph).hexdigest(),
    )
    (folder / DESCRIPTION).write_text(description.model_dump_json())
    return folder


@pytest.fixture
def predictor(predictor_folder: Path) -> Predictor:
    """The predictor of that folder."""
    return Predictor.load(predictor_folder, threads=1)
