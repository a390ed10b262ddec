"""From the trained network to an ONNX graph that says the same.

The graph takes uint8 `pixels` [B, 1, S, S] and gives `logits` [B, F] and `heatmaps` [B, F, h, w];
B is free. The exporter folds batch norm into the convolutions. What names files and lines of this
machine is removed, so that the same weights give the same bytes.
"""

from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from thorax.errors import BadInput
from thorax.inference.predictor import Prediction, Predictor
from thorax.model.ensemble import Network

# Between the logits of network and graph. Two runtimes add float32 in other orders: barely trained
# EfficientNets differ by 1.3e-4; a wrong graph differs by far more than this.
LARGEST_DIFFERENCE = 1e-3


def to_onnx(classifier: Network, *, size_px: int) -> bytes:
    """The bytes of the graph for square images of `size_px`."""
    model = traced(classifier, size_px).model_proto
    _strip(model)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def traced(classifier: Network, size_px: int, *, optimize: bool = True) -> torch.onnx.ONNXProgram:
    """The exporter's program; only one that is not optimized can be given other weights."""
    example = torch.zeros(2, 1, size_px, size_px, dtype=torch.uint8)
    program = torch.onnx.export(
        classifier.eval(),
        (example,),
        input_names=["pixels"],
        output_names=["logits", "heatmaps"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        dynamo=True,
        optimize=optimize,
        verbose=False,
    )
    assert program is not None
    return program


def check_parity(classifier: Network, predictor: Predictor, pixels: NDArray[np.uint8]) -> float:
    """The largest difference between the logits of network and graph on `pixels` [B, S, S].

    Raises:
        BadInput: it exceeds `LARGEST_DIFFERENCE` (relative for logits beyond 1).
    """
    with torch.inference_mode():
        logits, _ = classifier.eval()(torch.from_numpy(pixels)[:, None])
    expected = logits.numpy()
    answered: Prediction = predictor.predict(pixels)
    difference = np.abs(answered.logits - expected) / np.maximum(np.abs(expected), 1)
    largest = float(difference.max())
    if not largest <= LARGEST_DIFFERENCE:
        raise BadInput(
            f"the exported graph and the trained network differ by {largest:.2g} in a logit "
            f"(at most {LARGEST_DIFFERENCE}): check the versions of torch and onnxruntime"
        )
    return largest


def _strip(message: Any) -> None:
    """Clear the exporter's notes (source lines, module names) on a protobuf message and below."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                _strip(part)
