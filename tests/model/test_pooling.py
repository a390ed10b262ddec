"""Pooling against its closed form and its limits, for any numbers that a network can give."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from thorax.model.pooling import GlobalPooling, Pooling, average, log_sum_exp, maximum

KINDS: tuple[Pooling, ...] = ("average", "max", "lse", "lse-lba")
CELLS = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=7),
    elements=st.floats(-100, 100, width=32),
)  # fmt: skip
SHARPNESS = st.floats(0.05, 50)


def as_maps(cells: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(cells)[None, None]


def closed_form(cells: np.ndarray, r: float) -> float:
    """The paper's formula in double precision, whose x* only keeps exp from overflowing."""
    wide = cells.astype(np.float64)
    top = wide.max()
    return float(top + np.log(np.mean(np.exp(r * (wide - top)))) / r)


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.randn(3, 5, 4, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("r", [0.1, 0.5, 1, 5, 8, 10, 12])
def test_lse_is_the_papers_formula_as_written(maps: torch.Tensor, r: float) -> None:
    exact = maps.double().mul(r).exp().mean(dim=(2, 3)).log().div(r)
    torch.testing.assert_close(log_sum_exp(maps, r=r).double(), exact, atol=1e-5, rtol=1e-5)


@given(CELLS, SHARPNESS)
def test_lse_is_its_closed_form(cells: np.ndarray, r: float) -> None:
    found = log_sum_exp(as_maps(cells), r=r).item()
    assert found == pytest.approx(closed_form(cells, r), abs=2e-5 + 1e-6 / r, rel=1e-5)


@given(CELLS, SHARPNESS)
def test_lse_lies_so_near_to_average_and_maximum_that_r_leads_to_either(
    cells: np.ndarray, r: float
) -> None:
    """Hoeffding's lemma above the average; the largest of n cells alone below the maximum."""
    found = log_sum_exp(as_maps(cells), r=r).item()
    wide = cells.astype(np.float64)
    slack = 1e-4 + 1e-6 / r
    width = float(np.ptp(wide))
    assert wide.mean() - slack <= found <= wide.mean() + r * width**2 / 8 + slack
    assert wide.max() - math.log(wide.size) / r - slack <= found <= wide.max() + slack


@given(CELLS, SHARPNESS)
def test_the_slope_of_lse_is_the_softmax_of_the_cells(cells: np.ndarray, r: float) -> None:
    maps = as_maps(cells).requires_grad_()
    log_sum_exp(maps, r=r).sum().backward()
    assert maps.grad is not None
    powers = np.exp(r * (cells.astype(np.float64) - cells.max()))
    np.testing.assert_allclose(maps.grad[0, 0].numpy(), powers / powers.sum(), atol=1e-4)


@given(CELLS, st.floats(0.1, 20), st.floats(0, 5))
def test_a_learned_r_pools_as_a_fixed_one_and_its_slope_is_the_closed_forms(
    cells: np.ndarray, above: float, r_low: float
) -> None:
    r = r_low + above
    layer = GlobalPooling("lse-lba", r=r, r_low=r_low)
    pooled = layer(as_maps(cells))
    assert pooled.item() == pytest.approx(closed_form(cells, r), abs=1e-3, rel=1e-4)
    pooled.sum().backward()
    step = 1e-4 * r
    slope = (closed_form(cells, r + step) - closed_form(cells, r - step)) / (2 * step)
    assert layer.beta.grad is not None
    assert layer.beta.grad.item() == pytest.approx(slope * above, abs=1e-2, rel=1e-2)


@given(st.floats(-50, 5))
def test_a_learned_r_never_leaves_its_bound(beta: float) -> None:
    layer = GlobalPooling("lse-lba", r=5.0, r_low=2.0)
    with torch.no_grad():
        layer.beta.fill_(beta)
    assert torch.as_tensor(layer.r).item() >= 2.0


def test_small_and_large_r_reach_average_and_maximum(maps: torch.Tensor) -> None:
    torch.testing.assert_close(log_sum_exp(maps, r=1e-3), average(maps), atol=2e-3, rtol=0)
    torch.testing.assert_close(log_sum_exp(maps, r=1e4), maximum(maps), atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", ["lse", "lse-lba"])
@pytest.mark.parametrize("level", [-1e4, 1e4])
def test_lse_of_far_levels_is_finite_and_so_is_its_gradient(level: float, kind: Pooling) -> None:
    maps = torch.full((1, 1, 2, 2), level, requires_grad=True)
    pooled = GlobalPooling(kind, r=10)(maps)
    pooled.sum().backward()
    assert pooled.item() == pytest.approx(level)
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad, torch.full((1, 1, 2, 2), 0.25))


def test_shifting_the_maps_shifts_the_lse(maps: torch.Tensor) -> None:
    torch.testing.assert_close(log_sum_exp(maps + 3, r=5), log_sum_exp(maps, r=5) + 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_cell_is_its_own_pooling(kind: Pooling) -> None:
    cell = torch.tensor([[[[math.pi]]]])
    assert GlobalPooling(kind, r=10)(cell).item() == pytest.approx(math.pi)


@pytest.mark.parametrize("kind", KINDS)
def test_low_precision_maps_are_pooled_in_float32_also_under_autocast(
    maps: torch.Tensor, kind: Pooling
) -> None:
    low, layer = maps.bfloat16(), GlobalPooling(kind, r=10)
    expected = layer(low.float())
    with torch.autocast("cpu", torch.bfloat16):
        pooled = layer(low)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, expected)
