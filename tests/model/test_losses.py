"""The losses against the papers' equations, by hand and in loops, and where they divide by zero."""

from math import log
from typing import get_args

import pytest
import torch

from thorax import config
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.model.losses import Loss, LossConfig, Objective

KINDS = get_args(Loss)
ALL_KNOWN = ((True, True), (True, True))


def batch(ones: float = 0.2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(3)
    logits = torch.randn(6, 14, generator=chance)
    targets = (torch.rand(6, 14, generator=chance) < ones).to(torch.int8)
    return logits, targets, torch.ones(6, 14, dtype=torch.bool)


def papers_loss(logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor) -> float:
    """Equation 1, read literally, in double precision and plain loops."""
    ones = [p for p, t, k in zip(*flat(logits, targets, known), strict=True) if k and t == 1]
    zeros = [p for p, t, k in zip(*flat(logits, targets, known), strict=True) if k and t == 0]
    entries = len(ones) + len(zeros)
    total = 0.0
    if ones:
        total += entries / len(ones) * sum(-torch.log(p) for p in ones)
    if zeros:
        total += entries / len(zeros) * sum(-torch.log(1 - p) for p in zeros)
    return float(total)


def flat(logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor) -> tuple:
    return logits.double().sigmoid().ravel(), targets.ravel(), known.ravel()


# Two images, two findings. Probabilities 3/4 and 1/2 in the first row, 1/4 and 3/4 in the second;
# the targets are 1 0 / 0 0, so the answers are right by 3/4, 1/2, 3/4 and 1/4.
BY_HAND = [
    # -ln of those four, and their mean
    ("cel", {}, ALL_KNOWN, (log(4 / 3) + log(2) + log(4 / 3) + log(4)) / 4),
    # |P| = 1, |N| = 3: beta_P = 4, beta_N = 4/3
    ("w-cel", {}, ALL_KNOWN, (4 * log(4 / 3) + 4 / 3 * (log(2) + log(4 / 3) + log(4))) / 4),
    # the last entry is not known: |P| = 1, |N| = 2
    (
        "w-cel", {}, ((True, True), (True, False)),
        (3 * log(4 / 3) + 3 / 2 * (log(2) + log(4 / 3))) / 3,
    ),
    # the only one is not known: |P| = 0, so beta_N = 1 and no division by zero
    ("w-cel", {}, ((False, True), (True, True)), (log(2) + log(4 / 3) + log(4)) / 3),
    # (1/4)^2, (1/2)^2, (1/4)^2, (3/4)^2; a one counts 1/4, a zero 3/4
    (
        "focal", {}, ALL_KNOWN,
        (1 / 64 * log(4 / 3) + 3 / 16 * log(2) + 3 / 64 * log(4 / 3) + 27 / 64 * log(4)) / 4,
    ),
    ("focal", {"focal_gamma": 0, "focal_alpha": 0.5}, ALL_KNOWN,
     (log(4 / 3) + log(2) + log(4 / 3) + log(4)) / 8),
    # zeros shifted by 1/4 to 1/4, 0 and 1/2; gamma 2: 1/16, 0, 1/4
    (
        "asymmetric", {"asymmetric_gamma_negative": 2, "asymmetric_margin": 0.25}, ALL_KNOWN,
        (log(4 / 3) + 1 / 16 * log(4 / 3) + 1 / 4 * log(2)) / 4,
    ),
    # without margin it is the focal loss with a gamma for each side: 1/4; 1/4, 1/16, 9/16
    (
        "asymmetric",
        {"asymmetric_gamma_positive": 1, "asymmetric_gamma_negative": 2, "asymmetric_margin": 0},
        ALL_KNOWN,
        (1 / 4 * log(4 / 3) + 1 / 4 * log(2) + 1 / 16 * log(4 / 3) + 9 / 16 * log(4)) / 4,
    ),
    # the first finding counts three times, in either loss of the paper
    ("cel", {"finding_weights": {"Mass": 3}}, ALL_KNOWN,
     (3 * log(4 / 3) + log(2) + 3 * log(4 / 3) + log(4)) / 4),
    ("w-cel", {"finding_weights": {"Mass": 3}}, ALL_KNOWN,
     (3 * 4 * log(4 / 3) + 4 / 3 * (log(2) + 3 * log(4 / 3) + log(4))) / 4),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "known", "expected"), BY_HAND)
