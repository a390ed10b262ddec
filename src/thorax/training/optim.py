"""The optimizer, its learning rate over time, and the moving average of weights.

AdamW: Loshchilov and Hutter, ICLR 2019 (arXiv 1711.05101). Cosine decay: the same authors, ICLR
2017 (arXiv 1608.03983). The paper names SGD and states neither learning rate nor schedule.
"""

import copy
import math

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from thorax.training.settings import TrainingConfig


def make(model: nn.Module, settings: TrainingConfig) -> Optimizer:
    """The optimizer of `settings`; vectors (norms, biases) are not decayed."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in trained if w.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [w for w in trained if w.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return SGD(groups, settings.learning_rate, momentum=settings.momentum)
    return AdamW(groups, settings.learning_rate)


def learning_rate(step: int, steps: int, settings: TrainingConfig) -> float:
    """The learning rate of `step` (from 0) of `steps`: a linear rise, then a cosine fall to 0."""
    warmup = round(settings.warmup_share * steps)
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


class AveragedModel:
    """An exponential moving average of a model's weights and batch statistics.

    Early steps average less, so that the random start is soon forgotten. With decay 0 it is a copy.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards `model` after its `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step)) if self.decay else 0.0
        current = model.state_dict()
        for name, value in self.module.state_dict().items():
            if value.is_floating_point():
                value.lerp_(current[name], 1 - decay)
            else:
                value.copy_(current[name])
