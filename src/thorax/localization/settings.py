"""The numbers of the localization stage: `params.yaml: localization`."""

from typing import Literal

from pydantic import Field, field_validator

from thorax.config import Config


class LocalizationConfig(Config):
    """Which boxes are scored, and at which overlaps."""

    split: Literal["train", "validation", "test"] = "test"
    """The split whose boxed images are scored."""
    methods: tuple[str, ...] = Field(default=("paper",), min_length=1)
    """The box makers that are scored, as named in boxes.parquet."""
    iou_thresholds: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    """T(IoU): a box is right when its intersection over union exceeds this (Wang 2017, Table 7)."""
    iobb_thresholds: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    """T(IoBB): the same for the intersection over the detected box's area (Wang 2017, Table 4)."""
    size_bounds_share: tuple[float, float] = (0.125, 0.25)
    """Below the first a true box is small, below the second medium, else large: the side of the
    square of its area as a share of the frame's side (128 and 256 px of NIH's 1024)."""
    pointing_tolerance_px: float = Field(default=15, ge=0)
    """How far outside a true box a heatmap's highest point still counts as inside, in pixels of
    the predictor's frame (inference.frame_px)."""
    replicates: int = Field(default=1000, ge=100)
    """Bootstrap replicates over patients behind each interval."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Share of the replicates that an interval covers."""
    min_share: float = Field(default=0.5, gt=0, le=1)
    """Share of the replicates that must draw a boxed patient; with fewer there is no interval."""
    interval_patients_min: int = Field(default=5, ge=1)
    """Patients with a true box below which an interval is not estimable."""
    seed: int = 8
    """Seed of the bootstrap."""

    @field_validator("size_bounds_share")
    @classmethod
    def _rise(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        if not 0 < bounds[0] < bounds[1]:
            raise ValueError("the first bound must lie above 0 and below the second")
        return bounds
