"""What training can resume from: one file, replaced atomically after every epoch.

Holds the network, the averaged network, the optimizer, the best weights so far and the history.
Chance needs no place in it: every epoch's order and augmentation are drawn from (seed, epoch). Read
with `weights_only=True`, so it can hold no code. Not an output: other inputs or settings have
another folder (`thorax.stage.state_folder`).
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from thorax import artifacts
from thorax.progress import say
from thorax.training.settings import Precision

_FILE = "progress.pt"


@dataclass
class Progress:
    """How far training has come.

    Attributes:
        initial_weights: where the first weights came from; a state of others is not resumed.
        precision: what convolutions compute in; empty before that is decided.
        epoch: epochs done.
        best_epoch: the epoch (from 1) of `best`; 0 before the first.
        best_score: its validation mean AUC.
        model, averaged, heads, optimizer, best: states as PyTorch names them.
        history: one entry per epoch.
    """

    initial_weights: str
    precision: Precision | Literal[""] = ""
    epoch: int = 0
    best_epoch: int = 0
    best_score: float = float("-inf")
    model: dict[str, Tensor] = field(default_factory=dict)
    averaged: dict[str, Tensor] = field(default_factory=dict)
    heads: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def save(folder: Path, progress: Progress) -> None:
    """Replace the saved progress; a kill at any moment leaves the old or the new one."""
    with artifacts.atomic_file(folder / _FILE) as temporary:
        torch.save(vars(progress), temporary)


def load(folder: Path, *, initial_weights: str) -> Progress:
    """The saved progress, or a fresh one when there is none that can be gone on from."""
    fresh = Progress(initial_weights)
    path = folder / _FILE
    if not path.exists():
        return fresh
    try:
        saved = Progress(**torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, TypeError, ValueError, EOFError) as error:
        say(
            f"training: {path} cannot be read ({type(error).__name__}); starting from the beginning"
        )
        return fresh
    return saved if saved.initial_weights == initial_weights else fresh


def prune(folder: Path, *, keep: int) -> None:
    """Delete the older state folders beside `folder`, all but the `keep` newest and itself."""
    others = [each for each in folder.parent.iterdir() if each.is_dir() and each != folder]
    others.sort(key=lambda each: each.stat().st_mtime, reverse=True)
    for old in others[keep:]:
        shutil.rmtree(old, ignore_errors=True)
