"""The backbones by name: a torchvision network, cut behind its last stage of a wished stride.

A table of named builders that differ in numbers. The paper (Wang et al., CVPR 2017, section 3)
drops the classification layers of ImageNet networks and goes on from their last feature map; here
the cut may also lie one or two stages earlier, which trades depth for a finer heatmap. Parameter
names stay torchvision's, so its ImageNet files fit. Loads no weights: that is `weights`.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from torch import nn
from torchvision import models
from torchvision.models.resnet import BasicBlock, ResNet

from thorax.errors import BadInput


@dataclass(frozen=True)
class Backbone:
    """What is to be known of one network.

    Attributes:
        build: makes the whole network, with random weights.
        cuts: stride in pixels -> (last child that is kept, its channels).
        first: the first convolution, whose input becomes one channel.
        trunk: the attribute that holds the feature layers; empty: the network itself.
        imagenet: torchvision's name of the ImageNet weights; empty: there are none.
    """

    build: Callable[[], nn.Module]
    cuts: dict[int, tuple[str, int]]
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
    return Backbone(build, wide, imagenet=imagenet)


def _densenet(
    build: Callable[[], nn.Module], channels: tuple[int, int, int], imagenet: str
) -> Backbone:
    last = ("denseblock2", "denseblock3", "norm5")
    cuts = dict(zip((8, 16, 32), zip(last, channels, strict=True), strict=True))
    return Backbone(build, cuts, first="conv0", trunk="features", imagenet=imagenet)


def _resnet10() -> nn.Module:
    network: nn.Module = ResNet(BasicBlock, [1, 1, 1, 1])
    return network


BACKBONES: Final[dict[str, Backbone]] = {
    # ResNet-18's stages with one block each: for small data on a CPU.
    "resnet10": _resnet(_resnet10, 1),
    "resnet18": _resnet(models.resnet18, 1, "ResNet18_Weights.IMAGENET1K_V1"),
    "resnet34": _resnet(models.resnet34, 1, "ResNet34_Weights.IMAGENET1K_V1"),
    "resnet50": _resnet(models.resnet50, 4, "ResNet50_Weights.IMAGENET1K_V1"),
    "densenet121": _densenet(
        models.densenet121, (512, 1024, 1024), "DenseNet121_Weights.IMAGENET1K_V1"
    ),
}


def find(name: str) -> Backbone:
    """The entry of the table; an unknown name is a `BadInput` that lists the known ones."""
    if name not in BACKBONES:
        raise BadInput(f"unknown backbone {name!r}; known are {', '.join(BACKBONES)}")
    return BACKBONES[name]


def build(name: str, *, stride_px: int) -> tuple[nn.Sequential, int]:
    """The feature layers of `name` for one-channel images, with random weights.

    Args:
        name: a key of `BACKBONES`.
        stride_px: pixels of the image per cell of the feature map; the network is cut there.

    Returns:
        The layers ([B, 1, H, W] -> [B, C, h, w], h = H / stride_px rounded up), and C.
    """
    entry = find(name)
    if stride_px not in entry.cuts:
        raise BadInput(
            f"{name} cannot be cut at stride {stride_px}; it can at {sorted(entry.cuts)}"
        )
    last, channels = entry.cuts[stride_px]
    layers = _until(_trunk(entry), last)
    setattr(layers, entry.first, _one_channel(getattr(layers, entry.first)))
    if last == "norm5":  # torchvision's DenseNet applies this one outside its modules
        layers.add_module("relu5", nn.ReLU(inplace=True))
    return layers, channels


def _trunk(entry: Backbone) -> nn.Module:
    network = entry.build()
    trunk: nn.Module = network.get_submodule(entry.trunk)  # empty: the network itself
    return trunk


def _until(trunk: nn.Module, last: str) -> nn.Sequential:
    kept: OrderedDict[str, nn.Module] = OrderedDict()
    for name, child in trunk.named_children():
        kept[name] = child
        if name == last:
            break
    return nn.Sequential(kept)


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
