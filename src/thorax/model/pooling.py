"""Global pooling of activation maps: average, max, and log-sum-exp (LSE).

Wang et al., CVPR 2017 (arXiv 1705.02315), section 3.1, "Global Pooling Layer": LSE with r stands
between the average (r -> 0) and the maximum (r -> infinity); the paper found r = 10 best.
"""

import math
from typing import Literal

from torch import Tensor, nn

Pooling = Literal["average", "max", "lse"]


def average(maps: Tensor) -> Tensor:
    """Mean over the positions: [B, C, h, w] -> [B, C]."""
    return maps.mean(dim=(2, 3))


def maximum(maps: Tensor) -> Tensor:
    """Maximum over the positions: [B, C, h, w] -> [B, C]."""
    return maps.amax(dim=(2, 3))


def log_sum_exp(maps: Tensor, *, r: float) -> Tensor:
    """Smooth maximum over the positions: (1/r) log(mean(exp(r x))), [B, C, h, w] -> [B, C].

    As the paper writes it: x* + (1/r) log(mean(exp(r (x - x*)))). Its x* = max |x| underflows to
    log 0 where all activations are far below zero; with x* = max x it is the same number and stays
    finite. Computed in float32 whatever the type of `maps`: r multiplies rounding errors.
    """
    cells = maps.float().flatten(2)  # [B, C, h*w]
    largest = cells.detach().amax(dim=2, keepdim=True)
    rest = ((cells - largest) * r).logsumexp(dim=2) - math.log(cells.shape[2])
    return largest.squeeze(2) + rest / r


class GlobalPooling(nn.Module):
    """One of the three poolings as a layer: [B, C, h, w] -> [B, C] float32."""

    def __init__(self, kind: Pooling, *, r: float) -> None:
        super().__init__()
        self.kind = kind
        self.r = r

    def forward(self, maps: Tensor) -> Tensor:
        """Pool [B, C, h, w] to [B, C]."""
        if self.kind == "average":
            return average(maps.float())
        if self.kind == "max":
            return maximum(maps.float())
        return log_sum_exp(maps, r=self.r)
