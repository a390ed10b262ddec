"""The stage: its files fit together and repeat, and models that do not fit are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from thorax import artifacts
from thorax.dataset import __main__ as dataset_stage
from thorax.dataset import manifest
from thorax.dataset.pixels import Pixels
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference import __main__ as inference_stage
from thorax.inference.predictor import Predictor
from thorax.model import checkpoint
from thorax.model.classifier import Classifier, ModelConfig
from thorax.reports import __main__ as reports_stage

SETTINGS = ModelConfig(backbone="resnet10", stride_px=16, transition_channels=8)


@pytest.fixture
def checkout(tiny_checkout: Path, classifier: Classifier) -> Path:
    """The tiny checkout with a dataset of 64 px and a model that fits it."""
    params = yaml.safe_load((tiny_checkout / "params.yaml").read_text())
    params["dataset"]["size_px"] = 64
    params["inference"] = {"batch_size": 3, "threads": 1}
    (tiny_checkout / "params.yaml").write_text(yaml.safe_dump(params))
    reports_stage.main()
    dataset_stage.main()
    put_model(tiny_checkout, classifier)
    return tiny_checkout


def put_model(
    root: Path, model: Classifier, findings: tuple[str, ...] = FINDINGS, size_px: int = 64
) -> None:
    checkpoint.write(
        root / "artifacts/training", model.state_dict(), settings=SETTINGS, findings=findings,
        size_px=size_px,
    )  # fmt: skip


def test_what_is_written_is_what_the_predictor_says(checkout: Path) -> None:
    inference_stage.main()
    out = checkout / "artifacts/inference"
    predictor = Predictor.load(out / "predictor")
    table = manifest.read(checkout / "artifacts/dataset/manifest.parquet")
    pixels = Pixels.open(checkout / "artifacts/dataset/pixels.json", checkout / "data")
    rows = table[table["split"].isin(["validation", "test"])]
    answer = predictor.predict(pixels.gather(rows))
    scored = artifacts.read_table(out / "predictions.parquet")
    assert list(scored.columns) == ["image", "finding", "logit", "probability", "split"]
    assert list(scored["image"]) == list(np.repeat(rows["image"].to_numpy(), len(FINDINGS)))
    assert list(scored["finding"][:14]) == list(FINDINGS)
    np.testing.assert_allclose(scored["logit"], answer.logits.ravel(), atol=1e-4)
    np.testing.assert_allclose(scored["probability"], answer.probabilities.ravel(), atol=1e-4)


def test_boxes_come_only_from_findings_that_reach_their_threshold(checkout: Path) -> None:
    inference_stage.main()
    out = checkout / "artifacts/inference"
    thresholds = Predictor.load(out / "predictor").thresholds
    scored = artifacts.read_table(out / "predictions.parquet")
    limits = scored["finding"].map(thresholds).astype(float)
    above = scored[scored["probability"] >= limits]
    boxes = artifacts.read_table(out / "boxes.parquet")
    assert len(boxes) > 0
    assert set(zip(boxes["image"], boxes["finding"], strict=True)) == set(
        zip(above["image"], above["finding"], strict=True)
    )


def test_every_scored_image_and_finding_has_its_heatmap_s_highest_point(checkout: Path) -> None:
    inference_stage.main()
    out = checkout / "artifacts/inference"
    scored = artifacts.read_table(out / "predictions.parquet")
    peaks = artifacts.read_table(out / "peaks.parquet")
    names = ["image", "finding"]
    assert peaks[names].equals(scored[names])
    assert set(peaks["frame_px"]) == {Predictor.load(out / "predictor").frame_px}
    inside = peaks[["x_px", "y_px"]].to_numpy()
    assert ((inside > 0) & (inside < peaks["frame_px"].iloc[0])).all()


def test_the_predictor_knows_the_weights_it_came_from(checkout: Path) -> None:
    inference_stage.main()
    predictor = Predictor.load(checkout / "artifacts/inference/predictor")
    weights = checkout / "artifacts/training/weights.safetensors"
    assert predictor.description.weights_sha256 == artifacts.sha256_file(weights)


def test_a_second_run_gives_the_same_bytes(checkout: Path) -> None:
    def result() -> dict[str, bytes]:
        inference_stage.main()
        files = (checkout / "artifacts/inference").rglob("*.*")
        return {path.name: path.read_bytes() for path in files}

    first = result()
    tables = {"predictions.parquet", "boxes.parquet", "peaks.parquet"}
    assert set(first) == {"model.onnx", "predictor.json"} | tables
    assert result() == first


def test_train_is_scored_when_it_is_asked_for(checkout: Path) -> None:
    params = yaml.safe_load((checkout / "params.yaml").read_text())
    params["inference"]["splits"] = ["train"]
    (checkout / "params.yaml").write_text(yaml.safe_dump(params))
    inference_stage.main()
    scored = artifacts.read_table(checkout / "artifacts/inference/predictions.parquet")
    assert set(scored["split"]) == {"train"}


def test_a_model_of_other_findings_or_another_size_is_refused(
    checkout: Path, classifier: Classifier
) -> None:
    put_model(checkout, classifier, findings=tuple(reversed(FINDINGS)))
    with pytest.raises(BadInput, match="not for this project's findings"):
        inference_stage.main()
    put_model(checkout, classifier, size_px=128)
    with pytest.raises(BadInput, match="trained on images of 128 px"):
        inference_stage.main()


def test_weights_of_another_network_are_refused(checkout: Path) -> None:
    torch.manual_seed(0)
    wide = SETTINGS.model_copy(update={"transition_channels": 16})
    put_model(checkout, Classifier(wide, findings=14))
    with pytest.raises(BadInput, match="weights of another network"):
        inference_stage.main()
    assert not (checkout / "artifacts/inference").exists()
