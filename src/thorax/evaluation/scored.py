"""The scores of one split beside its targets: predictions.parquet joined with manifest.parquet.

Judges whether the two fit together; computes no metric.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS, known_column, target_column

_ABOUT = ["image", "patient", "follow_up", "age_years", "sex", "view", "split"]


@dataclass(frozen=True)
class Scored:
    """Images of one split with what is true of them and what the model says.

    Attributes:
        findings: the F findings that were scored, in the project's order.
        about: N rows sorted by image: image, patient, follow_up, age_years, sex, view, split.
        targets: int8 [N, F], 1 present, 0 absent or unknown.
        known: bool [N, F], whether the target may be used.
        logits: float64 [N, F].
        probabilities: float64 [N, F], calibrated.
    """

    findings: tuple[str, ...]
    about: pd.DataFrame
    targets: NDArray[np.int8]
    known: NDArray[np.bool_]
    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    @property
    def patients(self) -> int:
        """How many patients the images belong to."""
        return int(self.about["patient"].nunique())

    def of(self, rows: NDArray[np.bool_]) -> "Scored":
        """A part of the images: rows [N]."""
        return Scored(
            self.findings,
            self.about[rows],
            self.targets[rows],
            self.known[rows],
            self.logits[rows],
            self.probabilities[rows],
        )


def read(predictions_path: Path, manifest_path: Path, *, split: str) -> Scored:
    """Join predictions and manifest by image.

    Raises:
        BadInput: an image of the split was not scored, a scored one is not in the manifest, a score
            is missing or doubled, or a finding is unknown; the message names the first of them.
    """
    predictions = artifacts.read_table(
        predictions_path, ["image", "finding", "logit", "probability", "split"]
    )
    predictions = predictions[predictions["split"] == split]
    findings = _findings(predictions, predictions_path)
    columns = [name(finding) for name in (target_column, known_column) for finding in findings]
    manifest = artifacts.read_table(manifest_path, [*_ABOUT, *columns])
    manifest = manifest[manifest["split"] == split].sort_values("image", ignore_index=True)
    _check_images(predictions, manifest, f"{predictions_path}, split {split}")
    return Scored(
        findings,
        manifest[_ABOUT],
        manifest[[target_column(finding) for finding in findings]].to_numpy(np.int8),
        manifest[[known_column(finding) for finding in findings]].to_numpy(bool),
        _wide(predictions, "logit", manifest["image"], findings),
        _wide(predictions, "probability", manifest["image"], findings),
    )


def _findings(predictions: pd.DataFrame, path: Path) -> tuple[str, ...]:
    names = set(predictions["finding"])
    if strange := sorted(names - set(FINDINGS)):
        raise BadInput(f"{path}: {strange[0]!r} is no finding that this project knows")
    return tuple(finding for finding in FINDINGS if finding in names)


def _check_images(predictions: pd.DataFrame, manifest: pd.DataFrame, where: str) -> None:
    if manifest.empty:
        raise BadInput(
            f"{where}: the manifest has no image in this split, so nothing can be scored"
        )
    scored, listed = set(predictions["image"]), set(manifest["image"])
    advice = "run the inference stage again (dvc repro)"
    if missing := sorted(listed - scored):
        raise BadInput(
            f"{where}: {len(missing)} images are not scored, first {missing[0]}; {advice}"
        )
    if strange := sorted(scored - listed):
        raise BadInput(
            f"{where}: {len(strange)} scored images are not in the manifest's split, "
            f"first {strange[0]}; {advice}"
        )
    doubled = predictions[predictions.duplicated(["image", "finding"])]
    if len(doubled):
        row: Any = doubled.iloc[0]
        raise BadInput(f"{where}: {row['image']} has two scores for {row['finding']}; {advice}")


def _wide(
    predictions: pd.DataFrame, value: str, images: pd.Series, findings: tuple[str, ...]
) -> NDArray[np.float64]:
    """Long scores to [N, F], in the order of images and findings."""
    place = pd.Index(images).get_indexer(pd.Index(predictions["image"]))
    column = pd.Index(findings).get_indexer(pd.Index(predictions["finding"]))
    wide = np.full((len(images), len(findings)), np.nan)
    wide[place, column] = predictions[value].to_numpy(np.float64)
    if np.isnan(wide).any():
        row, finding = np.argwhere(np.isnan(wide))[0]
        raise BadInput(
            f"{images.iloc[row]} has no {value} for {findings[finding]}: "
            "run the inference stage again (dvc repro)"
        )
    return wide
