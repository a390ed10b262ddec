"""What is scored is what is served: the exported graph with calibration and thresholds.

A folder of two files: `model.onnx` (uint8 `pixels` [B, 1, S, S] to `logits` and `heatmaps`, the
normalisation inside) and `predictor.json`. This module answers for the test set, the gate, the
bento and the command line, and needs neither PyTorch nor pandas. It decodes no files: that is
`thorax.images`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from thorax.errors import BadInput

MODEL: Final = "model.onnx"
DESCRIPTION: Final = "predictor.json"

Floats = NDArray[np.float32]


class Calibration(BaseModel):
    """Probability of one finding = sigmoid(scale * logit + bias)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: float = 1.0
    bias: float = 0.0
    reason: str = ""
    """Why it is the identity; empty when it was fitted."""


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
    weights_sha256: str
    """The trained weights that were exported."""
    model_sha256: str
    """The bytes of `model.onnx`."""


@dataclass(frozen=True)
class Prediction:
    """What the predictor says of B images.

    Attributes:
        logits: float32 [B, F], as the network gives them.
        probabilities: float32 [B, F], calibrated.
        heatmaps: float32 [B, F, h, w].
    """

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
        return Prediction(logits, calibrated(logits, self._calibration), heatmaps)


def calibrated(logits: Floats, calibration: Sequence[Calibration]) -> Floats:
    """The probabilities float32 [B, F] of logits [B, F]: sigmoid(scale * logit + bias).

    Thresholds are fitted on these very numbers, so that "reaches the threshold" is exact.
    """
    scale = np.array([each.scale for each in calibration], np.float32)
    bias = np.array([each.bias for each in calibration], np.float32)
    # tanh saturates where exp would overflow
    return np.asarray(0.5 * (1 + np.tanh(0.5 * (logits * scale + bias))), np.float32)


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
    for name, table in (
        ("calibration", description.calibration),
        ("thresholds", description.thresholds),
    ):
        if set(table) != set(description.findings):
            raise BadInput(f"{path}: {name} does not name exactly the findings")
    return description
