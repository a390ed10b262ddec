"""The backbones by name: torchvision networks, and how each reaches a wished stride.

A table of named builders that differ in numbers. The paper (Wang et al., CVPR 2017, section 3)
drops the classification layers of ImageNet networks and goes on from their last feature map; here
the map may also be finer (`strides`). Parameter names stay torchvision's, so its ImageNet files
fit. Loads no weights: that is `weights`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, ResNet

from thorax.errors import BadInput
from thorax.model import strides
from thorax.model.strides import Way

StrideBy = Literal["auto", "truncate", "dilate", "upsample"]
Reach = dict[int, dict[Way, int]]

_OWN_STRIDE_PX: Final = 32  # of every network here, as torchvision builds it

# Stride in pixels -> way -> side in pixels of the smallest image that gives 2 x 2 whole cells
# (before they are enlarged, where they are). `auto` takes the first way.
_TRUNCATE_FIRST: Final[Reach] = {
    8: {"truncate": 16, "dilate": 16, "upsample": 64},
    16: {"truncate": 32, "dilate": 32, "upsample": 64},
    32: {"truncate": 64},
}
# Networks whose early stages are thin.
_DILATE_FIRST: Final[Reach] = {
    8: {"dilate": 16, "upsample": 64, "truncate": 16},
    16: {"dilate": 32, "upsample": 64, "truncate": 32},
    32: {"truncate": 64},
}
# ConvNeXt halves its map by 2 x 2 convolutions, which have no middle cell to be dilated about.
_NEVER_DILATE: Final[Reach] = {
    8: {"upsample": 64, "truncate": 16},
    16: {"truncate": 32, "upsample": 64},
    32: {"truncate": 64},
}
# Networks that halve their late maps by pooling: one that no longer halves makes 2 x 2 cells alike.
_POOLED: Final[Reach] = {
    8: {"truncate": 16, "dilate": 24, "upsample": 64},
    16: {"truncate": 32, "dilate": 48, "upsample": 64},
    32: {"truncate": 64},
}
# AlexNet pools too, and pads nothing. Two of its five convolutions stand before stride 16.
_ALEXNET: Final[Reach] = {
    8: {"dilate": 31, "upsample": 95, "truncate": 23},
    16: {"truncate": 47, "dilate": 63, "upsample": 95},
    32: {"truncate": 95},
}


@dataclass(frozen=True)
class Backbone:
    """What is to be known of one network.

    Attributes:
        build: makes the whole network, with random weights.
        cuts: stride in pixels -> (last child of that stride, its channels).
        reach: stride in pixels -> the ways to it and their smallest images, the best way first.
        first: the first convolution, whose input becomes one channel.
        trunk: the attribute that holds the feature layers; empty: the network itself.
        imagenet: torchvision's name of the ImageNet weights; empty: there are none.
    """

    build: Callable[[], nn.Module]
    cuts: dict[int, tuple[str, int]]
    reach: Reach
    first: str = "conv1"
    trunk: str = ""
    imagenet: str = ""

    @property
    def prefix(self) -> str:
        """What torchvision's files put before the names of the trunk's parameters."""
        return f"{self.trunk}." if self.trunk else ""


def _resnet(build: Callable[[], nn.Module], expansion: int, imagenet: str = "") -> Backbone:
    cuts = {8: ("layer2", 128), 16: ("layer3", 256), 32: ("layer4", 512)}
    wide = {stride: (layer, channels * expansion) for stride, (layer, channels) in cuts.items()}
    return Backbone(build, wide, _TRUNCATE_FIRST, imagenet=imagenet)


def _resnet10() -> nn.Module:
    network: nn.Module = ResNet(BasicBlock, [1, 1, 1, 1])
    return network


BACKBONES: Final[dict[str, Backbone]] = {
    # ResNet-18's stages with one block each: for small data on a CPU.
    "resnet10": _resnet(_resnet10, 1),
    "resnet18": _resnet(models.resnet18, 1, "ResNet18_Weights.IMAGENET1K_V1"),
    "resnet34": _resnet(models.resnet34, 1, "ResNet34_Weights.IMAGENET1K_V1"),
    "resnet50": _resnet(models.resnet50, 4, "ResNet50_Weights.IMAGENET1K_V1"),
    "alexnet": Backbone(
        models.alexnet,
        {8: ("4", 192), 16: ("11", 256), 32: ("12", 256)},
        _ALEXNET,
        first="0",
        trunk="features",
        imagenet="AlexNet_Weights.IMAGENET1K_V1",
    ),
    # Without the auxiliary classifiers, which torchvision's ImageNet weights do not use either.
    "googlenet": Backbone(
        partial(models.googlenet, aux_logits=False, init_weights=False),
        {8: ("inception3b", 480), 16: ("inception4e", 832), 32: ("inception5b", 1024)},
        _POOLED,
        first="conv1.conv",
        imagenet="GoogLeNet_Weights.IMAGENET1K_V1",
    ),
    "vgg16": Backbone(
        models.vgg16,
        {8: ("22", 512), 16: ("29", 512), 32: ("30", 512)},
        _POOLED,
        first="0",
        trunk="features",
        imagenet="VGG16_Weights.IMAGENET1K_V1",
    ),
    "densenet121": Backbone(
        models.densenet121,
        {8: ("denseblock2", 512), 16: ("denseblock3", 1024), 32: ("norm5", 1024)},
        _POOLED,
        first="conv0",
        trunk="features",
        imagenet="DenseNet121_Weights.IMAGENET1K_V1",
    ),
    "efficientnet_b0": Backbone(
        models.efficientnet_b0,
        {8: ("3", 40), 16: ("5", 112), 32: ("8", 1280)},
        _DILATE_FIRST,
        first="0.0",
        trunk="features",
        imagenet="EfficientNet_B0_Weights.IMAGENET1K_V1",
    ),
    "convnext_tiny": Backbone(
        models.convnext_tiny,
        {8: ("3", 192), 16: ("5", 384), 32: ("7", 768)},
        _NEVER_DILATE,
        first="0.0",
        trunk="features",
        imagenet="ConvNeXt_Tiny_Weights.IMAGENET1K_V1",
    ),
    "mobilenet_v3_large": Backbone(
        models.mobilenet_v3_large,
        {8: ("6", 40), 16: ("12", 112), 32: ("16", 960)},
        _DILATE_FIRST,
        first="0.0",
        trunk="features",
        imagenet="MobileNet_V3_Large_Weights.IMAGENET1K_V2",
    ),
}


def find(name: str) -> Backbone:
    """The entry of the table; an unknown name is a `BadInput` that lists the known ones."""
    if name not in BACKBONES:
        raise BadInput(f"unknown backbone {name!r}; known are {', '.join(BACKBONES)}")
    return BACKBONES[name]


def way_of(name: str, *, stride_px: int, stride_by: StrideBy = "auto") -> tuple[Way, int]:
    """How `name` reaches a stride, and the side in pixels of the smallest image for it.

    Raises:
        BadInput: it cannot; the message lists what it can.
    """
    reach = find(name).reach
    for way, smallest_px in reach.get(stride_px, {}).items():
        if stride_by in ("auto", way):
            return way, smallest_px
    possible = "; ".join(f"{stride} by {' or '.join(ways)}" for stride, ways in reach.items())
    raise BadInput(
        f"{name} cannot reach stride_px {stride_px} with stride_by {stride_by}; it can reach "
        f"{possible}"
    )


def build(name: str, *, stride_px: int, stride_by: StrideBy = "auto") -> tuple[nn.Sequential, int]:
    """The feature layers of `name` for one-channel images, with random weights.

    Args:
        name: a key of `BACKBONES`.
        stride_px: pixels of the image per cell of the feature map.
        stride_by: how it is reached.

    Returns:
        The layers ([B, 1, H, W] -> [B, C, h, w], h about H / stride_px), and C.
    """
    entry = find(name)
    way, _ = way_of(name, stride_px=stride_px, stride_by=stride_by)
    last, channels = entry.cuts[stride_px if way == "truncate" else _OWN_STRIDE_PX]
    layers = strides.truncate(_trunk(entry), last)
    first = layers.get_submodule(entry.first)
    assert isinstance(first, nn.Conv2d)
    layers.set_submodule(entry.first, _one_channel(first))
    if last == "norm5":  # torchvision's DenseNet applies this one outside its modules
        layers.add_module("relu5", nn.ReLU(inplace=True))
    if way == "dilate":
        strides.dilate(layers, behind=entry.cuts[stride_px][0])
    if way == "upsample":
        strides.upsample(layers, _OWN_STRIDE_PX // stride_px)
    return layers, channels


def _trunk(entry: Backbone) -> nn.Module:
    network = entry.build()
    trunk: nn.Module = network.get_submodule(entry.trunk)  # empty: the network itself
    return trunk


def _one_channel(convolution: nn.Conv2d) -> nn.Conv2d:
    """A convolution like `convolution` for one input channel: grey needs no three equal copies."""
    (height, width), (down, right) = convolution.kernel_size, convolution.stride
    assert not isinstance(convolution.padding, str)
    return nn.Conv2d(
        1,
        convolution.out_channels,
        kernel_size=(height, width),
        stride=(down, right),
        padding=(convolution.padding[0], convolution.padding[1]),
        bias=convolution.bias is not None,
    )
