"""Wavelet scattering: what it ignores, what it tells apart, and the linear map that reads it."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.inference.export import to_onnx
from thorax.model import checkpoint, classifier, ensemble, scattering
from thorax.model.classifier import ModelConfig
from thorax.model.ensemble import Ensemble
from thorax.model.scattering import Reading, Scattering, ScatteringConfig

SMALL = ScatteringConfig(share=0.5, scales=2, orientations=4, cells=4)


def levels(*, side_px: int = 32, count: int = 3) -> torch.Tensor:
    chance = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, 1, side_px, side_px), generator=chance).to(torch.uint8)


def waves(angle: float, *, phase: float = 0.0) -> torch.Tensor:
    """Stripes of 6 px, grey levels [1, 1, 32, 32]; at angle 0 they vary along x."""
    y, x = np.mgrid[:32, :32]
    along = x * np.cos(angle) + y * np.sin(angle)
    return torch.from_numpy(127 + 100 * np.sin(2 * np.pi * along / 6 + phase))[None, None].float()


def network() -> Ensemble:
    torch.manual_seed(0)
    settings = ModelConfig(
        backbone="resnet10", stride_px=8, transition_channels=8, scattering=SMALL
    )
    built = ensemble.build(settings, findings=len(FINDINGS)).eval()
    assert isinstance(built, Ensemble)
    return built


def taught(model: Ensemble) -> Ensemble:
    reader = ensemble.reader_of(model)
    assert reader is not None
    chance = torch.Generator().manual_seed(1)
    reader.learn(
        Reading(
            torch.tensor(0.01),
            torch.full_like(reader.mean, -4.0),
            torch.ones_like(reader.std),
            0.1 * torch.randn(reader.weight.shape, generator=chance),
            torch.arange(len(FINDINGS)).float(),
        )
    )
    return model


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_wavelets_see_no_even_grey_and_keep_every_level_within_one(scale: int) -> None:
    filters = scattering.morlet(scale, 6).astype(np.float64)
    assert np.abs(filters.sum(axis=(1, 2, 3))).max() < 1e-6
    size = np.hypot(filters[:6], filters[6:]).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(size, 1, rtol=1e-6)


def test_stripes_answer_in_their_own_direction() -> None:
    made = Scattering(SMALL)
    for place, angle in enumerate(np.arange(4) * np.pi / 4):
        finest = made(waves(angle))[0, 1:5].mean(dim=(1, 2))  # after the plain means
        assert finest.argmax() == place
        assert finest.max() > 1.5 * finest.topk(2).values[1]


def test_a_shift_within_a_wave_changes_little_where_the_picture_changes_much() -> None:
    made = Scattering(SMALL)
    first, moved = waves(0.0), waves(0.0, phase=np.pi / 2)
    pixels = (first - moved).norm() / first.norm()
    answers = (made(first) - made(moved)).norm() / made(first).norm()
    assert pixels > 0.5
    assert answers < 0.3 * pixels


def test_an_even_picture_has_its_level_and_no_wave() -> None:
    found = Scattering(SMALL)(torch.full((1, 1, 32, 32), 51.0))
    torch.testing.assert_close(found[0, 0], torch.full((4, 4), 0.2))
    assert found[0, 1:].abs().max() < 1e-5


@pytest.mark.parametrize(("scales", "orientations", "cells"), [(1, 3, 4), (2, 4, 8), (3, 2, 4)])
def test_the_number_of_coefficients_is_what_is_computed(
    scales: int, orientations: int, cells: int
) -> None:
    settings = ScatteringConfig(scales=scales, orientations=orientations, cells=cells)
    made = Scattering(settings)
    assert made(levels(side_px=64)).shape == (3, made.coefficients, cells, cells)


def test_a_reader_that_learned_nothing_is_silent_and_then_has_its_share() -> None:
    model = network()
    (member,) = ensemble.members_of(model)
    alone, heatmaps = member(levels())
    torch.testing.assert_close(model(levels())[0], alone / 2)
    reader = ensemble.reader_of(taught(model))
    assert reader is not None
    logits, shown = model(levels())
    torch.testing.assert_close(logits, (alone + reader(levels())) / 2)
    torch.testing.assert_close(shown, heatmaps)


def test_the_reading_is_the_stated_linear_map_of_held_logarithms() -> None:
    reader = ensemble.reader_of(taught(network()))
    assert reader is not None
    coefficients = reader.scattering(levels()).double().numpy()
    normal = np.clip(np.log(coefficients + 0.01) + 4, -5, 5)
    expected = np.einsum("bchw,fchw->bf", normal, reader.weight.double().numpy())
    expected += np.arange(len(FINDINGS))
    np.testing.assert_allclose(reader(levels()).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_nothing_of_it_is_trained_and_all_of_it_is_saved(tmp_path: Path) -> None:
    model = taught(network())
    assert not any("reader" in name for name, _ in model.named_parameters())
    settings = ModelConfig(
        backbone="resnet10", stride_px=8, transition_channels=8, scattering=SMALL
    )
    checkpoint.write(tmp_path, model.state_dict(), settings=settings, findings=FINDINGS, size_px=32)
    again = checkpoint.load(tmp_path).classifier
    torch.testing.assert_close(again(levels())[0], model(levels())[0])


def test_the_graph_says_what_the_network_says() -> None:
    model = taught(network())
    session = ort.InferenceSession(to_onnx(model, size_px=32))
    pixels = levels(count=5)
    with torch.inference_mode():
        expected = model(pixels)
    for asked, answer in zip(expected, session.run(None, {"pixels": pixels.numpy()}), strict=True):
        np.testing.assert_allclose(answer, asked.numpy(), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("changes", "size_px"),
    [({"cells": 5}, 64), ({"cells": 32, "scales": 4}, 64), ({"cells": 4, "scales": 5}, 32)],
)
def test_images_that_are_not_whole_cells_or_too_small_are_refused(
    changes: dict[str, int], size_px: int
) -> None:
    settings = ModelConfig(scattering=ScatteringConfig(share=0.5, **changes), stride_px=8)
    with pytest.raises(BadInput, match=rf"images of {size_px} px .* choose other cells or scales"):
        classifier.check_size(settings, size_px)


def test_images_that_pass_the_check_can_be_read() -> None:
    for scales in range(1, 6):
        settings = ScatteringConfig(share=0.5, scales=scales, orientations=1, cells=4)
        fitting = [side for side in range(4, 129, 4) if _fits(settings, side)]
        made = Scattering(settings)
        assert made(levels(side_px=fitting[0], count=1)).shape[2:] == (4, 4)


def _fits(settings: ScatteringConfig, size_px: int) -> bool:
    try:
        scattering.check_size(settings, size_px)
    except BadInput:
        return False
    return True
