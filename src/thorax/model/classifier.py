"""The paper's unified network: backbone -> transition layer -> global pooling -> prediction layer.

Wang et al., CVPR 2017 (arXiv 1705.02315), section 3.1 and figure 4. The heatmap of a finding is
the sum of the transition activations weighted by the finding's prediction weights. The paper does
not state the transition layer's form; here it is a 1 x 1 convolution, batch norm and ReLU.

Changed: the input has one channel (no three equal copies), and the normalisation of grey levels is
part of the model and travels in its weights. Makes no probabilities and no boxes.
"""

from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from thorax.config import Config
from thorax.errors import BadInput
from thorax.model import registry, scattering
from thorax.model.pooling import GlobalPooling, Pooling
from thorax.model.registry import StrideBy
from thorax.model.scattering import ScatteringConfig


class ModelConfig(Config):
    """What the network is made of."""

    backbone: str = "resnet18"
    """A name of `thorax.model.registry.BACKBONES`."""
    stride_px: Literal[8, 16, 32] = 32
    """Pixels of the image per heatmap cell (paper: 32)."""
    stride_by: StrideBy = "auto"
    """How a stride below 32 is reached: truncate (the late stages are cut off), dilate (they keep
    the map's size), upsample (the map is enlarged), or auto: what the backbone's table prefers."""
    transition_channels: int = Field(default=1024, ge=1)
    """Channels of the transition layer (the paper's D: 1024 for GoogLeNet, 2048 for ResNet-50)."""
    pooling: Pooling = "lse"
    """Global pooling: average, max, lse, or lse-lba (lse whose r is learned)."""
    lse_r: float = Field(default=10.0, ge=0.01)
    """Sharpness of lse, and where lse-lba starts: towards 0 the average, towards infinity the
    maximum. The paper's is 10."""
    lse_r_low: float = Field(default=0.0, ge=0)
    """What the learned r of lse-lba stays above; below lse_r."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of pooled features set to zero in training."""
    members: int = Field(default=1, ge=1)
    """Classifiers of this kind whose answers are averaged; each costs what one costs."""
    mirrored: bool = False
    """Whether answers are averaged with those for the mirror image; scoring costs twice as much."""
    scattering: ScatteringConfig = ScatteringConfig()
    """A linear reading of wavelet scattering beside the classifiers, for small data."""

    @model_validator(mode="after")
    def _starts_above_the_bound(self) -> Self:
        if self.pooling == "lse-lba" and self.lse_r <= self.lse_r_low:
            raise ValueError(f"lse_r must be above lse_r_low ({self.lse_r_low}) with lse-lba")
        return self


class Classifier(nn.Module):
    """Grey images to one logit and one heatmap per finding.

    Args:
        settings: what the network is made of.
        findings: how many outputs (F).
    """

    mean_level: Tensor
    std_level: Tensor

    def __init__(self, settings: ModelConfig, *, findings: int) -> None:
        super().__init__()
        self.backbone, channels = registry.build(
            settings.backbone, stride_px=settings.stride_px, stride_by=settings.stride_by
        )
        width = settings.transition_channels
        self.transition = nn.Sequential(
            nn.Conv2d(channels, width, kernel_size=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.pooling = GlobalPooling(settings.pooling, r=settings.lse_r, r_low=settings.lse_r_low)
        self.dropout = nn.Dropout(settings.dropout)
        self.prediction = nn.Linear(width, findings)
        # Grey levels (0 to 255) of the training images; persistent: saved with the weights.
        self.register_buffer("mean_level", torch.tensor(127.5))
        self.register_buffer("std_level", torch.tensor(64.0))

    def set_normalisation(self, mean_level: float, std_level: float) -> None:
        """Set the grey level that becomes 0 and the spread that becomes 1 (levels 0 to 255)."""
        self.mean_level.fill_(mean_level)
        self.std_level.fill_(max(std_level, 1.0))

    def features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """What the prediction rests on: activations [B, D, h, w] and, pooled, [B, D]."""
        normal = (pixels.float() - self.mean_level) / self.std_level
        activations = self.transition(self.backbone(normal))
        return activations, self.dropout(self.pooling(activations))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Score images.

        Args:
            pixels: grey levels 0 to 255, uint8 or float, [B, 1, H, W].

        Returns:
            logits [B, F] and heatmaps [B, F, h, w], both float32.
        """
        activations, pooled = self.features(pixels)
        logits = self.prediction(pooled)
        heatmaps = torch.einsum("bdhw,fd->bfhw", activations, self.prediction.weight)
        return logits.float(), heatmaps.float()


def check_size(settings: ModelConfig, size_px: int) -> None:
    """Raise `BadInput` when images of `size_px` would give a heatmap of fewer than 2 x 2 cells, or
    do not fit the scattering."""
    if settings.scattering.share:
        scattering.check_size(settings.scattering, size_px)
    way, smallest_px = registry.way_of(
        settings.backbone, stride_px=settings.stride_px, stride_by=settings.stride_by
    )
    if size_px < smallest_px:
        raise BadInput(
            f"images of {size_px} px are too small for {settings.backbone} with stride_px "
            f"{settings.stride_px} by {way}: at least {smallest_px} px are needed "
            "(dataset.size_px), or a smaller training.model.stride_px"
        )
