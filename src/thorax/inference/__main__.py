"""Stage `inference`: export, calibrate on validation, fit the box maker, score, and draw boxes.

Writes `predictor/` (what is served), `predictions.parquet` (one image x finding: logit,
probability, split), `boxes.parquet` and `peaks.parquet` (each heatmap's highest point). Everything
is scored with the exported graph. Computes no metric.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts, config, stage
from thorax.dataset import batches, manifest
from thorax.dataset.pixels import Pixels
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference import drawn, export, fitting, operating
from thorax.inference.boxes import METHODS, Box
from thorax.inference.fitting import Fitted
from thorax.inference.peaks import peaks_of, peaks_table
from thorax.inference.predictor import (
    DESCRIPTION,
    MODEL,
    Calibration,
    Description,
    Predictor,
    TrainedOn,
    calibrated,
)
from thorax.inference.settings import InferenceConfig
from thorax.localization import boxed
from thorax.model import checkpoint
from thorax.model.checkpoint import Trained
from thorax.progress import say, track


@dataclass(frozen=True)
class Data:
    """The readable images of every split that is used, and where their pixels are."""

    table: pd.DataFrame
    pixels: Pixels

    def of(self, splits: tuple[str, ...]) -> pd.DataFrame:
        """The rows of `splits`, sorted by image."""
        return self.table[self.table["split"].isin(splits)].reset_index(drop=True)


@dataclass(frozen=True)
class Scores:
    """What the predictor says of N images: [N, F] each, boxes of each image, peaks [N, F, 3]."""

    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    boxes: list[list[Box]]
    peaks: NDArray[np.float32]


def main() -> None:
    """Export and score as `params.yaml: inference` says."""
    root = artifacts.root()
    settings = config.load("inference", InferenceConfig)
    trained = checkpoint.load(root / "artifacts/training")
    data = read_data(trained)
    with artifacts.atomic_folder(stage.output_folder("inference")) as folder:
        predictor = export_calibrated(trained, data, folder / "predictor", settings)
        predictor, fitted = fit_boxes(predictor, data, folder / "predictor", settings)
        rows = data.of(settings.splits)
        scores = score(predictor, data.pixels, rows, settings, fitted=fitted)
        write(folder, rows, scores, frame_px=predictor.frame_px)


def read_data(trained: Trained) -> Data:
    """The manifest's readable images; pixels or findings that the model cannot take: `BadInput`."""
    root = artifacts.root()
    path = root / "artifacts/dataset/manifest.parquet"
    table = manifest.read(path)
    pixels = Pixels.open(root / "artifacts/dataset/pixels.json", root / "data")
    about = trained.description
    if about.findings != FINDINGS:
        raise BadInput(
            f"the trained model answers for {', '.join(about.findings)}, not for this project's "
            "findings in their order: train again (dvc repro training)"
        )
    if about.size_px != pixels.size_px:
        raise BadInput(
            f"the model was trained on images of {about.size_px} px, but the dataset holds "
            f"{pixels.size_px} px: train again (dvc repro training)"
        )
    readable = table[table["readable"] & (table["row"] >= 0)]
    if not (readable["split"] == "validation").any():
        raise BadInput(f"{path}: no readable image in the validation split to calibrate on")
    return Data(readable, pixels)


def export_calibrated(
    trained: Trained, data: Data, folder: Path, settings: InferenceConfig
) -> Predictor:
    """Write the predictor's folder: first with the identity, then calibrated on validation."""
    predictor = write_predictor(trained, folder, settings, trained_on(data.table))
    rows = data.of(("validation",))
    difference = export.check_parity(trained.classifier, predictor, data.pixels.gather(rows[:8]))
    say(f"inference: exported; logits differ by at most {difference:.1g} from the network's")
    scores = score(predictor, data.pixels, rows, settings)
    images = operating.Validation(
        manifest.targets(rows), manifest.known(rows), rows["patient"].to_numpy(object), FINDINGS
    )
    fit = operating.fit(images, scores.logits, settings)
    probabilities = calibrated(scores.logits, list(fit.calibration.values()))
    fitted = predictor.description.model_copy(
        update={
            "calibration": fit.calibration,
            "thresholds": fit.thresholds,
            "threshold_reasons": fit.reasons,
            "operating_points": operating.fit_points(images, probabilities, settings),
        }
    )
    artifacts.write_json(folder / DESCRIPTION, fitted.model_dump(mode="json"))
    return Predictor.load(folder, threads=settings.threads)


