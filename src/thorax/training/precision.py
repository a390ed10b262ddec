"""Whether convolutions compute in bfloat16 or float32: measured once per machine and network.

Which is faster follows from the processor, PyTorch, and the network's shape: bfloat16 by AMX wins
by far, by AVX512-BF16 for some networks, and without either it loses. `auto` times some steps of
the real network in both, by turns, and takes bfloat16 only where it clearly wins. The choice is
stored in `.thorax/precision/`, so that every later training on this machine computes alike; a
training that has begun goes on in the precision of its own state, whatever this folder says.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor, nn

from thorax import artifacts
from thorax.errors import BadInput
from thorax.model import ensemble
from thorax.model.classifier import Classifier
from thorax.progress import say
from thorax.training.settings import Precision, TrainingConfig

_IMAGES = 8  # most images of a measured step
_ROUNDS = 5  # measured steps of each kind, by turns
_LONGEST_S = 20.0  # after so long no further round begins
_CLEARLY = 1.1  # bfloat16 is taken when it is so many times as fast
_CAPABLE: Final = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def choose(settings: TrainingConfig, size_px: int, device: torch.device, home: Path) -> Precision:
    """The numbers that a training of `settings` on images of `size_px` computes with.

    Args:
        settings: the recipe; a precision that it names is taken as it is.
        size_px: side of the images.
        device: where it computes; cuda always takes bfloat16.
        home: the machine's own folder, `.thorax/`, where the choice is looked up and written.
    """
    if settings.precision != "auto":
        return settings.precision
    if device.type == "cuda":
        return "bfloat16"
    capabilities = torch.cpu.get_capabilities()
    if not any(capabilities.get(name) for name in _CAPABLE):
        return "float32"
    about = _circumstances(settings, size_px, capabilities)
    path = home / "precision" / f"{artifacts.sha256_json(about)[:16]}.json"
    known = _read(path, about)
    return known or _measure_and_write(path, about, settings, size_px)


def _circumstances(
    settings: TrainingConfig, size_px: int, capabilities: Mapping[str, Any]
) -> dict[str, Any]:
    """All that the faster precision follows from: with other values it is measured again."""
    return {
        "processor": _processor(),
        "capabilities": {name: value for name, value in capabilities.items() if value},
        "instructions": os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "images": min(settings.batch_size, _IMAGES),
        "size_px": size_px,
        "model": settings.model.model_dump(mode="json"),
    }


def _processor() -> str:
    """The processor's model name; where the system has none to give, its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _read(path: Path, about: dict[str, Any]) -> Precision | None:
    """The choice made before; None when there is none, or one that cannot be read."""
    try:
        found = artifacts.read_json(path)
    except BadInput:
        return None
    if not isinstance(found, dict) or found.get("circumstances") != about:
        return None
    choice = found.get("precision")
    return choice if choice in ("bfloat16", "float32") else None


def _measure_and_write(
    path: Path, about: dict[str, Any], settings: TrainingConfig, size_px: int
) -> Precision:
    step = _step(settings, size_px, images=about["images"])
    float32_s, bfloat16_s = measure(step)
    ratio = float32_s / bfloat16_s
    choice: Precision = "bfloat16" if ratio >= _CLEARLY else "float32"
    content = {
        "circumstances": about,
        "precision": choice,
        "processor_s_per_step": {"float32": float32_s, "bfloat16": bfloat16_s},
    }
    artifacts.write_json(path, content)
    say(
        f"training: precision auto: {choice} (measured here: bfloat16 is {ratio:.1f} times as fast "
        "as float32)"
    )
    return choice


def measure(step: Callable[[torch.dtype], object]) -> tuple[float, float]:
    """Median processor seconds of a step in float32 and in bfloat16.

    Processor time, and by turns: other work on the machine slows both alike.
    """
    started = time.monotonic()
    seconds: dict[torch.dtype, list[float]] = {torch.float32: [], torch.bfloat16: []}
    for kind in seconds:
        step(kind)  # the first one makes oneDNN's kernels
    for _ in range(_ROUNDS):
        for kind, measured in seconds.items():
            began = time.process_time()
            step(kind)
            measured.append(time.process_time() - began)
        if time.monotonic() - started > _LONGEST_S:
            break
    return median(seconds[torch.float32]), median(seconds[torch.bfloat16])


def _step(
    settings: TrainingConfig, size_px: int, *, images: int
) -> Callable[[torch.dtype], object]:
    """Forward and backward of one member on noise; the caller's random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        network = ensemble.build(settings.model, findings=1)
        pixels = torch.randint(0, 256, (images, 1, size_px, size_px), dtype=torch.uint8)
    member = ensemble.members_of(network)[0].to(memory_format=torch.channels_last).train()

    def step(kind: torch.dtype) -> None:
        with torch.random.fork_rng(devices=[]):
            _forward_and_back(member, pixels, kind)

    return step


def _forward_and_back(member: Classifier, pixels: Tensor, kind: torch.dtype) -> None:
    with torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16):
        _, pooled = member.features(pixels)
        logits = member.prediction(pooled)
    nn.functional.softplus(logits.float()).mean().backward()  # type: ignore[no-untyped-call]
    member.zero_grad(set_to_none=True)
