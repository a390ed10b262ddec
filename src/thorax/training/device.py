"""Where training computes, and what makes it give the same result twice on one machine."""

import os

import torch

from thorax.errors import BadInput
from thorax.training.settings import TrainingConfig


def device_of(settings: TrainingConfig) -> torch.device:
    """The device that the settings name; `cuda` without one is a `BadInput`."""
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise BadInput("training.device is cuda, but there is none here: set it to auto or cpu")
    cuda = settings.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


def make_deterministic(settings: TrainingConfig) -> None:
    """Set threads, seed and deterministic algorithms for this process."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    torch.set_num_threads(settings.threads or len(os.sched_getaffinity(0)))
    # Only a warning where CUDA has no deterministic version (the backward of max pooling).
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else every new tensor is first filled with NaN, an eighth of the time; nothing reads one
    # before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.manual_seed(settings.seed)
