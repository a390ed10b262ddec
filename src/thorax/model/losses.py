"""The losses: cross entropy (CEL), the paper's weighted one (W-CEL), focal, and asymmetric.

Every loss is a sum over the entries [B, F] of what an entry counts times what it costs; an entry
whose label is not known counts 0. What entries count rests on the labels alone, so that a batch
which is computed in parts has the very loss of the whole.

W-CEL: Wang et al., CVPR 2017 (arXiv 1705.02315), section 3.1, equation 1:
L = beta_P sum_{y=1} -ln f(x) + beta_N sum_{y=0} -ln(1 - f(x)), with beta_P = (|P|+|N|)/|P| and
beta_N = (|P|+|N|)/|N|, where |P| and |N| count the ones and zeros of all labels in the batch.
Focal: Lin et al., ICCV 2017 (arXiv 1708.02002), equation 5. Asymmetric: Ridnik et al., ICCV 2021
(arXiv 2009.14119), equations 4 to 7.

Changed: every sum is divided by the number of known entries (so that the learning rate does not
depend on batch size and number of findings), and in W-CEL a batch without ones or without zeros
keeps only the term that it has.
"""

from typing import Annotated, Literal

import torch
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.nn import functional

from thorax.config import Config
from thorax.findings import FINDINGS

Loss = Literal["w-cel", "cel", "focal", "asymmetric"]


def _smooth(gamma: float) -> float:
    if 0 < gamma < 1:
        raise ValueError("0 or at least 1: between, the slope has no bound where the cost is 0")
    return gamma


def _known_findings(weights: dict[str, float]) -> dict[str, float]:
    unknown = sorted(weights.keys() - set(FINDINGS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no finding; they are {', '.join(FINDINGS)}")
    return weights


Focus = Annotated[float, Field(ge=0), AfterValidator(_smooth)]
FindingWeights = Annotated[
    dict[str, Annotated[float, Field(gt=0)]], AfterValidator(_known_findings)
]


class LossConfig(Config):
    """The numbers of the losses; each loss reads its own."""

    finding_weights: FindingWeights = Field(default_factory=dict)
    """How much the entries of a finding count in every loss; 1 for a finding that is not named."""
    focal_gamma: Focus = 2.0
    """focal: how fast the cost of an entry falls that is already right (gamma)."""
    focal_alpha: float = Field(default=0.25, gt=0, lt=1)
    """focal: what a one counts; a zero counts 1 - alpha."""
    asymmetric_gamma_positive: Focus = 0.0
    """asymmetric: gamma of the ones."""
    asymmetric_gamma_negative: Focus = 4.0
    """asymmetric: gamma of the zeros."""
    asymmetric_margin: float = Field(default=0.05, ge=0, lt=1)
    """asymmetric: a zero whose probability is at most this costs nothing (m)."""


class Objective:
    """One loss for a list of findings.

    Args:
        kind: which.
        options: its numbers.
        findings: the findings in the order of the columns.
    """

    def __init__(
        self, kind: Loss, options: LossConfig | None = None, *,
        findings: tuple[str, ...] = FINDINGS,
    ) -> None:  # fmt: skip
        self.kind = kind
        self.options = options or LossConfig()
        self._finding_weights = [self.options.finding_weights.get(name, 1.0) for name in findings]

    def __call__(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """The loss of a whole batch, a scalar.

        Args:
            logits: [B, F] float.
            targets: [B, F], 0 or 1.
            known: [B, F] bool; entries that are False do not count.
        """
        return self.part(logits, targets, self.counts(targets, known))

    def counts(self, targets: Tensor, known: Tensor) -> Tensor:
        """What every entry of a batch counts: [B, F] float32, 0 where not known."""
        positive = (known & (targets > 0)).float()
        negative = (known & (targets <= 0)).float()
        entries = positive.sum() + negative.sum()
        if self.kind == "w-cel":
            positive = positive * (entries / positive.sum().clamp(min=1))
            negative = negative * (entries / negative.sum().clamp(min=1))
        if self.kind == "focal":
            positive = positive * self.options.focal_alpha
            negative = negative * (1 - self.options.focal_alpha)
        weights = torch.tensor(self._finding_weights, device=targets.device)
        return (positive + negative) * weights / entries.clamp(min=1)

    def part(self, logits: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
        """The share of some rows in the loss of their batch, a scalar.

        Args:
            logits: [b, F] float, some rows of the batch.
            targets: [b, F], their targets.
            counts: [b, F], their rows of the whole batch's `counts`.
        """
        return (counts * self._costs(logits.float(), targets > 0)).sum()

    def _costs(self, logits: Tensor, ones: Tensor) -> Tensor:
        if self.kind == "focal":
            return focal(logits, ones, gamma=self.options.focal_gamma)
        if self.kind == "asymmetric":
            return asymmetric(
                logits,
                ones,
                gamma_positive=self.options.asymmetric_gamma_positive,
                gamma_negative=self.options.asymmetric_gamma_negative,
                margin=self.options.asymmetric_margin,
            )
        return cross_entropy(logits, ones)


def cross_entropy(logits: Tensor, ones: Tensor) -> Tensor:
    """-ln p of a one and -ln(1 - p) of a zero, [B, F] each; p = sigmoid(logit)."""
    return functional.softplus(torch.where(ones, -logits, logits))


def focal(logits: Tensor, ones: Tensor, *, gamma: float) -> Tensor:
    """Cross entropy times (1 - q)^gamma, where q is the probability of the right answer; [B, F]."""
    wrong = torch.where(ones, -logits, logits).sigmoid()  # 1 - q
    return wrong.pow(gamma) * cross_entropy(logits, ones)


def asymmetric(
    logits: Tensor, ones: Tensor, *, gamma_positive: float, gamma_negative: float, margin: float
) -> Tensor:
    """-(1 - p)^gamma_positive ln p of a one, -m^gamma_negative ln(1 - m) of a zero; [B, F].

    m = max(p - margin, 0) is the zero's shifted probability.
    """
    of_one = (-logits).sigmoid().pow(gamma_positive) * functional.softplus(-logits)
    shifted = (logits.sigmoid() - margin).clamp(min=0)
    remains = -functional.softplus(logits)  # ln(1 - p), finite where 1 - p underflows
    if margin > 0:
        remains = torch.logaddexp(remains, logits.new_tensor(margin).log()).clamp(max=0)
    of_zero = shifted.pow(gamma_negative) * -remains
    return torch.where(ones, of_one, of_zero)
