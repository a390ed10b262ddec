"""The settings of training: `params.yaml: training`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from thorax.config import Config
from thorax.dataset.augment import AugmentConfig
from thorax.model.classifier import ModelConfig
from thorax.model.losses import Loss, LossConfig
from thorax.training.context import ContextConfig
from thorax.training.reading import ReadingConfig

Precision = Literal["bfloat16", "float32"]


class TrainingConfig(Config):
    """The recipe."""

    seed: int = Field(default=8, ge=0)
    """Decides first weights, order of images, augmentation and dropout."""
    model: ModelConfig = ModelConfig()
    """What the network is made of."""
    weights: str = "none"
    """First weights: none, imagenet, or a .safetensors file (path from the checkout's root)."""
    loss: Loss = "w-cel"
    """w-cel (the paper's weighted cross entropy), cel (cross entropy), focal or asymmetric."""
    loss_options: LossConfig = LossConfig()
    """The numbers of the losses."""
    context: ContextConfig = ContextConfig()
    """What is learned besides the findings."""
    reading: ReadingConfig = ReadingConfig()
    """How the linear reading of `model.scattering` is solved."""
    augment: AugmentConfig = AugmentConfig()
    """How far training images are changed at random."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """adamw, or sgd with classical momentum."""
    learning_rate: float = Field(default=0.001, gt=0)
    """Largest learning rate, reached after the warm-up; falls to 0 along a cosine."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Weight decay of the convolution and linear weights; norms and biases have none."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Momentum of sgd; adamw does not use it."""
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of all steps over which the learning rate rises from 0."""
    gradient_norm: float = Field(default=5.0, gt=0)
    """Longer gradients are shortened to this norm."""
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    """Decay per step of the averaged weights that are validated and kept; 0: no averaging."""
    batch_size: int = Field(default=32, ge=1)
    """Images that are computed at once."""
    accumulate_steps: int = Field(default=1, ge=1)
    """Batches per optimizer step: a step sees batch_size * accumulate_steps images, and its loss is
    that of all of them together; only the statistics of batch norm are each batch's own."""
    epochs: int = Field(default=10, ge=1)
    """Most passes over the training images."""
    patience_epochs: int = Field(default=5, ge=1)
    """Training stops after so many epochs without a better validation mean AUC (kept: best)."""
    kept: Literal["best", "last"] = "best"
    """Whose weights are kept: the epoch's with the best validation mean AUC, or the last one's,
    which is the better guess where few validation images have a finding."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """auto: cuda where there is one."""
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """Numbers that convolutions compute with; auto: bfloat16 on cuda, and on a processor the faster
    of both, measured once per machine and network (`thorax.training.precision`)."""
    threads: int = Field(default=0, ge=0)
    """Processor threads; 0: as many as this process may use."""
    keep_states: int = Field(default=3, ge=1)
    """How many resumable states of other inputs or settings stay on the disk, newest first."""

    @model_validator(mode="after")
    def _patience_fits(self) -> Self:
        if self.patience_epochs > self.epochs:
            raise ValueError(f"patience_epochs must not exceed epochs ({self.epochs})")
        return self