def fit_boxes(
    predictor: Predictor, data: Data, folder: Path, settings: InferenceConfig
) -> tuple[Predictor, Fitted]:
    """Fit the box maker on true boxes and write it into the predictor's folder."""
    truth = boxed.read_truth(artifacts.root() / "data/boxes.csv")
    fitted = fitting.fit(
        predictor, data.pixels, data.table, truth, settings=settings.boxes,
        batch_size=settings.batch_size,
    )  # fmt: skip
    say(f"inference: box maker {fitted.maker.fitted_on}")
    description = predictor.description.model_copy(update={"boxes": fitted.maker})
    artifacts.write_json(folder / DESCRIPTION, description.model_dump(mode="json"))
    return Predictor.load(folder, threads=settings.threads), fitted


def trained_on(table: pd.DataFrame) -> TrainedOn:
    """The source of `data/`, and how many readable images of it are in the train split."""
    source = artifacts.read_json(artifacts.root() / "data/source.json")
    return TrainedOn(source=str(source["source"]), images=int((table["split"] == "train").sum()))


def write_predictor(
    trained: Trained, folder: Path, settings: InferenceConfig, images: TrainedOn
) -> Predictor:
    """Export the network into `folder` without calibration, and load it from there."""
    about = trained.description
    graph = export.to_onnx(trained.classifier, size_px=about.size_px)
    with artifacts.atomic_file(folder / MODEL) as temporary:
        temporary.write_bytes(graph)
    description = Description(
        findings=about.findings,
        size_px=about.size_px,
        frame_px=settings.frame_px,
        calibration={finding: Calibration() for finding in about.findings},
        thresholds=dict.fromkeys(about.findings),
        image_checks=settings.image_checks,
        trained_on=images,
        weights_sha256=about.weights_sha256,
        model_sha256=artifacts.sha256_bytes(graph),
    )
    artifacts.write_json(folder / DESCRIPTION, description.model_dump(mode="json"))
    return Predictor.load(folder, threads=settings.threads)


def score(
    predictor: Predictor, pixels: Pixels, rows: pd.DataFrame, settings: InferenceConfig,
    *, fitted: Fitted | None = None,
) -> Scores:  # fmt: skip
    """Score the images of `rows`; with boxes by every method where the box maker is `fitted`."""
    plan = batches.in_order(len(rows), settings.batch_size)
    stream = batches.stream(pixels, rows, plan)
    logits, probabilities, boxes, peaks = [], [], [], []
    for positions, levels in track(stream, "inference: scored batches", len(plan)):
        prediction = predictor.predict(levels)
        logits.append(prediction.logits)
        probabilities.append(prediction.probabilities)
        peaks.append(peaks_of(prediction.heatmaps, frame_px=predictor.frame_px))
        if fitted:
            boxes += drawn.boxes_of(
                prediction, predictor, boxes_for=settings.boxes_for, methods=METHODS,
                makers=fitted.makers(rows["image"].iloc[positions].tolist()),
            )  # fmt: skip
    return Scores(
        np.concatenate(logits), np.concatenate(probabilities), boxes, np.concatenate(peaks)
    )


def write(folder: Path, rows: pd.DataFrame, scores: Scores, *, frame_px: int) -> None:
    """Write `predictions.parquet`, `boxes.parquet` and `peaks.parquet`."""
    images = rows["image"].tolist()
    table = drawn.long_table(
        images, FINDINGS, logit=scores.logits, probability=scores.probabilities
    )
    table["split"] = rows["split"].repeat(len(FINDINGS)).to_numpy()
    artifacts.write_table(folder / "predictions.parquet", table)
    boxes = drawn.boxes_table(images, scores.boxes)
    artifacts.write_table(folder / "boxes.parquet", boxes)
    peaks = peaks_table(images, FINDINGS, scores.peaks, frame_px=frame_px)
    artifacts.write_table(folder / "peaks.parquet", peaks)
    say(f"inference: {len(rows):,} images scored, {len(boxes):,} boxes drawn")


if __name__ == "__main__":
    stage.run("inference", main)
