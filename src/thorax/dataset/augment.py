"""Random changes of training images, a batch at a time on its device: mild affine, and intensity.

The affine turns, shifts and scales as patients stand and detectors lie. Left and right matter on a
chest film (the heart, a stomach bubble, side markers), so mirroring is off unless it is asked for.
Changes pixels only: boxes are not moved, because training uses none.
"""

import math

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.nn import functional

from thorax.config import Config


class AugmentConfig(Config):
    """How far training images may be changed; all zero changes nothing."""

    rotation_degrees: float = Field(default=5.0, ge=0, le=180)
    """Largest turn to either side, in degrees."""
    translation_share: float = Field(default=0.05, ge=0, lt=1)
    """Largest shift along each axis, as a share of the side."""
    scale_share: float = Field(default=0.1, ge=0, lt=1)
    """Largest growth or shrinkage, as a share of 1."""
    brightness_levels: float = Field(default=10.0, ge=0, le=255)
    """Largest shift of all grey levels (0 to 255)."""
    contrast_share: float = Field(default=0.15, ge=0, lt=1)
    """Largest change of contrast about the image's mean, as a share of 1."""
    mirror_probability: float = Field(default=0.0, ge=0, le=1)
    """Probability of swapping left and right."""


def augment(pixels: Tensor, settings: AugmentConfig, generator: Generator) -> Tensor:
    """Change each image of a batch by its own random amounts.

    Args:
        pixels: grey levels 0 to 255, uint8 or float, [B, 1, H, W].
        settings: how far.
        generator: the source of chance, on the device of `pixels`.

    Returns:
        Grey levels 0 to 255, float32 [B, 1, H, W].
    """
    moved = _move(pixels.float(), settings, generator)
    return _relight(moved, settings, generator)


def _move(pixels: Tensor, settings: AugmentConfig, generator: Generator) -> Tensor:
    batch = pixels.shape[0]
    angle = _symmetric(batch, math.radians(settings.rotation_degrees), generator, pixels.device)
    scale = 1 + _symmetric(batch, settings.scale_share, generator, pixels.device)
    # grid coordinates run from -1 to 1: a shift by a share of the side is twice that share
    shift_x = _symmetric(batch, 2 * settings.translation_share, generator, pixels.device)
    shift_y = _symmetric(batch, 2 * settings.translation_share, generator, pixels.device)
    chance = torch.rand(batch, generator=generator, device=pixels.device)
    side = torch.where(chance < settings.mirror_probability, -1.0, 1.0)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = (cosine * side, -sine, shift_x, sine * side, cosine, shift_y)
    affine = torch.stack(rows, dim=1).view(batch, 2, 3)
    grid = functional.affine_grid(affine, list(pixels.shape), align_corners=False)  # [B, H, W, 2]
    return functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _relight(pixels: Tensor, settings: AugmentConfig, generator: Generator) -> Tensor:
    batch = pixels.shape[0]
    gain = 1 + _symmetric(batch, settings.contrast_share, generator, pixels.device)
    offset = _symmetric(batch, settings.brightness_levels, generator, pixels.device)
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    lit = (pixels - mean) * gain.view(-1, 1, 1, 1) + mean + offset.view(-1, 1, 1, 1)
    return lit.clamp(0, 255)


def _symmetric(count: int, largest: float, generator: Generator, device: torch.device) -> Tensor:
    """`count` uniform numbers between -largest and largest."""
    return (torch.rand(count, generator=generator, device=device) * 2 - 1) * largest
