"""What is scored is what is served: the exported graph with calibration and thresholds.

A folder of two files: `model.onnx` (uint8 `pixels` [B, 1, S, S] to `logits` and `heatmaps`, the
normalisation inside) and `predictor.json`. This module answers for the test set, the gate, the
bento and the command line, and needs neither PyTorch nor pandas. It decodes no files: that is
`thorax.images`.
"""

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

# Read once, when the library is imported; its own call to disable telemetry comes too late.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from thorax.errors import BadInput
from thorax.image_checks import ImageChecks
from thorax.inference.regression import BoxMaker

MODEL: Final = "model.onnx"
DESCRIPTION: Final = "predictor.json"

Floats = NDArray[np.float32]

CalibrationMethod = Literal["affine", "temperature", "isotonic", "none"]


class Calibration(BaseModel):
    """From the logit of one finding to its probability, in plain numbers.

    Isotonic: linear between the knots, level beyond them. Else sigmoid(scale * logit + bias).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: CalibrationMethod = "affine"
    """How it was fitted; none: it was not."""
    scale: float = 1.0
    bias: float = 0.0
    knots_logit: tuple[float, ...] = ()
    """Isotonic: logits, rising."""
    knots_probability: tuple[float, ...] = ()
    """Isotonic: the probability at each of them, never falling."""
    reason: str = ""
    """Why it is the identity; empty when it was fitted."""
    note: str = ""
    """What speaks for it: how much of the fit ships, and cross-validated losses."""

    @model_validator(mode="after")
    def _knots_fit(self) -> "Calibration":
        logits, levels = self.knots_logit, self.knots_probability
        if len(logits) != len(levels) or (self.method == "isotonic") != bool(logits):
            raise ValueError("isotonic needs as many knots_logit as knots_probability, others none")
        if any(b <= a for a, b in pairwise(logits)) or any(b < a for a, b in pairwise(levels)):
            raise ValueError("knots_logit must rise and knots_probability never fall")
        return self


class OperatingPoint(BaseModel):
    """A threshold of one finding, chosen for a named aim, and what it gave where it was chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float | None
    """The probability from which a finding counts as present; None where there is none."""
    sensitivity: float | None = None
    """Share of the positives of validation that reach the threshold."""
    specificity: float | None = None
    """Share of the negatives of validation that do not."""
    positives: int = 0
    """Positive images of validation behind it."""
    negatives: int = 0
    """Negative images of validation behind it."""
    positive_patients: int = 0
    """The patients of the positive images."""
    negative_patients: int = 0
    """The patients of the negative images."""
    method: Literal["exact", "normal"] | None = None
    """How the share was bounded: exact by counts, or by a normal tolerance limit where patients
    are few; None without a confidence."""
    reason: str = ""
    """Why there is no threshold; empty where there is one."""
    note: str = ""
    """How the threshold differs from the aim's own, where it does."""


class OperatingAim(BaseModel):
    """A named aim, such as a sensitivity of 0.9, and the point of each finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: Literal["sensitivity", "specificity"]
    """What must be reached."""
    at_least: float
    """How much of it."""
    confidence: float | None = None
    """One-sided confidence that patients like those of validation reach it; None: no bound."""
    findings: dict[str, OperatingPoint]
    """One per finding."""


class TrainedOn(BaseModel):
    """The images that the network learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = ""
    """The source's name; empty: not recorded."""
    images: int = 0
    """Images of the train split."""

    @property
    def text(self) -> str:
        """In words, for every answer."""
        if not self.source:
            return "not recorded"
        if self.source == "phantom":
            return "phantom, not radiographs"
        return f"{self.source}, {self.images:,} images"


class Description(BaseModel):
    """What `predictor.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[str, ...]
    """The findings in the order of the outputs."""
    size_px: int
    """Side of the square images that the graph takes."""
    frame_px: int
    """Side of the square frame in which boxes are given."""
    calibration: dict[str, Calibration]
    """One per finding."""
    thresholds: dict[str, float | None]
    """The probability from which a finding counts as present; None where none could be fitted."""
    threshold_reasons: dict[str, str] = {}
    """Why a finding has no threshold; only findings without one."""
    operating_points: dict[str, OperatingAim] = {}
    """Further thresholds by the name of their aim, for who wants other errors than Youden's."""
    boxes: BoxMaker = BoxMaker()
    """How heatmaps become boxes, and on which boxes that was fitted."""
    image_checks: ImageChecks = ImageChecks()
    """What is done with images that the model was not made for."""
    trained_on: TrainedOn = TrainedOn()
    """The images that the network learned from."""
    weights_sha256: str
    """The trained weights that were exported."""
    model_sha256: str
    """The bytes of `model.onnx`."""


