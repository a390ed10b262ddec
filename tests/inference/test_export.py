"""The graph says what the network says, for any batch, in the same bytes each time."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from thorax.errors import BadInput
from thorax.inference import export
from thorax.inference.predictor import Predictor
from thorax.model import ensemble
from thorax.model.classifier import Classifier, ModelConfig


def levels(count: int, side_px: int = 64) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side_px, side_px), np.uint8)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_graph_and_network_agree(classifier: Classifier, predictor: Predictor, count: int) -> None:
    pixels = levels(count)
    with torch.inference_mode():
        logits, heatmaps = classifier(torch.from_numpy(pixels)[:, None])
    answer = predictor.predict(pixels)
    np.testing.assert_allclose(answer.logits, logits.numpy(), atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(answer.heatmaps, heatmaps.numpy(), atol=1e-4, rtol=1e-4)
    assert export.check_parity(classifier, predictor, pixels) <= export.LARGEST_DIFFERENCE


@pytest.mark.parametrize("pooling", ["average", "max", "lse"])
def test_every_pooling_exports(pooling: str) -> None:
    settings = {"backbone": "resnet10", "stride_px": 8, "transition_channels": 4}
    model = Classifier(ModelConfig.model_validate({**settings, "pooling": pooling}), findings=2)
    graph = onnx.load_from_string(export.to_onnx(model, size_px=32))
    assert [output.name for output in graph.graph.output] == ["logits", "heatmaps"]


def test_an_ensemble_with_its_mirror_images_is_one_graph() -> None:
    settings = ModelConfig(
        backbone="resnet10", stride_px=8, transition_channels=4, members=2, mirrored=True
    )
    network = ensemble.build(settings, findings=2).eval()
    session = ort.InferenceSession(export.to_onnx(network, size_px=32))
    pixels = levels(3, side_px=32)[:, None]
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels))
    for asked, answer in zip(expected, session.run(None, {"pixels": pixels}), strict=True):
        np.testing.assert_allclose(answer, asked.numpy(), atol=1e-4, rtol=1e-4)


def test_the_graph_takes_bytes_in_batches_of_any_size(graph: bytes) -> None:
    [pixels] = onnx.load_from_string(graph).graph.input
    assert pixels.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    shape = pixels.type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in shape] == ["batch", 1, 64, 64]


def test_the_same_weights_give_the_same_bytes_without_names_of_this_machine(
    classifier: Classifier, graph: bytes
) -> None:
    assert export.to_onnx(classifier, size_px=64) == graph
    assert b".py" not in graph
    assert b"thorax" not in graph


def test_batch_norm_is_folded_into_the_convolutions(graph: bytes) -> None:
    kinds = {node.op_type for node in onnx.load_from_string(graph).graph.node}
    assert "BatchNormalization" not in kinds
    assert "Conv" in kinds


def test_a_graph_of_another_network_fails_the_parity_check(
    classifier: Classifier, predictor: Predictor
) -> None:
    torch.manual_seed(1)
    other = Classifier(ModelConfig(backbone="resnet10", stride_px=16, transition_channels=8),
                       findings=14)  # fmt: skip
    with pytest.raises(BadInput, match="differ by"):
        export.check_parity(other, predictor, levels(2))
