"""The training loop: epochs, validation by mean AUC, early stop; resumable after every epoch.

The same seed, inputs and machine give the same weights, also when training was killed and run
again: every epoch draws order, augmentation and dropout from (seed, epoch) alone. A resumed
training computes in the precision that it was begun with. Knows no files but its own state.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from thorax.dataset import batches
from thorax.dataset.augment import augment
from thorax.dataset.batches import PixelSource
from thorax.errors import BadInput
from thorax.evaluation import metrics
from thorax.findings import FINDINGS
from thorax.model import ensemble
from thorax.model.ensemble import Network
from thorax.model.losses import Objective
from thorax.progress import say
from thorax.training import context, optim, reading, state
from thorax.training.context import Context, Heads
from thorax.training.device import device_of
from thorax.training.examples import Examples
from thorax.training.settings import Precision, TrainingConfig
from thorax.training.state import Progress


@dataclass(frozen=True)
class Data:
    """What is learned from and what is validated on, and where their pixels are."""

    pixels: PixelSource
    training: Examples
    validation: Examples


@dataclass(frozen=True)
class Validated:
    """How the network did on the validation images: loss, AUC per finding [F], and their mean."""

    loss: float
    auc: NDArray[np.float64]
    mean_auc: float


class Loop:
    """Trains one network.

    Args:
        model: the network with its first weights; trained in place.
        data: images of both splits.
        settings: the recipe.
        folder: where the state lies that a killed run goes on from.
        precision: what convolutions compute in, unless the state says what it was begun with.
        initial_weights: where the first weights came from.
    """

    def __init__(
        self, model: Network, data: Data, *, settings: TrainingConfig, folder: Path,
        precision: Precision = "float32", initial_weights: str = "none",
    ) -> None:  # fmt: skip
        self.data = data
        self.settings = settings
        self.folder = folder
        self.device = device_of(settings)
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.members = ensemble.members_of(self.model)
        self.averaged = optim.AveragedModel(self.model, settings.ema_decay)
        self.context = context.of_rows(
            data.training.rows, data.training.targets, data.training.known,
            settings=settings.context,
        )  # fmt: skip
        self.heads = Heads(self.members, self.context.names, settings.context).to(self.device)
        self.optimizer = optim.make(nn.ModuleList([self.model, self.heads]), settings)
        self.objective = Objective(settings.loss, settings.loss_options)
        self.progress = state.load(folder, initial_weights=initial_weights)
        self.progress.precision = self.progress.precision or precision

    def run(self) -> Progress:
        """Train to the last epoch or until patience ends; returns kept weights and history."""
        if self.progress.epoch:
            self._resume()
        else:
            self._read()
        while self.progress.epoch < self.settings.epochs and not self._out_of_patience():
            self._epoch()
            state.save(self.folder, self.progress)
        return self.progress

    def _read(self) -> None:
        """Solve the linear reading beside the members, where there is one."""
        reader = ensemble.reader_of(self.model)
        if reader is not None:
            solved = reading.solve(
                reader, self.data.pixels, self.data.training, settings=self.settings.reading
            )
            reader.learn(solved)
            self.averaged.module.load_state_dict(self.model.state_dict())

    def _resume(self) -> None:
        say(f"training: going on after epoch {self.progress.epoch}")
        self.model.load_state_dict(self.progress.model)
        self.averaged.module.load_state_dict(self.progress.averaged)
        self.heads.load_state_dict(self.progress.heads)
        self.optimizer.load_state_dict(self.progress.optimizer)

    def _out_of_patience(self) -> bool:
        waited = self.progress.epoch - self.progress.best_epoch
        return waited >= self.settings.patience_epochs

    def _epoch(self) -> None:
        started = time.monotonic()
        number = self.progress.epoch + 1
        loss, images = self._train(number)
        speed = images / (time.monotonic() - started)
        validated = self._validate(number)
        self._record(number, loss, validated)
        say(
            f"training: epoch {number} of {self.settings.epochs}: loss {loss:.4f}, validation loss "
            f"{validated.loss:.4f}, validation AUC {validated.mean_auc:.4f}, {speed:.0f} images/s"
        )

    def _train(self, number: int) -> tuple[float, int]:
        """One pass over the training images; returns the mean loss and how many there were."""
        settings, examples = self.settings, self.data.training
        torch.manual_seed(_seed(settings.seed, number))
        chance = torch.Generator(self.device).manual_seed(_seed(settings.seed, number))
        size = settings.batch_size * settings.accumulate_steps
        plan = batches.shuffled(len(examples), size, seed=settings.seed, epoch=number)
        first_step = (number - 1) * len(plan)
        self.model.train()
        losses, images = [], 0
        stream = batches.stream(self.data.pixels, examples.rows, plan)
        for step, (positions, levels) in enumerate(stream, first_step):
            rate = optim.learning_rate(step, settings.epochs * len(plan), settings)
            losses.append(self._step(levels, positions, rate, chance))
            self.averaged.update(self.model, step)
            images += len(positions)
        return _mean_loss(losses, number), images

    def _step(
        self, levels: NDArray[np.uint8], positions: NDArray[np.int64], rate: float,
        chance: torch.Generator,
    ) -> Tensor:  # fmt: skip
        """One optimizer step on levels [B, H, W], in parts that fit; returns the loss, a scalar.

        Members of an ensemble learn from the same images, each augmented for itself.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        targets, counts = self._labels(self.data.training, positions, self.objective)
        aside, aside_counts = self._labels(self.context, positions, self.heads.objective)
        self.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.device)
        for first in range(0, len(levels), self.settings.batch_size):
            rows = slice(first, first + self.settings.batch_size)
            part = self._to_device(levels[rows])[:, None]
            for number, member in enumerate(self.members):
                pixels = augment(part, self.settings.augment, chance)
                with self._precision():
                    _, pooled = member.features(pixels)
                    logits = member.prediction(pooled)
                share = self.objective.part(logits, targets[rows], counts[rows])
                total += share.detach()
                share = share + self.heads.loss(number, pooled, (aside[rows], aside_counts[rows]))
                share.backward()  # type: ignore[no-untyped-call]
        for member in self.members:
            nn.utils.clip_grad_norm_(member.parameters(), self.settings.gradient_norm)
        self.optimizer.step()
        return total / len(self.members)

    def _validate(self, number: int) -> Validated:
        """Loss and AUC of the averaged network on all validation images."""
        examples = self.data.validation
        plan = batches.in_order(len(examples), self.settings.batch_size)
        with torch.inference_mode():
            scored = [
                self._score(self.averaged.module, self._to_device(levels)[:, None]).cpu()
                for _, levels in batches.stream(self.data.pixels, examples.rows, plan)
            ]
        logits = torch.cat(scored)  # [N, F]
        if not torch.isfinite(logits).all():
            raise _diverged(f"a validation logit is not a number after epoch {number}")
        targets, known = torch.from_numpy(examples.targets), torch.from_numpy(examples.known)
        loss = float(self.objective(logits, targets, known))
        areas = metrics.auc(examples.targets, logits.numpy(), known=examples.known)
        if np.isnan(areas).all():
            raise BadInput(
                "no finding has both positive and negative images in the validation split, so no "
                "epoch can be preferred: enlarge dataset.validation_share or pull more data"
            )
        return Validated(loss, areas, float(np.nanmean(areas)))

    def _record(self, number: int, loss: float, validated: Validated) -> None:
        progress = self.progress
        progress.epoch = number
        progress.history.append(_entry(number, loss, validated))
        progress.model = _on_cpu(self.model.state_dict())
        progress.averaged = _on_cpu(self.averaged.module.state_dict())
        progress.heads = _on_cpu(self.heads.state_dict())
        progress.optimizer = self.optimizer.state_dict()
        if self.settings.kept == "last" or validated.mean_auc > progress.best_score:
            progress.best_epoch, progress.best_score = number, validated.mean_auc
            progress.best = progress.averaged

    def _score(self, model: nn.Module, pixels: Tensor) -> Tensor:
        """Logits [B, F] float32 of pixels [B, 1, H, W]."""
        with self._precision():
            logits: Tensor = model(pixels)[0]
        return logits.float()

    def _precision(self) -> torch.autocast:
        """Weights stay float32; convolutions and products compute as the precision says."""
        low = self.progress.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=low)

    def _to_device(self, levels: NDArray[np.uint8]) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(levels))
        if self.device.type == "cuda":
            return pixels.pin_memory().to(self.device, non_blocking=True)
        return pixels

    def _labels(
        self, of: Examples | Context, positions: NDArray[np.int64], objective: Objective
    ) -> tuple[Tensor, Tensor]:
        """Targets [B, F] and what each counts [B, F]."""
        targets = torch.from_numpy(of.targets[positions]).to(self.device)
        known = torch.from_numpy(of.known[positions]).to(self.device)
        return targets, objective.counts(targets, known)


def _seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint32)[0])


def _entry(number: int, loss: float, validated: Validated) -> dict[str, Any]:
    """An epoch of the history: what was measured, and no times."""
    areas = zip(FINDINGS, validated.auc.tolist(), strict=True)
    return {
        "epoch": number,
        "training_loss": loss,
        "validation_loss": validated.loss,
        "validation_auc_score": validated.mean_auc,
        "validation_auc_scores": dict(areas),
    }


def _mean_loss(losses: list[Tensor], number: int) -> float:
    values = torch.stack(losses)
    wrong = (~torch.isfinite(values)).nonzero()
    if len(wrong):
        raise _diverged(f"the loss is not a number in epoch {number}, batch {int(wrong[0]) + 1}")
    return float(values.mean())


def _diverged(what: str) -> BadInput:
    return BadInput(f"{what}: lower training.learning_rate or raise training.warmup_share")


def _on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().clone() for key, value in tensors.items()}
