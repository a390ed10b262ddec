"""How a network gives a finer map than its own: by truncating, dilating or upsampling.

- truncate: the network is cut behind its last stage of the wished stride. Cheap; the late stages,
  and what they learned, are lost.
- dilate: the late stages stay and stop halving the map; their kernels reach as far as before with
  holes (Chen et al., DeepLab, arXiv 1606.00915, section 3.1). All weights serve; costly.
- upsample: the whole network, and its map is enlarged bilinearly. Cheap; adds no detail.

Changed: a pooling that no longer halves takes the 3 x 3 neighbourhood of every cell, as DeepLab's
VGG-16 does, and is not dilated. Knows no network by name: that is `registry`.
"""

from collections import OrderedDict
from typing import Literal

from torch import nn

Way = Literal["truncate", "dilate", "upsample"]


def truncate(trunk: nn.Module, last: str) -> nn.Sequential:
    """The children of `trunk` up to the one named `last`, in their order."""
    kept: OrderedDict[str, nn.Module] = OrderedDict()
    for name, child in trunk.named_children():
        kept[name] = child
        if name == last:
            break
    return nn.Sequential(kept)


def dilate(layers: nn.Sequential, *, behind: str) -> None:
    """Keep the map's size in all children behind the one named `behind`; changed in place.

    Every child may halve the map once, by convolutions of odd size or by a pooling.
    """
    dilation, late = 1, False
    for name, child in layers.named_children():
        if late:
            dilation = _dilate(child, dilation)
        late = late or name == behind


def upsample(layers: nn.Sequential, factor: int) -> None:
    """Enlarge the map `factor` times at the end of `layers`; changed in place."""
    enlarge = nn.Upsample(scale_factor=factor, mode="bilinear", align_corners=False)
    layers.add_module("upsample", enlarge)


def _dilate(stage: nn.Module, before: int) -> int:
    """Take the strides out of one stage; returns the dilation of what follows it."""
    after = before
    for module in stage.modules():
        if isinstance(module, nn.Conv2d):
            halves = module.stride == (2, 2)
            after = 2 * before if halves else after
            # what halved still looks at the finer grid, what comes behind it at every other cell
            _spread(module, before if halves else after)
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d) and module.stride == 2:
            after = 2 * before
            _keep_size(module)
    return after


def _spread(convolution: nn.Conv2d, dilation: int) -> None:
    height, width = convolution.kernel_size
    convolution.stride = (1, 1)
    convolution.dilation = (dilation, dilation)
    convolution.padding = (dilation * (height // 2), dilation * (width // 2))


def _keep_size(pooling: nn.MaxPool2d | nn.AvgPool2d) -> None:
    pooling.kernel_size, pooling.stride, pooling.padding = 3, 1, 1
    pooling.ceil_mode = False
    if isinstance(pooling, nn.AvgPool2d):
        pooling.count_include_pad = False
