"""A linear reading of wavelet scattering, as one more voice beside the convolutional members.

Scattering: Bruna and Mallat, TPAMI 2013 (arXiv 1203.1513): moduli of Morlet wavelets, once and
twice, averaged over cells. Nothing of it is learned, it moves little when a patient stands a little
otherwise, and a linear map of it needs few images: ridge regression of the targets on the logarithm
of the coefficients of every cell. Films are taken upright and centred, so the map may differ from
cell to cell, which a network with global pooling cannot say.

Makes logits alone; heatmaps stay those of the network. The map is solved, not descended to:
`thorax.training.reading` does that.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from thorax.config import Config
from thorax.errors import BadInput

_SLANT = 4.0  # Morlet wavelets: the envelope's length over its width is orientations / 4
_FREQUENCY = 3 * math.pi / 4  # of the finest wavelet, in radians per pixel; halved at every scale
_SPREAD_PX = 0.8  # of the finest wavelet's envelope; doubled at every scale
_REACH = 3  # standard deviations of the envelope after which a filter is cut off
_FAR = 5.0  # standard deviations at which a coefficient is held
_LEAST = 1e-12


class ScatteringConfig(Config):
    """Which wavelets, and how much their reading counts."""

    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the reading in the network's logits; 0: there is none."""
    scales: int = Field(default=3, ge=1, le=5)
    """Sizes of wavelets, each twice the one before; the coarsest is some 2 ** scales px."""
    orientations: int = Field(default=6, ge=1)
    """Directions of wavelets over half a turn."""
    cells: int = Field(default=8, ge=1)
    """Cells along each side of an image, over which coefficients are averaged."""


class Reading(NamedTuple):
    """What the linear map is made of: C coefficients per cell, h x w cells, F findings.

    Attributes:
        floor: what is added before the logarithm, a scalar.
        mean, std: of the logarithms over the training images, [C, h, w].
        weight: logits per standard deviation, [F, C, h, w].
        bias: logits of the mean image, [F].
    """

    floor: Tensor
    mean: Tensor
    std: Tensor
    weight: Tensor
    bias: Tensor


class Scattering(nn.Module):
    """Grey images to scattering coefficients of order 0, 1 and 2, averaged over cells."""

    def __init__(self, settings: ScatteringConfig) -> None:
        super().__init__()
        self.scales, self.cells = settings.scales, settings.cells
        self.orientations = settings.orientations
        for scale in range(settings.scales):
            filters = torch.from_numpy(morlet(scale, settings.orientations))
            self.register_buffer(f"filters_{scale}", filters, persistent=False)

    @property
    def coefficients(self) -> int:
        """Coefficients per cell (C)."""
        pairs = self.scales * (self.scales - 1) // 2
        return 1 + self.scales * self.orientations + pairs * self.orientations**2

    def forward(self, pixels: Tensor) -> Tensor:
        """Coefficients [B, C, h, w] of grey levels 0 to 255, [B, 1, H, W]."""
        unit = pixels.float() / 255
        found = [self._cells(unit)]
        for scale in range(self.scales):
            first = self._modulus(unit, scale)  # [B, L, H, W]
            found.append(self._cells(first))
            step = 2**scale
            if scale + 1 < self.scales:
                first = functional.avg_pool2d(first, step)
            for coarser in range(1, self.scales - scale):
                second = self._modulus(first, coarser)  # [B, L * L, H / step, W / step]
                found.append(self._cells(second))
        return torch.cat(found, dim=1)

    def _cells(self, maps: Tensor) -> Tensor:
        """Means [B, K, cells, cells] of maps [B, K, H, W] whose sides are whole cells."""
        return functional.avg_pool2d(maps, maps.shape[-1] // self.cells)

    def _modulus(self, maps: Tensor, scale: int) -> Tensor:
        """Moduli [B, K * L, H, W] of maps [B, K, H, W] filtered with each of L directions."""
        filters: Tensor = getattr(self, f"filters_{scale}")
        count, height, width = maps.shape[1:]
        reach = filters.shape[-1] // 2
        single = maps.reshape(-1, 1, height, width)
        padded = functional.pad(single, [reach] * 4, mode="reflect")
        answers = functional.conv2d(padded, filters)  # [B * K, 2 * L, H, W]: real parts, imaginary
        real, imaginary = answers.chunk(2, dim=1)
        moduli = (real.square() + imaginary.square() + _LEAST).sqrt()
        return moduli.reshape(-1, count * self.orientations, height, width)


class Reader(nn.Module):
    """Scattering, and the linear map that reads it; silent (logits 0) until it is given one.

    Args:
        settings: which wavelets.
        findings: how many outputs (F).
    """

    floor: Tensor
    mean: Tensor
    std: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, settings: ScatteringConfig, *, findings: int) -> None:
        super().__init__()
        self.scattering = Scattering(settings)
        shape = (self.scattering.coefficients, settings.cells, settings.cells)
        blank = Reading(
            torch.ones(()), torch.zeros(shape), torch.ones(shape),
            torch.zeros((findings, *shape)), torch.zeros(findings),
        )  # fmt: skip
        # buffers: solved from the images, not trained with the network, but saved with it
        for name, value in blank._asdict().items():
            self.register_buffer(name, value)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits [B, F] of grey levels 0 to 255, [B, 1, H, W]."""
        normal = standard(self.scattering(pixels), self.floor, self.mean, self.std)
        return functional.linear(normal.flatten(1), self.weight.flatten(1), self.bias)

    def learn(self, reading: Reading) -> None:
        """Take over a linear map."""
        for name, value in reading._asdict().items():
            getattr(self, name).copy_(value)


def check_size(settings: ScatteringConfig, size_px: int) -> None:
    """Raise `BadInput` when images of `size_px` are not made of whole cells at every scale."""
    step = 2 ** max(settings.scales - 2, 0)
    least_px = 2 * step * (_reach(max(settings.scales - 1, 0)) // step + 1)
    if size_px % (settings.cells * step) or size_px < least_px:
        raise BadInput(
            f"training.model.scattering: images of {size_px} px (dataset.size_px) are not made of "
            f"{settings.cells} x {settings.cells} cells whose sides {step} divides, or are smaller "
            f"than {least_px} px: choose other cells or scales"
        )


def _reach(scale: int) -> int:
    """Pixels of a filter to each side of its middle."""
    return math.ceil(_REACH * _SPREAD_PX * float(2**scale))


def standard(coefficients: Tensor, floor: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Logarithms of coefficients [B, C, h, w] in standard deviations from the mean, held."""
    return (((coefficients + floor).log() - mean) / std).clamp(-_FAR, _FAR)


def morlet(scale: int, orientations: int) -> NDArray[np.float32]:
    """Complex Morlet wavelets of one size: real parts, then imaginary ones, [2 * L, 1, side, side].

    Each has mean 0 and absolute values that add up to 1.
    """
    spread, frequency = _SPREAD_PX * 2**scale, _FREQUENCY / 2**scale
    reach = _reach(scale)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    waves = []
    for angle in np.arange(orientations) * np.pi / orientations:
        along = x * np.cos(angle) + y * np.sin(angle)
        across = y * np.cos(angle) - x * np.sin(angle)
        slant = _SLANT / orientations
        envelope = np.exp(-(along**2 + (across * slant) ** 2) / (2 * spread**2))
        carrier = np.exp(1j * frequency * along)
        wave = envelope * (carrier - (envelope * carrier).sum() / envelope.sum())
        waves.append(wave / np.abs(wave).sum())
    stacked = np.stack(waves)[:, None]
    return np.concatenate([stacked.real, stacked.imag]).astype(np.float32)
