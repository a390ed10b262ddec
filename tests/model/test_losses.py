"""The losses against the paper's equation, and at the edges where it divides by zero."""

import pytest
import torch

from thorax.model.losses import LOSSES, cross_entropy, weighted_cross_entropy


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


@pytest.mark.parametrize("ones", [0.0, 0.2, 1.0])
def test_weighted_cross_entropy_is_the_papers_over_the_number_of_entries(ones: float) -> None:
    logits, targets, known = batch(ones)
    known[1:3, 4:9] = False
    expected = papers_loss(logits, targets, known) / int(known.sum())
    assert weighted_cross_entropy(logits, targets, known).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_ones_and_zeros_weigh_the_same_however_few_ones_there_are() -> None:
    targets = torch.zeros(10, 1, dtype=torch.int8)
    targets[0] = 1
    logits = torch.zeros(10, 1, requires_grad=True)
    weighted_cross_entropy(logits, targets, torch.ones(10, 1, dtype=torch.bool)).backward()
    assert logits.grad is not None
    assert -logits.grad[0].item() == pytest.approx(logits.grad[1:].sum().item())


def test_cross_entropy_is_torchs_over_the_known_entries() -> None:
    logits, targets, known = batch()
    known[0] = False
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits[1:], targets[1:].float())
    torch.testing.assert_close(cross_entropy(logits, targets, known), expected)


@pytest.mark.parametrize("name", LOSSES)
def test_unknown_entries_change_neither_loss_nor_gradient(name: str) -> None:
    logits, targets, known = batch()
    known[2, 3] = False
    other = targets.clone()
    other[2, 3] = 1 - other[2, 3]
    logits.requires_grad_()
    loss = LOSSES[name](logits, targets, known)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[2, 3] == 0
    assert LOSSES[name](logits, other, known) == loss


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_of_which_nothing_is_known_costs_nothing(name: str) -> None:
    logits, targets, known = batch()
    assert LOSSES[name](logits, targets, torch.zeros_like(known)).item() == 0


@pytest.mark.parametrize("name", LOSSES)
def test_extreme_logits_give_a_finite_loss(name: str) -> None:
    _, targets, known = batch()
    logits = torch.full((6, 14), 1e4)
    assert torch.isfinite(LOSSES[name](logits, targets, known))
