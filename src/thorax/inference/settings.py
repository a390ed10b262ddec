"""The settings of inference: `params.yaml: inference`."""

from typing import Literal

from pydantic import Field, model_validator

from thorax.config import Config
from thorax.image_checks import ImageChecks
from thorax.inference.boxes import BoxesFor
from thorax.inference.fitting import BoxConfig
from thorax.inference.predictor import CalibrationMethod


class Aim(Config):
    """What an operating point must reach: exactly one of the two."""

    sensitivity: float | None = Field(default=None, gt=0, lt=1)
    """Share of the images with the finding that must be found."""
    specificity: float | None = Field(default=None, gt=0, lt=1)
    """Share of the images without it that must be left alone."""

    @model_validator(mode="after")
    def _is_one(self) -> "Aim":
        if (self.sensitivity is None) == (self.specificity is None):
            raise ValueError("an operating point names sensitivity or specificity, and not both")
        return self

    @property
    def measure(self) -> Literal["sensitivity", "specificity"]:
        """Which of the two is aimed at."""
        return "specificity" if self.sensitivity is None else "sensitivity"

    @property
    def at_least(self) -> float:
        """How much of it."""
        return float(getattr(self, self.measure))


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
    boxes: BoxConfig = BoxConfig()
    """How heatmaps become boxes."""
    threads: int = Field(default=0, ge=0)
    """Processor threads of the predictor; 0: as many as the runtime chooses."""
    calibration: CalibrationMethod | Literal["auto"] = "auto"
    """How each finding's logits become probabilities, fitted on validation: auto (none, affine, or
    affine shrunk towards none, by cross-validated log loss), affine (Platt's scale and bias),
    temperature (scale alone), isotonic (a step curve; needs many positives), or none."""
    calibration_folds: int = Field(default=5, ge=2)
    """Folds of patients in which `auto` compares."""
    seed: int = 8
    """Seed of the dealing into folds."""
    image_checks: ImageChecks = ImageChecks()
    """What `thorax score` and the service do with an image that the model was not made for; it
    travels with the predictor."""
    operating_points: dict[str, Aim] = Field(default_factory=dict)
    """Thresholds by name, beside the one of Youden that is always there: the sensitivity or the
    specificity that each must reach on new images."""
    operating_points_confidence: float = Field(default=0.95, ge=0.5, lt=1)
    """One-sided confidence, over patients, that an operating point reaches its aim."""
    operating_points_positives_min: int = Field(default=10, ge=2)
    """Positive images of validation below which a finding gets no operating point."""
