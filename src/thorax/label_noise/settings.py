"""The settings of label noise: `params.yaml: label_noise`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from thorax.config import Config
from thorax.training.settings import TrainingConfig

Scorer = Literal["gradients", "network"]
Split = Literal["train", "validation", "test"]


class GradientsConfig(Config):
    """Histograms of gradient directions, and the ridge regression on them."""

    side_px: int = Field(default=96, ge=16)
    """Side of the square that an image is resized to, in pixels."""
    cell_px: int = Field(default=8, ge=2)
    """Side of a cell with one histogram, in pixels of that square."""
    directions: int = Field(default=8, ge=2)
    """Bins of a histogram."""
    blurs_px: tuple[float, ...] = Field(default=(0.0, 2.0, 4.0), min_length=1)
    """Standard deviations of the blurs, one set of histograms each, in pixels of that square."""
    penalties: tuple[float, ...] = Field(default=(0.3, 1.0, 3.0, 10.0), min_length=1)
    """Penalties of the ridge regression that are tried; the mean feature has length 1."""

    @model_validator(mode="after")
    def _cells_fill_the_side(self) -> Self:
        if self.side_px % self.cell_px:
            raise ValueError(f"side_px must be a multiple of cell_px ({self.cell_px})")
        return self


class LabelNoiseConfig(Config):
    """How given labels are doubted."""

    splits: tuple[Split, ...] = Field(default=("train", "validation"), min_length=1)
    """Whose labels are doubted; every image is judged by models that its patient did not train."""
    folds: int = Field(default=5, ge=2)
    """Parts of the patients; each part is judged by a model of the other parts."""
    seed: int = Field(default=8, ge=0)
    """Decides which patient is in which part."""
    scorers: tuple[Scorer, ...] = Field(default=("gradients",), min_length=1)
    """What judges images: gradients (seconds for a thousand images, on a processor), network (the
    training's own loop, once per part), or both."""
    gradients: GradientsConfig = GradientsConfig()
    """The numbers of the first."""
    network: TrainingConfig = TrainingConfig(kept="last", epochs=8, patience_epochs=8)
    """The recipe and budget of the second. The last epoch's weights are kept: choosing an epoch by
    the images that are judged would let their labels in."""
    rounds: int = Field(default=2, ge=1)
    """How often gradients are fitted; from the second time on to what the first says of labels."""
    context_penalty: float = Field(default=20.0, gt=0)
    """Penalty of the regression that joins an image's score with its other labels and with the
    patient's other images."""
    use_reports: bool = True
    """Whether what reports say weighs in where a label does not come from them."""
    expected_wrong_share: float = Field(default=0.05, gt=0, lt=0.5)
    """Share of wrong labels that is assumed before anything is known."""
    queue: int = Field(default=300, ge=1)
    """How many of the most suspect labels are put before readers, with pictures."""
    picture_px: int = Field(default=768, ge=64)
    """Longest side of their pictures; smaller images stay as they are."""

    @model_validator(mode="after")
    def _no_epoch_is_chosen(self) -> Self:
        if self.network.kept != "last":
            raise ValueError("network.kept must be last")
        return self
