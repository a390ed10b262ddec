"""Pooling against its definition, its limits, and numbers that would overflow."""

import math

import pytest
import torch

from thorax.model.pooling import GlobalPooling, average, log_sum_exp, maximum


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.randn(3, 5, 4, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("r", [0.1, 0.5, 1, 5, 8, 10, 12])
def test_lse_is_the_papers_formula(maps: torch.Tensor, r: float) -> None:
    exact = maps.double().mul(r).exp().mean(dim=(2, 3)).log().div(r)
    torch.testing.assert_close(log_sum_exp(maps, r=r).double(), exact, atol=1e-5, rtol=1e-5)


def test_lse_lies_between_average_and_maximum_and_reaches_both(maps: torch.Tensor) -> None:
    between = log_sum_exp(maps, r=10)
    assert (between > average(maps)).all()
    assert (between < maximum(maps)).all()
    torch.testing.assert_close(log_sum_exp(maps, r=1e-3), average(maps), atol=1e-2, rtol=0)
    torch.testing.assert_close(log_sum_exp(maps, r=1e4), maximum(maps), atol=1e-2, rtol=0)


@pytest.mark.parametrize("level", [-1e4, 1e4])
def test_lse_of_far_levels_is_finite_and_so_is_its_gradient(level: float) -> None:
    maps = torch.full((1, 1, 2, 2), level, requires_grad=True)
    pooled = log_sum_exp(maps, r=10)
    pooled.sum().backward()
    assert pooled.item() == pytest.approx(level)
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad, torch.full((1, 1, 2, 2), 0.25))


def test_shifting_the_maps_shifts_the_lse(maps: torch.Tensor) -> None:
    torch.testing.assert_close(log_sum_exp(maps + 3, r=5), log_sum_exp(maps, r=5) + 3)


def test_a_single_cell_is_its_own_pooling() -> None:
    cell = torch.tensor([[[[math.pi]]]])
    for kind in ("average", "max", "lse"):
        assert GlobalPooling(kind, r=10)(cell).item() == pytest.approx(math.pi)


def test_low_precision_maps_are_pooled_in_float32(maps: torch.Tensor) -> None:
    for kind in ("average", "max", "lse"):
        assert GlobalPooling(kind, r=10)(maps.bfloat16()).dtype == torch.float32
