"""Members that answer as one: means, mirror images, first weights, and what stays plain."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from thorax import config
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.model import checkpoint, ensemble
from thorax.model.classifier import Classifier, ModelConfig
from thorax.model.ensemble import Ensemble, Network


def settings(**changes: object) -> ModelConfig:
    small = {"backbone": "resnet10", "stride_px": 16, "transition_channels": 8}
    return ModelConfig.model_validate({**small, **changes})


def network(**changes: object) -> Network:
    torch.manual_seed(0)
    return ensemble.build(settings(**changes), findings=3).eval()


def levels() -> torch.Tensor:
    chance = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (2, 1, 64, 64), generator=chance, dtype=torch.uint8)


def test_one_member_without_mirror_is_the_plain_classifier() -> None:
    assert isinstance(network(), Classifier)
    assert isinstance(network(members=2), Ensemble)
    assert isinstance(network(mirrored=True), Ensemble)


def test_members_differ_and_their_logits_and_heatmaps_are_averaged() -> None:
    both = network(members=2)
    (first, map_first), (second, map_second) = (
        member(levels()) for member in ensemble.members_of(both)
    )
    assert not torch.allclose(first, second)
    logits, heatmaps = both(levels())
    torch.testing.assert_close(logits, (first + second) / 2)
    torch.testing.assert_close(heatmaps, (map_first + map_second) / 2)


def test_with_mirror_an_image_and_its_mirror_image_score_the_same_and_show_it_mirrored() -> None:
    model = network(mirrored=True)
    logits, heatmaps = model(levels())
    mirrored_logits, mirrored_heatmaps = model(levels().flip(3))
    torch.testing.assert_close(logits, mirrored_logits)
    torch.testing.assert_close(heatmaps, mirrored_heatmaps.flip(3))
    (member,) = ensemble.members_of(model)
    assert not torch.allclose(logits, member(levels())[0])


def test_normalisation_reaches_every_member() -> None:
    both = network(members=2)
    ensemble.set_normalisation(both, 100.0, 50.0)
    for member in ensemble.members_of(both):
        assert isinstance(member, Classifier)
        assert (member.mean_level.item(), member.std_level.item()) == (100.0, 50.0)


def test_first_weights_of_one_network_start_every_member(tmp_path: Path) -> None:
    save_file(network().state_dict(), tmp_path / "one.safetensors")
    both = network(members=2)
    ensemble.initialise(both, settings(members=2), weights=str(tmp_path / "one.safetensors"))
    for member in ensemble.members_of(both):
        torch.testing.assert_close(member(levels())[0], network()(levels())[0])


def test_first_weights_of_an_ensemble_are_loaded_member_by_member(tmp_path: Path) -> None:
    taught = network(members=2)
    with torch.no_grad():
        for weight in taught.parameters():
            weight.mul_(0.5)
    save_file(taught.state_dict(), tmp_path / "two.safetensors")
    both = network(members=2)
    ensemble.initialise(both, settings(members=2), weights=str(tmp_path / "two.safetensors"))
    torch.testing.assert_close(both(levels())[0], taught(levels())[0])


def test_an_ensemble_for_other_findings_or_another_order_is_refused(tmp_path: Path) -> None:
    swapped = (*FINDINGS[1::-1], *FINDINGS[2:])
    taught = ensemble.build(settings(members=2), findings=len(FINDINGS))
    checkpoint.write(
        tmp_path, taught.state_dict(), settings=settings(members=2), findings=swapped, size_px=64
    )
    path = str(tmp_path / "weights.safetensors")
    with pytest.raises(BadInput, match="another order"):
        ensemble.initialise(taught, settings(members=2), weights=path)


def test_first_weights_of_more_members_are_refused(tmp_path: Path) -> None:
    save_file(network(members=3).state_dict(), tmp_path / "three.safetensors")
    path = str(tmp_path / "three.safetensors")
    with pytest.raises(BadInput, match="weights of another network"):
        ensemble.initialise(network(members=2), settings(members=2), weights=path)


def test_no_member_at_all_is_refused() -> None:
    with pytest.raises(BadInput, match=r"model\.members"):
        config.parse({"members": 0}, ModelConfig, "model")
