"""Where a network's first weights come from: ImageNet, a file, or chance.

`imagenet` takes torchvision's published weights from its cache, or downloads them once. A
`.safetensors` file may hold the backbone under torchvision's names, with three input channels or
one, or a whole Thorax model of the same settings (to go on from a champion), which names its
findings.
"""

import pickle
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import get_weight

from thorax import artifacts
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.model import registry
from thorax.model.classifier import Classifier, ModelConfig
from thorax.progress import say

_IN_BACKBONE = "backbone."
_FINDINGS = "findings"  # in the metadata of a whole model's file
# No network, or a file that broke off: a pickle then fails in any of these ways.
_NO_WEIGHTS = (
    URLError, OSError, RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError,
)  # fmt: skip


def initialise(classifier: Classifier, settings: ModelConfig, *, weights: str) -> None:
    """Load first weights into `classifier`.

    Args:
        classifier: changed in place.
        settings: what it was built from.
        weights: `none`, `imagenet`, or the path of a `.safetensors` file from the root.

    Raises:
        BadInput: no such weights, not reachable, or of another network.
    """
    if weights == "none":
        return
    if weights == "imagenet":
        _load_backbone(classifier, settings, _imagenet(settings.backbone), "the ImageNet weights")
        return
    path = artifacts.root() / weights
    state = read(path)
    if any(key.startswith(_IN_BACKBONE) for key in state):
        check_findings(path, FINDINGS)
        load_whole(classifier, state, str(path))
    else:
        _load_backbone(classifier, settings, state, str(path))


def name(weights: str) -> str:
    """The setting `weights` as it is recorded: a file with the sha256 of its content."""
    if weights in ("none", "imagenet"):
        return weights
    return f"{weights} sha256:{artifacts.sha256_file(artifacts.root() / weights)}"


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; a missing or broken one is a `BadInput` naming it."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise BadInput(
            f"{path} is missing: name an existing .safetensors file, imagenet or none"
        ) from None
    except (SafetensorError, OSError) as error:
        raise BadInput(
            f"{path} is not a whole safetensors file ({error}): put the whole file there, or name "
            "another"
        ) from None


def metadata(findings: tuple[str, ...]) -> dict[str, str]:
    """What a whole model's file says beside its tensors: the findings in the order of outputs."""
    return {_FINDINGS: "|".join(findings)}


def check_findings(path: Path, findings: tuple[str, ...]) -> None:
    """Raise `BadInput` when the file at `path` names other findings, or another order of them."""
    with safe_open(path, "pt") as file:
        named = (file.metadata() or {}).get(_FINDINGS)
    if named is not None and named != "|".join(findings):
        raise BadInput(
            f"{path} was trained for other findings or another order of them ({named}), not for "
            f"{'|'.join(findings)}: name the file of a model for these"
        )


def load_whole(network: nn.Module, state: dict[str, Tensor], where: str) -> None:
    """Load every tensor of `state`; a missing, unknown or misshapen one is a `BadInput`."""
    _check(network.state_dict(), state, where)
    network.load_state_dict(state)


def one_channel(kernels: Tensor) -> Tensor:
    """First-layer kernels [C, 3, k, k] for one grey channel [C, 1, k, k]: their sum, which answers
    a grey image as the three did its three equal copies.
    """
    return kernels.sum(dim=1, keepdim=True) if kernels.shape[1] == 3 else kernels


def _imagenet(backbone: str) -> dict[str, Tensor]:
    entry = registry.find(backbone).imagenet
    if not entry:
        raise BadInput(
            f"there are no ImageNet weights for {backbone}: set training.weights to none"
        )
    weights = get_weight(entry)
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    there = cached.exists()
    if not there:
        say(f"training: downloading the ImageNet weights of {backbone} from {weights.url}")
    try:
        state: dict[str, Tensor] = weights.get_state_dict(
            progress=False, check_hash=True, weights_only=True
        )
    except _NO_WEIGHTS as error:
        trouble = (
            f"in {cached} cannot be read ({_first_line(error)}): put the whole file there"
            if there
            else f"are not in {cached} and cannot be downloaded ({error}): put the file there"
        )
        raise BadInput(
            f"the ImageNet weights of {backbone} {trouble}, or set training.weights to none or a "
            ".safetensors file"
        ) from None
    return state


def _load_backbone(
    classifier: Classifier, settings: ModelConfig, state: dict[str, Tensor], where: str
) -> None:
    """Load what `state` has for the backbone's layers; layers behind the cut are left out."""
    entry = registry.find(settings.backbone)
    wanted = classifier.backbone.state_dict()
    found = {key.removeprefix(entry.prefix): value for key, value in state.items()}
    first = f"{entry.first}.weight"
    if first in found and found[first].ndim == 4:
        found[first] = one_channel(found[first])
    kept = {key: value for key, value in found.items() if key in wanted}
    _check(wanted, kept, f"{where} (for {settings.backbone})")
    classifier.backbone.load_state_dict(kept)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _check(wanted: dict[str, Tensor], found: dict[str, Tensor], where: str) -> None:
    counted = {key for key in wanted if not key.endswith("num_batches_tracked")}
    missing = sorted(counted - found.keys())
    unknown = sorted(found.keys() - wanted.keys())
    if missing or unknown:
        example = f"lacks {missing[0]}" if missing else f"has {unknown[0]}"
        raise BadInput(
            f"{where}: weights of another network ({example}; {len(missing)} tensors missing, "
            f"{len(unknown)} unknown): name the file of the same backbone, stride and findings"
        )
    for key, value in found.items():
        if value.shape != wanted[key].shape:
            raise BadInput(
                f"{where}: weights of another network ({key} is {tuple(value.shape)}, "
                f"not {tuple(wanted[key].shape)}): name the file of the same settings and findings"
            )
