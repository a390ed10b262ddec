"""The training's own loop as a judge: one network per part of the patients, scored on that part.

Each network is kept as it is after its last epoch, and resumes from its state after a kill. Its
scores of the held-out part are printed while it learns, and choose nothing.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from thorax import artifacts
from thorax.dataset import batches
from thorax.dataset.batches import PixelSource
from thorax.findings import FINDINGS
from thorax.model import ensemble, weights
from thorax.model.classifier import check_size
from thorax.model.ensemble import Network
from thorax.progress import say
from thorax.training import examples, precision
from thorax.training.device import device_of, make_deterministic
from thorax.training.examples import Examples
from thorax.training.loop import Data, Loop
from thorax.training.settings import TrainingConfig


def logits(
    pixels: PixelSource, whole: Examples, folds: NDArray[np.int64], *, settings: TrainingConfig,
    state: Path,
) -> NDArray[np.float64]:  # fmt: skip
    """Out-of-fold logits [N, F].

    Args:
        pixels: where the images are.
        whole: N images with their labels.
        folds: the part of each image [N].
        settings: the recipe of every network.
        state: the folder that a killed run goes on from.
    """
    check_size(settings.model, pixels.size_px)
    found = np.empty((len(whole), len(FINDINGS)))
    for number in np.unique(folds):
        say(f"label_noise: network {number + 1} of {folds.max() + 1}")
        held = folds == number
        data = Data(pixels, _part(whole, ~held), _part(whole, held))
        found[held] = _one(data, settings, state / f"fold-{number}")
    return found


def _one(data: Data, settings: TrainingConfig, state: Path) -> NDArray[np.float64]:
    make_deterministic(settings)
    network = ensemble.build(settings.model, findings=len(FINDINGS))
    ensemble.initialise(network, settings.model, weights=settings.weights)
    ensemble.set_normalisation(network, *examples.level_statistics(data.training))
    state.mkdir(parents=True, exist_ok=True)
    first = weights.name(settings.weights)
    numbers = precision.choose(
        settings, data.pixels.size_px, device_of(settings), artifacts.shared_home()
    )
    progress = Loop(
        network, data, settings=settings, folder=state, precision=numbers, initial_weights=first
    ).run()
    network.load_state_dict(progress.best)
    return _score(network, data, settings)


def _score(network: Network, data: Data, settings: TrainingConfig) -> NDArray[np.float64]:
    device = device_of(settings)
    network.to(device).eval()
    plan = batches.in_order(len(data.validation), settings.batch_size)
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(levels).to(device)[:, None])[0].float().cpu().numpy()
            for _, levels in batches.stream(data.pixels, data.validation.rows, plan)
        ]
    return np.concatenate(parts).astype(np.float64)


def _part(whole: Examples, chosen: NDArray[np.bool_]) -> Examples:
    return replace(
        whole,
        rows=whole.rows[chosen].reset_index(drop=True),
        targets=whole.targets[chosen],
        known=whole.known[chosen],
    )
