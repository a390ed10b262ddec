"""A trained model as two files: `weights.safetensors`, and `model.json` that rebuilds the network.

The order of the findings, the image size and the settings stand in `model.json`; a file of another
network is refused. Holds no optimizer state: that is `training.state`.
"""

from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from thorax import artifacts, config
from thorax.config import Config
from thorax.model import ensemble
from thorax.model.classifier import ModelConfig
from thorax.model.ensemble import Network
from thorax.model.weights import check_findings, load_whole, metadata, read

WEIGHTS = "weights.safetensors"
MODEL = "model.json"


class Description(Config):
    """What `model.json` says."""

    settings: ModelConfig
    """What the network is made of."""
    findings: tuple[str, ...]
    """The findings in the order of the outputs."""
    size_px: int
    """Side of the square images it was trained on, in pixels."""
    weights_sha256: str
    """The sha256 of `weights.safetensors`."""
    initial_weights: str = "none"
    """Where the first weights came from, with the sha256 of a file."""


@dataclass(frozen=True)
class Trained:
    """A model that was read back: the network in evaluation mode, and its description."""

    classifier: Network
    description: Description


def write(
    folder: Path, state: dict[str, Tensor], *, settings: ModelConfig, findings: tuple[str, ...],
    size_px: int, initial_weights: str = "none",
) -> None:  # fmt: skip
    """Write both files into `folder`, atomically each; the same weights give the same bytes."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    content = save(tensors, metadata=metadata(findings))
    with artifacts.atomic_file(folder / WEIGHTS) as temporary:
        temporary.write_bytes(content)
    description = Description(
        settings=settings,
        findings=findings,
        size_px=size_px,
        weights_sha256=artifacts.sha256_bytes(content),
        initial_weights=initial_weights,
    )
    artifacts.write_json(folder / MODEL, description.model_dump(mode="json"))


def load(folder: Path) -> Trained:
    """Read a trained model; files that are missing or do not fit each other are a `BadInput`."""
    path = folder / MODEL
    description = config.parse(artifacts.read_json(path), Description, str(path))
    classifier = ensemble.build(description.settings, findings=len(description.findings))
    load_whole(classifier, read(folder / WEIGHTS), str(folder / WEIGHTS))
    check_findings(folder / WEIGHTS, description.findings)
    return Trained(classifier.eval(), description)