@dataclass(frozen=True)
class Prediction:
    """What the predictor says of B images.

    Attributes:
        pixels: uint8 [B, size_px, size_px], the images as they were scored.
        logits: float32 [B, F], as the network gives them.
        probabilities: float32 [B, F], calibrated.
        heatmaps: float32 [B, F, h, w].
    """

    pixels: NDArray[np.uint8]
    logits: Floats
    probabilities: Floats
    heatmaps: Floats


class Predictor:
    """Scores square grey images; made by `load`."""

    def __init__(self, session: Any, description: Description) -> None:
        self._session = session
        self.description = description
        self._calibration = [description.calibration[finding] for finding in description.findings]

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> "Predictor":
        """Read a predictor's folder.

        Args:
            folder: holds `model.onnx` and `predictor.json`.
            threads: processor threads of one call; None or 0 leaves it to the runtime.

        Raises:
            BadInput: a file is missing, broken, or not the one that belongs to the other.
        """
        description = _read_description(folder / DESCRIPTION)
        graph = _read(folder / MODEL)
        if hashlib.sha256(graph).hexdigest() != description.model_sha256:
            raise BadInput(
                f"{folder / MODEL} is not the model that {DESCRIPTION} describes: "
                "take both files from the same release"
            )
        return cls(_session(graph, folder / MODEL, threads), description)

    @property
    def size_px(self) -> int:
        """Side of the square images that it takes, in pixels."""
        return self.description.size_px

    @property
    def frame_px(self) -> int:
        """Side of the square frame in which boxes are given, in pixels."""
        return self.description.frame_px

    @property
    def findings(self) -> tuple[str, ...]:
        """The findings in the order of the outputs."""
        return self.description.findings

    @property
    def thresholds(self) -> dict[str, float | None]:
        """The probability from which a finding counts as present; None where undefined."""
        return dict(self.description.thresholds)

    def predict(self, pixels: NDArray[np.uint8]) -> Prediction:
        """Score grey levels uint8 [B, size_px, size_px]; another shape or type is a `BadInput`."""
        side = self.size_px
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[1:] != (side, side):
            raise BadInput(
                f"expected uint8 pixels of shape [B, {side}, {side}], "
                f"got {pixels.dtype} {list(pixels.shape)}"
            )
        batch = np.ascontiguousarray(pixels)[:, None]  # [B, 1, S, S]
        logits, heatmaps = self._session.run(["logits", "heatmaps"], {"pixels": batch})
        return Prediction(pixels, logits, calibrated(logits, self._calibration), heatmaps)


def calibrated(logits: Floats, calibration: Sequence[Calibration]) -> Floats:
    """The probabilities float32 [B, F] of logits [B, F]; see `Calibration`.

    Thresholds are fitted on these very numbers, so that "reaches the threshold" is exact.
    """
    scale = np.array([each.scale for each in calibration], np.float32)
    bias = np.array([each.bias for each in calibration], np.float32)
    # tanh saturates where exp would overflow
    probabilities = np.asarray(0.5 * (1 + np.tanh(0.5 * (logits * scale + bias))), np.float32)
    for column, each in enumerate(calibration):
        if each.method == "isotonic":
            probabilities[:, column] = np.interp(
                logits[:, column], each.knots_logit, each.knots_probability
            )
    return probabilities


def _session(graph: bytes, path: Path, threads: int | None) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors only
    wished = ("CUDAExecutionProvider", "CPUExecutionProvider")
    present = onnxruntime.get_available_providers()
    providers = [provider for provider in wished if provider in present]
    try:
        return onnxruntime.InferenceSession(graph, options, providers=providers)
    except Exception as error:  # onnxruntime's own errors share no narrower public base
        raise BadInput(f"{path} is not an ONNX model that can be run ({error})") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}): name a predictor's folder"
        ) from None


def _read_description(path: Path) -> Description:
    try:
        description = Description.model_validate_json(_read(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {place}: {first['msg']}") from None
    tables: dict[str, Collection[str]] = {
        "calibration": description.calibration,
        "thresholds": description.thresholds,
    }
    for aim, points in description.operating_points.items():
        tables[f"operating_points.{aim}"] = points.findings
    for name, table in tables.items():
        if set(table) != set(description.findings):
            raise BadInput(f"{path}: {name} does not name exactly the findings")
    return description
