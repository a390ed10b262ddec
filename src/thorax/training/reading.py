"""Solves the linear reading of wavelet scattering from the training images.

Kernel ridge regression with a linear kernel (Saunders et al., ICML 1998), so that the work grows
with the images and not with the coefficients, which are many more. The targets are regressed as 0
and 1; about the share p of positives a probability's slope in its logit is p (1 - p), and dividing
by it makes logits that can be averaged with a network's. Looks at no validation image.
"""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from thorax.config import Config
from thorax.dataset import batches
from thorax.dataset.batches import PixelSource
from thorax.model.scattering import Reader, Reading, Scattering, standard
from thorax.progress import say
from thorax.training.examples import Examples

_LEAST_STD = 1e-3  # of a logarithm; an even coefficient tells nothing


class ReadingConfig(Config):
    """How the linear map is solved."""

    penalty: float = Field(default=3.0, gt=0)
    """Ridge penalty, where a kernel value is the mean over coefficients of two images' product."""
    floor_share: float = Field(default=0.05, gt=0)
    """What is added before the logarithm, as a share of the mean coefficient."""
    images_max: int = Field(default=10_000, ge=2)
    """Most images that are learned from, taken evenly: memory and time grow with their square."""
    batch_size: int = Field(default=32, ge=1)
    """Images whose coefficients are computed at once."""


def solve(
    reader: Reader, pixels: PixelSource, training: Examples, *, settings: ReadingConfig
) -> Reading:
    """The linear map from scattering to logits that the training images ask for.

    Args:
        reader: whose scattering it is, on any device; computed in float32.
        pixels: where the images are.
        training: what is learned from, N images.
        settings: how.
    """
    chosen = np.arange(len(training))
    if len(chosen) > settings.images_max:
        chosen = np.linspace(0, len(chosen) - 1, settings.images_max).astype(np.int64)
    say(f"training: reading the scattering of {len(chosen):,} images")
    rows = training.rows.iloc[chosen]
    found = _coefficients(reader, pixels, rows.reset_index(drop=True), settings.batch_size)
    floor = settings.floor_share * found.mean()
    logarithms = (found + floor).log()
    mean = logarithms.mean(dim=0)
    std = logarithms.std(dim=0, correction=0).clamp(min=_LEAST_STD)
    normal = standard(found, floor, mean, std)
    weight, bias = ridge(
        normal.flatten(1).numpy(), training.targets[chosen] > 0, training.known[chosen],
        penalty=settings.penalty,
    )  # fmt: skip
    shaped = torch.from_numpy(weight).reshape(-1, *mean.shape)
    return Reading(floor, mean, std, shaped, torch.from_numpy(bias))


def ridge(
    inputs: NDArray[np.float32], positive: NDArray[np.bool_], known: NDArray[np.bool_],
    *, penalty: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    """Weights [F, D] and biases [F] of logits that are linear in inputs [N, D].

    A finding is learned from the images of which it is known; without positive or without negative
    ones its weights are 0.

    Args:
        inputs: standardised, [N, D].
        positive: [N, F].
        known: [N, F].
        penalty: added to the diagonal of the kernel, inputs @ inputs.T / D.
    """
    count = inputs.shape[1]
    kernel = (inputs @ inputs.T).astype(np.float64) / count
    weights = np.zeros((positive.shape[1], count))
    shares = np.empty(positive.shape[1])
    patterns, pattern_of = np.unique(known, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        findings = np.flatnonzero(pattern_of.ravel() == number)
        rows = np.flatnonzero(pattern)
        answers = positive[np.ix_(rows, findings)].astype(np.float64)
        share = (answers.sum(axis=0) + 0.5) / (len(rows) + 1)
        shares[findings] = share
        if not len(rows):
            continue
        system = kernel[np.ix_(rows, rows)] + penalty * np.eye(len(rows))
        dual = np.linalg.solve(system, answers - answers.mean(axis=0))  # [rows, findings]
        slopes = inputs[rows].T.astype(np.float64) @ dual / count
        weights[findings] = (slopes / (share * (1 - share))).T
    biases = np.log(shares / (1 - shares))
    return weights.astype(np.float32), biases.astype(np.float32)


@torch.inference_mode()
def _coefficients(reader: Reader, pixels: PixelSource, rows: pd.DataFrame, size: int) -> Tensor:
    """Scattering coefficients [N, C, h, w] of manifest rows, float32 on the processor."""
    scattering: Scattering = reader.scattering
    plan = batches.in_order(len(rows), size)
    parts = []
    for _, levels in batches.stream(pixels, rows, plan):
        part = torch.from_numpy(np.ascontiguousarray(levels))[:, None].to(reader.bias.device)
        parts.append(scattering(part).cpu())
    return torch.cat(parts)
