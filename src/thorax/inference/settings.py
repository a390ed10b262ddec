"""The settings of inference: `params.yaml: inference`."""

from typing import Literal

from pydantic import Field

from thorax.config import Config
from thorax.inference.boxes import BoxesFor


class InferenceConfig(Config):
    """What is scored, and where boxes are drawn."""

    splits: tuple[Literal["train", "validation", "test"], ...] = ("validation", "test")
    """Splits whose readable images are scored; calibration is fitted on validation in any case."""
    batch_size: int = Field(default=64, ge=1)
    """Images per call of the predictor."""
    frame_px: int = Field(default=1024, ge=1)
    """Side of the square frame in which boxes are given, in pixels (the paper's images: 1024)."""
    boxes_for: BoxesFor = "from threshold"
    """from threshold: boxes only of findings whose probability reaches the finding's threshold,
    as in the paper some images give none; every finding: boxes from every heatmap."""
    threads: int = Field(default=0, ge=0)
    """Processor threads of the predictor; 0: as many as the runtime chooses."""
