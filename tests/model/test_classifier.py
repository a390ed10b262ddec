"""The network: shapes by name and stride, heatmaps that add up, and what it refuses."""

import pytest
import torch

from thorax import config
from thorax.errors import BadInput
from thorax.model.classifier import Classifier, ModelConfig, check_size


def classifier(**settings: object) -> Classifier:
    torch.manual_seed(0)
    small = {"backbone": "resnet10", "stride_px": 16, "transition_channels": 8}
    return Classifier(ModelConfig.model_validate({**small, **settings}), findings=3).eval()


def levels(side_px: int = 64) -> torch.Tensor:
    chance = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (2, 1, side_px, side_px), generator=chance, dtype=torch.uint8)


def test_levels_become_one_logit_and_one_heatmap_per_finding() -> None:
    logits, heatmaps = classifier()(levels())
    assert logits.shape == (2, 3)
    assert heatmaps.shape == (2, 3, 4, 4)
    assert logits.dtype == heatmaps.dtype == torch.float32


def test_with_average_pooling_a_logit_is_the_mean_of_its_heatmap_and_the_bias() -> None:
    model = classifier(pooling="average")
    logits, heatmaps = model(levels())
    torch.testing.assert_close(logits, heatmaps.mean(dim=(2, 3)) + model.prediction.bias)


def test_bytes_and_floats_of_the_same_levels_score_the_same() -> None:
    model = classifier()
    torch.testing.assert_close(model(levels())[0], model(levels().float())[0])


def test_normalisation_travels_with_the_weights_and_undoes_a_change_of_window() -> None:
    model, other = classifier(), classifier()
    model.set_normalisation(100.0, 50.0)
    other.load_state_dict(model.state_dict())
    assert (other.mean_level.item(), other.std_level.item()) == (100.0, 50.0)
    dim = levels().float() / 2
    other.set_normalisation(50.0, 25.0)
    torch.testing.assert_close(other(dim)[0], model(levels())[0], atol=1e-5, rtol=1e-5)


def test_an_unknown_backbone_lists_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"'resnet19'; known are resnet10, resnet18"):
        classifier(backbone="resnet19")


def test_an_impossible_stride_is_refused_by_the_settings() -> None:
    with pytest.raises(BadInput, match=r"model\.stride_px"):
        config.parse({"stride_px": 7}, ModelConfig, "model")


def test_images_that_are_too_small_for_a_heatmap_are_refused() -> None:
    settings = ModelConfig(stride_px=32)
    check_size(settings, 64)
    with pytest.raises(BadInput, match="resnet18 with stride_px 32 by truncate: at least 64 px"):
        check_size(settings, 63)
    with pytest.raises(BadInput, match="alexnet with stride_px 8 by upsample: at least 95 px"):
        check_size(ModelConfig(backbone="alexnet", stride_px=8, stride_by="upsample"), 94)


def test_an_impossible_way_to_a_stride_is_refused_when_the_size_is_checked() -> None:
    settings = ModelConfig(backbone="convnext_tiny", stride_px=16, stride_by="dilate")
    with pytest.raises(BadInput, match="it can reach 8 by upsample or truncate"):
        check_size(settings, 1024)


def test_a_learned_r_is_a_weight_and_starts_where_the_settings_say() -> None:
    model = classifier(pooling="lse-lba", lse_r=5.0, lse_r_low=2.0)
    assert model.pooling.r.item() == pytest.approx(5.0)
    assert "pooling.beta" in model.state_dict()
    with pytest.raises(BadInput, match=r"lse_r must be above lse_r_low \(5.0\)"):
        config.parse({"pooling": "lse-lba", "lse_r": 5, "lse_r_low": 5}, ModelConfig, "model")
