"""Global pooling of activation maps: average, max, and log-sum-exp (LSE) with r fixed or learned.

Wang et al., CVPR 2017 (arXiv 1705.02315), section 3.1, "Global Pooling Layer": LSE with r stands
between the average (r -> 0) and the maximum (r -> infinity); the paper found r = 10 best.
LSE-LBA, r learned above a lower bound: Yao et al., 2018 (arXiv 1803.07703), section 3.3.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["average", "max", "lse", "lse-lba"]


def average(maps: Tensor) -> Tensor:
    """Mean over the positions: [B, C, h, w] -> [B, C]."""
    return maps.mean(dim=(2, 3))


def maximum(maps: Tensor) -> Tensor:
    """Maximum over the positions: [B, C, h, w] -> [B, C]."""
    return maps.amax(dim=(2, 3))


def log_sum_exp(maps: Tensor, *, r: float | Tensor) -> Tensor:
    """Smooth maximum over the positions: (1/r) log(mean(exp(r x))), [B, C, h, w] -> [B, C].

    As the paper writes it: x* + (1/r) log(mean(exp(r (x - x*)))). Its x* = max |x| underflows to
    log 0 where all activations are far below zero; with x* = max x it is the same number and stays
    finite: every exponent is at most 0 and one of them is 0. Computed in float32 whatever the type
    of `maps`: r multiplies rounding errors.

    Args:
        maps: activations, [B, C, h, w].
        r: sharpness above 0, a number or a scalar tensor; rounding costs about 1e-7 / r.
    """
    cells = maps.float().flatten(2)  # [B, C, h*w]
    largest = cells.detach().amax(dim=2, keepdim=True)
    rest = ((cells - largest) * r).exp().mean(dim=2).log()
    return largest.squeeze(2) + rest / r


class GlobalPooling(nn.Module):
    """One of the poolings as a layer: [B, C, h, w] -> [B, C] float32.

    Args:
        kind: which.
        r: sharpness of lse; where lse-lba starts.
        r_low: what the learned r of lse-lba stays above: r = r_low + exp(beta). Below `r`.
    """

    def __init__(self, kind: Pooling, *, r: float, r_low: float = 0.0) -> None:
        super().__init__()
        self.kind = kind
        self.fixed_r = r
        self.r_low = r_low
        if kind == "lse-lba":
            self.beta = nn.Parameter(torch.tensor(math.log(r - r_low)))

    @property
    def r(self) -> float | Tensor:
        """The sharpness of now: a number, or for lse-lba a scalar tensor."""
        return self.r_low + self.beta.exp() if self.kind == "lse-lba" else self.fixed_r

    def forward(self, maps: Tensor) -> Tensor:
        """Pool [B, C, h, w] to [B, C]."""
        if self.kind == "average":
            return average(maps.float())
        if self.kind == "max":
            return maximum(maps.float())
        return log_sum_exp(maps, r=self.r)
