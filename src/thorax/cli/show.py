"""`thorax show`: one pulled image with a finding's heatmap, the model's boxes and the true ones."""

from pathlib import Path

import numpy as np

from thorax import artifacts, images
from thorax.dataset import manifest
from thorax.dataset.archive import listed, members
from thorax.errors import BadInput
from thorax.findings import display
from thorax.inference.boxes import Box
from thorax.inference.drawn import boxes_of
from thorax.inference.overlay import Layers, overlay
from thorax.inference.predictor import Predictor


def show(image: str, *, finding: str | None, output: Path) -> None:
    """Draw `finding` (the most probable one when None) over a pulled image, as PNG."""
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
            predicted=predicted,
            true=_true_boxes(image, name, root),
            caption=f"{display(name)}  probability {probabilities[column]:.2f}",
        ),
    )
    with artifacts.atomic_file(output) as temporary:
        temporary.write_bytes(picture)
    print(f"{output}: {display(name)} on {image}, probability {probabilities[column]:.2f}")


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
                if name == image:
                    return content
    raise BadInput(f"{image} is not in data/ any more: run `dvc repro dataset` on the data of now")


def _column(finding: str, predictor: Predictor) -> int:
    if finding not in predictor.findings:
        raise BadInput(f"no finding {finding!r}; there are: {', '.join(predictor.findings)}")
    return predictor.findings.index(finding)


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
