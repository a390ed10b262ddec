"""`thorax show`: one pulled image with a finding's heatmap, the model's boxes and the true ones."""

from pathlib import Path

import numpy as np

from thorax import artifacts, images
from thorax.dataset import manifest
from thorax.dataset.archive import listed, members
from thorax.errors import BadInput
from thorax.findings import display, find, unknown_label
from thorax.inference.boxes import Box
from thorax.inference.drawn import boxes_of
from thorax.inference.overlay import Layers, overlay
from thorax.inference.predictor import Predictor
from thorax.tables.evidence import Evidence, beside


def show(image: str, *, finding: str | None, output: Path, report: bool = False) -> None:
    """Draw `finding` (the most probable one when None) over a pulled image, as PNG.

    With `report` the image's report stands beside it, the evidence for the finding marked.
    """
    root = artifacts.root()
    predictor = Predictor.load(root / "artifacts/inference/predictor")
    content = _content(image, root)
    pixels = images.decode(content).pixels
    prediction = predictor.predict(images.to_frame(pixels, predictor.size_px)[None])
    probabilities = prediction.probabilities[0]  # [F]
    column = int(probabilities.argmax()) if finding is None else _column(finding, predictor)
    name = predictor.findings[column]
    predicted = [box for box in boxes_of(prediction, predictor)[0] if box.finding == name]
    picture = overlay(
        np.ascontiguousarray(pixels),
        Layers(
            heatmap=prediction.heatmaps[0, column],
            probability=float(probabilities[column]),
            predicted=predicted,
            true=_true_boxes(image, name, root),
            caption=_caption(name, float(probabilities[column]), predictor),
        ),
    )
    if report:
        picture = beside(picture, evidence_of(image, name, root))
    with artifacts.atomic_file(output) as temporary:
        temporary.write_bytes(picture)
    print(f"{output}: {display(name)} on {image}, probability {probabilities[column]:.2f}")
    print(f"trained on: {predictor.description.trained_on.text}")


def _caption(finding: str, probability: float, predictor: Predictor) -> str:
    """The probability, and that it is too low when it is: then the heatmap shows little of note."""
    limit = predictor.thresholds[finding]
    low = limit is not None and probability < limit
    below = f", below its threshold of {limit:.2f}" if low else ""
    return f"{display(finding)}  probability {probability:.2f}{below}"


def _content(image: str, root: Path) -> bytes:
    table = manifest.read(root / "artifacts/dataset/manifest.parquet")
    rows = table[table["image"] == image]
    if rows.empty:
        raise BadInput(f"no image {image!r} in the dataset; data/entries.csv lists them")
    row = rows.iloc[0]
    if not row["readable"]:
        raise BadInput(f"{image} cannot be read: {row['reason']}")
    for archive in listed(root / "data"):
        if archive.name == row["archive"]:
            for name, content in members(archive):
                if name == image and isinstance(content, bytes):
                    return content
    raise BadInput(f"{image} is not in data/ any more: run `dvc repro dataset` on the data of now")


def evidence_of(image: str, finding: str, root: Path) -> Evidence:
    """The image's report with what the labeller found in it."""
    reports = artifacts.read_csv(root / "data/reports.csv", ["report", "images", "text"])
    own = reports[[image in names.split("|") for names in reports["images"]]]
    if own.empty:
        raise BadInput(f"no report in data/reports.csv names {image}: show it without --report")
    name, text = own.iloc[0]["report"], own.iloc[0]["text"]
    labels = artifacts.read_table(root / "artifacts/reports/labels.parquet")
    found = labels[(labels["report"] == name) & (labels["finding"] == finding)]
    if found.empty or found.iloc[0]["state"] == "unmentioned":
        return Evidence(name, text, display(finding), "unmentioned")
    row = found.iloc[0]
    return Evidence(
        name, text, display(finding), row["state"], row["sentence"], int(row["start"]),
        int(row["end"]),
    )  # fmt: skip


def _column(finding: str, predictor: Predictor) -> int:
    found = find(finding, predictor.findings)
    if found is None:
        raise BadInput(f"--finding: {unknown_label(finding, predictor.findings)}")
    return predictor.findings.index(found)


def _true_boxes(image: str, finding: str, root: Path) -> list[Box]:
    boxes = artifacts.read_csv(root / "data/boxes.csv")
    own = boxes[(boxes["image"] == image) & (boxes["finding"] == finding)]
    return [
        Box(
            finding=finding,
            x_px=float(row["x_px"]),
            y_px=float(row["y_px"]),
            w_px=float(row["w_px"]),
            h_px=float(row["h_px"]),
            frame_px=int(float(row["frame_px"])),
            score=1.0,
            method="true",
        )
        for row in own.to_dict("records")
    ]
