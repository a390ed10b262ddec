"""The losses: cross entropy (CEL), and the paper's weighted cross entropy (W-CEL).

Wang et al., CVPR 2017 (arXiv 1705.02315), section 3.1, equation 1:
L = beta_P sum_{y=1} -ln f(x) + beta_N sum_{y=0} -ln(1 - f(x)), with beta_P = (|P|+|N|)/|P| and
beta_N = (|P|+|N|)/|N|, where |P| and |N| count the ones and zeros of all labels in the batch.

Changed: entries whose label is not known are left out, the sum is divided by |P|+|N| (so that the
learning rate does not depend on batch size and number of findings), and a batch without ones or
without zeros keeps only the term that it has.
"""

from collections.abc import Callable
from typing import Final, Literal

from torch import Tensor
from torch.nn import functional

Loss = Literal["w-cel", "cel"]


def weighted_cross_entropy(logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """The paper's W-CEL divided by the number of known entries; a scalar.

    Args:
        logits: [B, F] float.
        targets: [B, F], 0 or 1.
        known: [B, F] bool; entries that are False do not count.
    """
    positive = (known & (targets > 0)).float()
    negative = (known & (targets <= 0)).float()
    entries = positive.sum() + negative.sum()
    beta_positive = entries / positive.sum().clamp(min=1)
    beta_negative = entries / negative.sum().clamp(min=1)
    per_entry = (
        beta_positive * positive * functional.softplus(-logits)  # -ln sigmoid(logit)
        + beta_negative * negative * functional.softplus(logits)  # -ln(1 - sigmoid(logit))
    )
    return per_entry.sum() / entries.clamp(min=1)


def cross_entropy(logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """Mean cross entropy over the known entries; arguments as `weighted_cross_entropy`."""
    per_entry = functional.binary_cross_entropy_with_logits(
        logits, targets.float(), reduction="none"
    )
    weights = known.float()
    return (per_entry * weights).sum() / weights.sum().clamp(min=1)


LOSSES: Final[dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "w-cel": weighted_cross_entropy,
    "cel": cross_entropy,
}
