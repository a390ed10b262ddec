"""`thorax score`: images through the same Predictor that is served."""

import sys
from pathlib import Path

from thorax import artifacts
from thorax.errors import BadInput
from thorax.inference.predictor import Predictor
from thorax.inference.score import score_paths


def score(path: Path, *, output: Path, boxes: Path | None) -> None:
    """Score `path` into Parquet; images that cannot be read are named and stop nothing."""
    predictor = Predictor.load(artifacts.root() / "artifacts/inference/predictor")
    predictions, found, unreadable = score_paths(predictor, [path])
    artifacts.write_table(output, predictions)
    if boxes is not None:
        artifacts.write_table(boxes, found)
    for file in unreadable:
        print(f"not scored: {file.image}: {file.reason}", file=sys.stderr)
    images = predictions["image"].nunique()
    if not images:
        raise BadInput(f"{path}: none of {len(unreadable):,} images could be read")
    print(f"{images:,} images scored into {output}, {len(unreadable):,} could not be read")
