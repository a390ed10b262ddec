"""Several classifiers that answer as one: the mean of their logits and of their heatmaps.

Deep ensembles: Lakshminarayanan et al., NIPS 2017 (arXiv 1612.01474); members differ by their first
weights. Here their logits are averaged, not their probabilities, so that heatmaps still add up to
logits. Every member may also look at the mirror image, whose heatmap is mirrored back.

Beside the members may stand a linear reading of wavelet scattering (`thorax.model.scattering`): its
logits have a stated share in the mean, and the heatmaps stay the members'.

One graph holds all of it, so scoring, boxes and serving see one network. How members are trained is
not said here: that is `thorax.training`.
"""

from typing import cast

import torch
from torch import Tensor, nn

from thorax import artifacts
from thorax.findings import FINDINGS
from thorax.model import weights as first_weights
from thorax.model.classifier import Classifier, ModelConfig
from thorax.model.scattering import Reader

_MEMBERS = "members."


class Ensemble(nn.Module):
    """Classifiers, averaged.

    Args:
        settings: what they are made of, and how many.
        findings: how many outputs (F).
    """

    def __init__(self, settings: ModelConfig, *, findings: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            Classifier(settings, findings=findings) for _ in range(settings.members)
        )
        self.mirrored = settings.mirrored
        self.share = settings.scattering.share
        self.reader = Reader(settings.scattering, findings=findings) if self.share else None

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Score images as `Classifier` does: logits [B, F] and heatmaps [B, F, h, w]."""
        answers = [member(pixels) for member in self.members]
        if self.mirrored:
            answers += [_mirrored(member, pixels) for member in self.members]
        logits = torch.stack([logits for logits, _ in answers]).mean(dim=0)
        heatmaps = torch.stack([heatmaps for _, heatmaps in answers]).mean(dim=0)
        if self.reader is not None:
            logits = (1 - self.share) * logits + self.share * self.reader(pixels)
        return logits, heatmaps


Network = Classifier | Ensemble


def build(settings: ModelConfig, *, findings: int) -> Network:
    """The network of `settings`, with random weights; a plain `Classifier` where one is enough."""
    if settings.members == 1 and not settings.mirrored and not settings.scattering.share:
        return Classifier(settings, findings=findings)
    return Ensemble(settings, findings=findings)


def members_of(network: Network) -> list[Classifier]:
    """What is trained, each by itself: the members of an ensemble, or the network."""
    if isinstance(network, Classifier):
        return [network]
    return [cast(Classifier, member) for member in network.members]


def reader_of(network: Network) -> Reader | None:
    """The linear reading beside the members, where there is one."""
    return network.reader if isinstance(network, Ensemble) else None


def initialise(network: Network, settings: ModelConfig, *, weights: str) -> None:
    """Load first weights, as `weights.initialise`, into every member, or those of an ensemble.

    Raises:
        BadInput: no such weights, not reachable, or of another network.
    """
    if isinstance(network, Ensemble) and weights not in ("none", "imagenet"):
        path = artifacts.root() / weights
        state = first_weights.read(path)
        if any(key.startswith(_MEMBERS) for key in state):
            first_weights.check_findings(path, FINDINGS)
            first_weights.load_whole(network, state, str(path))
            return
    for member in members_of(network):
        first_weights.initialise(member, settings, weights=weights)


def set_normalisation(network: Network, mean_level: float, std_level: float) -> None:
    """Set the grey level that becomes 0 and the spread that becomes 1 in every member."""
    for member in members_of(network):
        member.set_normalisation(mean_level, std_level)


def _mirrored(member: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor]:
    logits, heatmaps = member(pixels.flip(3))
    return logits, heatmaps.flip(3)
