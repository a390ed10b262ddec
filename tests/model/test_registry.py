"""What the table of backbones says is so: strides, the ways to them, and smallest images."""

import pytest
import torch
from torch import nn
from torchvision import models

from thorax.errors import BadInput
from thorax.model import registry, strides
from thorax.model.registry import BACKBONES

REACHES = [
    (name, stride_px, way)
    for name, backbone in BACKBONES.items()
    for stride_px, ways in backbone.reach.items()
    for way in ways
]

POOLED = ("alexnet", "googlenet", "vgg16", "densenet121")


def built(name: str, stride_px: int, way: str) -> tuple[nn.Sequential, int]:
    torch.manual_seed(0)
    layers, channels = registry.build(name, stride_px=stride_px, stride_by=way)  # type: ignore[arg-type]
    return layers.eval(), channels


def cells(layers: nn.Sequential, size_px: int) -> int:
    """Side of the map for images of `size_px`; 0 where the network cannot take them."""
    try:
        return int(layers(torch.zeros(1, 1, size_px, size_px)).shape[2])
    except RuntimeError:
        return 0


@pytest.mark.parametrize(("name", "stride_px", "way"), REACHES)
def test_the_stated_stride_channels_and_smallest_image_are_the_measured_ones(
    name: str, stride_px: int, way: str
) -> None:
    with torch.device("meta"):  # shapes without arithmetic
        layers, channels = built(name, stride_px, way)
        enlarged = 32 // stride_px if way == "upsample" else 1
        _, smallest_px = registry.way_of(name, stride_px=stride_px, stride_by=way)  # type: ignore[arg-type]
        assert layers(torch.zeros(1, 1, 1024, 1024)).shape[1] == channels
        assert 1024 // stride_px - enlarged <= cells(layers, 1024) <= 1024 // stride_px
        needed = 3 if way == "dilate" and name in POOLED else 2
        assert cells(layers, smallest_px) >= needed * enlarged
        whole_cells = (smallest_px - 1) // (stride_px * enlarged)
        assert cells(layers, smallest_px - 1) < needed * enlarged or whole_cells < needed


@pytest.mark.parametrize(
    ("name", "stride_px"), [(name, px) for name, px, way in REACHES if way == "dilate"]
)
def test_a_dilated_map_has_cells_that_differ_from_the_smallest_image_on(
    name: str, stride_px: int
) -> None:
    layers, _ = built(name, stride_px, "dilate")
    _, smallest_px = registry.way_of(name, stride_px=stride_px, stride_by="dilate")
    noise = torch.Generator().manual_seed(1)

    def spread(size_px: int) -> float:
        with torch.no_grad():
            found = layers.train()(torch.randn(4, 1, size_px, size_px, generator=noise))
        return float(found.std(dim=(2, 3)).mean())

    assert spread(smallest_px) > 0.001
    if name in POOLED:
        assert spread(smallest_px - stride_px) == 0


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_reaches_every_stride_and_has_one_input_channel(name: str) -> None:
    assert set(BACKBONES[name].reach) == set(BACKBONES[name].cuts) == {8, 16, 32}
    with torch.device("meta"):
        layers, _ = registry.build(name, stride_px=32)
    first = next(module for module in layers.modules() if isinstance(module, nn.Conv2d))
    assert first.in_channels == 1
    assert registry.find(name).reach[32] == {"truncate": registry.way_of(name, stride_px=32)[1]}


def test_residual_networks_and_the_densenet_are_truncated_unless_told_otherwise() -> None:
    for name in ("resnet10", "resnet18", "resnet34", "resnet50", "densenet121"):
        assert registry.way_of(name, stride_px=8) == ("truncate", 16)


@pytest.mark.parametrize("stride_px", [8, 16])
def test_a_dilated_network_repeats_its_own_map_at_the_cells_that_both_have(stride_px: int) -> None:
    own, _ = built("resnet10", 32, "truncate")
    dilated, _ = built("resnet10", stride_px, "dilate")
    dilated.load_state_dict(own.state_dict())
    pixels = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    step = 32 // stride_px
    with torch.inference_mode():
        shared = dilated(pixels)[..., ::step, ::step]
        torch.testing.assert_close(shared, own(pixels), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("stride_px", "dilated"), [(8, [False, True, True]), (16, [False, False, True])]
)
def test_a_dilated_resnet50_is_torchvisions(stride_px: int, dilated: list[bool]) -> None:
    with torch.device("meta"):
        ours, _ = built("resnet50", stride_px, "dilate")
        theirs = models.resnet50(replace_stride_with_dilation=dilated)
    convolutions = {
        name: (module.stride, module.padding, module.dilation)
        for name, module in theirs.named_modules()
        if isinstance(module, nn.Conv2d)
    }
    for name, expected in convolutions.items():
        found = ours.get_submodule(name)
        if found.kernel_size == (1, 1):  # holes mean nothing to a single cell
            assert found.stride == expected[0], name
        else:
            assert (found.stride, found.padding, found.dilation) == expected, name


def test_a_pooling_that_no_longer_halves_takes_each_cells_neighbourhood() -> None:
    layers = nn.Sequential(nn.Identity(), nn.MaxPool2d(2), nn.AvgPool2d(2))
    strides.dilate(layers, behind="0")
    peak = torch.zeros(1, 1, 5, 5)
    peak[0, 0, 2, 2] = 9
    spread = layers[1](peak)
    assert torch.equal(spread[0, 0, 1:4, 1:4], torch.full((3, 3), 9.0))
    assert spread.sum() == 81
    # at the corner only the four cells inside count
    assert layers[2](torch.ones(1, 1, 5, 5)).eq(1).all()


def test_what_follows_two_halvings_is_dilated_four_times() -> None:
    layers = nn.Sequential(
        nn.Identity(), nn.Conv2d(1, 1, 3, stride=2), nn.MaxPool2d(2), nn.Conv2d(1, 1, 5)
    )
    strides.dilate(layers, behind="0")
    assert layers[1].dilation == (1, 1)
    assert (layers[3].dilation, layers[3].padding) == ((4, 4), (8, 8))


def test_an_upsampled_map_is_its_own_enlarged_between_its_cells() -> None:
    own, _ = built("resnet10", 32, "truncate")
    enlarged, _ = built("resnet10", 16, "upsample")
    assert enlarged.state_dict().keys() == own.state_dict().keys()
    enlarged.load_state_dict(own.state_dict())
    pixels = torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        coarse, fine = own(pixels), enlarged(pixels)
    assert fine.shape[2:] == (6, 6)
    # align_corners=False: a fine cell lies a quarter of the way to the next coarse one
    upper = 0.25 * coarse[..., 1, 0] + 0.75 * coarse[..., 1, 1]
    lower = 0.25 * coarse[..., 2, 0] + 0.75 * coarse[..., 2, 1]
    torch.testing.assert_close(fine[..., 3, 2], 0.75 * upper + 0.25 * lower)


@pytest.mark.parametrize(
    ("stride_px", "stride_by"), [(16, "dilate"), (32, "upsample"), (4, "auto")]
)
def test_what_a_network_cannot_is_refused_with_what_it_can(stride_px: int, stride_by: str) -> None:
    with pytest.raises(BadInput, match="convnext_tiny cannot reach") as refused:
        registry.build("convnext_tiny", stride_px=stride_px, stride_by=stride_by)  # type: ignore[arg-type]
    assert f"stride_px {stride_px} with stride_by {stride_by}" in str(refused.value)
    assert "16 by truncate or upsample" in str(refused.value)