def test_losses_that_can_be_computed_by_hand(
    kind: Loss, options: dict, known: tuple, expected: float
) -> None:
    logits = torch.tensor([[log(3), 0.0], [-log(3), log(3)]])
    targets = torch.tensor([[1, 0], [0, 0]], dtype=torch.int8)
    objective = Objective(kind, LossConfig(**options), findings=("Mass", "Edema"))
    loss = objective(logits, targets, torch.tensor(known))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ones", [0.0, 0.2, 1.0])
def test_weighted_cross_entropy_is_the_papers_over_the_number_of_entries(ones: float) -> None:
    logits, targets, known = batch(ones)
    known[1:3, 4:9] = False
    expected = papers_loss(logits, targets, known) / int(known.sum())
    assert Objective("w-cel")(logits, targets, known).item() == pytest.approx(expected, rel=1e-5)


def test_ones_and_zeros_weigh_the_same_however_few_ones_there_are() -> None:
    targets = torch.zeros(10, 14, dtype=torch.int8)
    targets[0] = 1
    logits = torch.zeros(10, 14, requires_grad=True)
    Objective("w-cel")(logits, targets, torch.ones(10, 14, dtype=torch.bool)).backward()
    assert logits.grad is not None
    assert -logits.grad[0].sum().item() == pytest.approx(logits.grad[1:].sum().item())


def test_cross_entropy_is_torchs_over_the_known_entries() -> None:
    logits, targets, known = batch()
    known[0] = False
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits[1:], targets[1:].float())
    torch.testing.assert_close(Objective("cel")(logits, targets, known), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_a_batch_add_up_to_its_loss_and_gradient(kind: Loss) -> None:
    logits, targets, known = batch()
    known[3, 2:6] = False
    objective, logits = Objective(kind), logits.requires_grad_()
    whole = objective(logits, targets, known)
    (slope,) = torch.autograd.grad(whole, logits)
    counts = objective.counts(targets, known)
    rows = [slice(0, 4), slice(4, 6)]  # the ones are not evenly spread over them
    parts = [objective.part(logits[each], targets[each], counts[each]) for each in rows]
    torch.testing.assert_close(sum(parts), whole)
    torch.testing.assert_close(torch.autograd.grad(sum(parts), logits)[0], slope)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_entries_change_neither_loss_nor_gradient(kind: Loss) -> None:
    logits, targets, known = batch()
    known[2, 3] = False
    other = targets.clone()
    other[2, 3] = 1 - other[2, 3]
    logits.requires_grad_()
    loss = Objective(kind)(logits, targets, known)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[2, 3] == 0
    assert logits.grad.count_nonzero() > 40
    assert Objective(kind)(logits, other, known) == loss


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_which_nothing_is_known_costs_nothing(kind: Loss) -> None:
    logits, targets, known = batch()
    assert Objective(kind)(logits, targets, torch.zeros_like(known)).item() == 0


@pytest.mark.parametrize("margin", [0.0, 0.05])
@pytest.mark.parametrize("level", [-1e4, -90.0, 90.0, 1e4])
@pytest.mark.parametrize("kind", KINDS)
def test_extreme_logits_give_a_finite_loss_and_gradient(
    kind: Loss, level: float, margin: float
) -> None:
    _, targets, known = batch()
    logits = torch.full((6, 14), level, requires_grad=True)
    loss = Objective(kind, LossConfig(asymmetric_margin=margin))(logits, targets, known)
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_better_answer_never_costs_more(kind: Loss) -> None:
    _, targets, known = batch()
    towards = torch.where(targets > 0, 1.0, -1.0)
    losses = [Objective(kind)(towards * right, targets, known).item() for right in range(-4, 5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 10


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"finding_weights": {"Massive": 2}}, "'Massive' is no finding"),
        ({"finding_weights": {FINDINGS[0]: 0}}, "greater than 0"),
        ({"focal_gamma": 0.5}, "0 or at least 1"),
        ({"asymmetric_gamma_negative": -1}, "greater than or equal to 0"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(values: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        config.parse(values, LossConfig, "params.yaml: training.loss_options")
