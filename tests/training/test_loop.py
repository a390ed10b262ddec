"""The loop learns, repeats itself, goes on where it stopped, and stops when it should."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from thorax.errors import BadInput
from thorax.model import ensemble
from thorax.training import examples, loop, state
from thorax.training.device import make_deterministic
from thorax.training.settings import Precision, TrainingConfig
from thorax.training.state import Progress

Settings = Callable[..., TrainingConfig]


def trained(
    data: loop.Data, settings: TrainingConfig, folder: Path, precision: Precision = "float32"
) -> Progress:
    make_deterministic(settings)
    model = ensemble.build(settings.model, findings=14)
    ensemble.set_normalisation(model, *examples.level_statistics(data.training))
    return loop.Loop(model, data, settings=settings, folder=folder, precision=precision).run()


def same(first: Progress, second: Progress) -> bool:
    return first.history == second.history and all(
        torch.equal(value, second.best[key]) for key, value in first.best.items()
    )


def test_what_can_be_seen_is_learned(data: loop.Data, fast: Settings, folder: Path) -> None:
    progress = trained(data, fast(epochs=6, patience_epochs=6), folder)
    assert progress.best_score > 0.8
    losses = [epoch["training_loss"] for epoch in progress.history]
    assert losses[-1] < losses[0]


def test_the_seed_decides_the_weights(data: loop.Data, fast: Settings, tmp_path: Path) -> None:
    runs = [
        trained(data, fast(epochs=1, patience_epochs=1, seed=seed), tmp_path / str(number))
        for number, seed in enumerate((1, 1, 2))
    ]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_stopping_after_any_epoch_and_going_on_changes_nothing(
    data: loop.Data, fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    settings = fast(optimizer=optimizer, ema_decay=0.9, model={**FAST_MODEL, "dropout": 0.3})
    whole = trained(data, settings, tmp_path / "whole")
    save = state.save

    def save_and_stop(folder: Path, progress: Progress) -> None:
        save(folder, progress)
        raise KeyboardInterrupt

    monkeypatch.setattr(state, "save", save_and_stop)
    for _ in range(settings.epochs):
        with pytest.raises(KeyboardInterrupt):
            trained(data, settings, tmp_path / "parts")
    assert same(whole, trained(data, settings, tmp_path / "parts"))


FAST_MODEL = {"backbone": "resnet10", "stride_px": 8, "transition_channels": 16}


WITHOUT_BATCH_NORM = {
    "backbone": "alexnet", "stride_px": 8, "stride_by": "truncate", "transition_channels": 8
}  # fmt: skip


def test_a_step_of_several_batches_is_the_step_of_all_their_images(
    data: loop.Data, fast: Settings, tmp_path: Path
) -> None:
    """Without batch statistics the parts' gradients add up to the whole's, W-CEL's betas too."""
    still = {"rotation_degrees": 0, "translation_share": 0, "scale_share": 0,
             "brightness_levels": 0, "contrast_share": 0}  # fmt: skip
    whole_and_parts = []
    for name, sizes in (("whole", (32, 1)), ("parts", (8, 4))):
        settings = fast(
            loss="w-cel", optimizer="sgd", augment=still, epochs=1, patience_epochs=1,
            batch_size=sizes[0], accumulate_steps=sizes[1], model=WITHOUT_BATCH_NORM,
        )  # fmt: skip
        make_deterministic(settings)
        model = ensemble.build(settings.model, findings=14)
        (member,) = ensemble.members_of(model)
        member.transition[1] = torch.nn.Identity()
        (tmp_path / name).mkdir()
        progress = loop.Loop(model, data, settings=settings, folder=tmp_path / name).run()
        whole_and_parts.append((progress.history[0]["training_loss"], progress.model))
    (loss, weights), (summed, parts) = whole_and_parts
    assert summed == pytest.approx(loss, rel=1e-5)
    for key, value in weights.items():
        torch.testing.assert_close(parts[key], value, atol=1e-6, rtol=1e-4)


def test_a_finished_state_gives_its_result_again(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    first = trained(data, fast(epochs=1, patience_epochs=1), folder)
    assert same(first, trained(data, fast(epochs=1, patience_epochs=1), folder))


def test_a_broken_state_is_said_and_begun_anew(
    data: loop.Data, fast: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = fast(epochs=1, patience_epochs=1)
    first = trained(data, settings, folder)
    path = folder / "progress.pt"
    path.write_bytes(path.read_bytes()[:1000])
    assert same(first, trained(data, settings, folder))
    assert "cannot be read" in capsys.readouterr().err


def test_a_state_of_other_first_weights_is_not_gone_on_from(folder: Path) -> None:
    state.save(folder, Progress("champion sha256:1", epoch=4))
    assert state.load(folder, initial_weights="champion sha256:1").epoch == 4
    assert state.load(folder, initial_weights="champion sha256:2").epoch == 0


def test_patience_ends_training_and_the_best_epoch_is_kept(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    # a rate this small changes no validation score, so no epoch beats the first
    progress = trained(data, fast(learning_rate=1e-12, epochs=9, patience_epochs=2), folder)
    assert progress.best_epoch == 1
    assert progress.epoch == 3


def test_a_loss_that_is_no_number_says_where_and_leaves_no_state(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    settings = fast(learning_rate=1e30, gradient_norm=1e30, warmup_share=0)
    with pytest.raises(BadInput, match=r"epoch 1.*lower training\.learning_rate"):
        trained(data, settings, folder)
    assert not list(folder.iterdir())


def test_validation_that_cannot_rank_anything_is_bad_input(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    ones = np.ones_like(data.validation.targets)
    blind = dataclasses.replace(data, validation=dataclasses.replace(data.validation, targets=ones))
    with pytest.raises(BadInput, match="no finding has both positive and negative"):
        trained(blind, fast(), folder)


def test_a_finding_without_a_positive_is_said_and_training_goes_on(
    data: loop.Data, fast: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.training.targets[:, 13] = 0
    examples.warn_of_missing(data.training)
    assert "no positive training image for Hernia" in capsys.readouterr().err
    assert trained(data, fast(epochs=1, patience_epochs=1), folder).epoch == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_asking_for_cuda_without_one_is_bad_input(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    with pytest.raises(BadInput, match="set it to auto or cpu"):
        trained(data, fast(device="cuda"), folder)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_cuda_learns_too(data: loop.Data, fast: Settings, folder: Path) -> None:
    assert trained(data, fast(device="cuda", epochs=6, patience_epochs=6), folder).best_score > 0.8


def test_bfloat16_learns_too_and_is_not_float32(
    data: loop.Data, fast: Settings, tmp_path: Path
) -> None:
    settings = fast(epochs=6, patience_epochs=6)
    low = trained(data, settings, tmp_path / "bfloat16", "bfloat16")
    full = trained(data, settings, tmp_path / "float32", "float32")
    assert low.best_score > 0.8
    assert low.best_score == pytest.approx(full.best_score, abs=0.1)
    assert not same(low, full)
    assert all(value.dtype != torch.bfloat16 for value in low.best.values())


def test_level_statistics_are_those_of_all_pixels(data: loop.Data) -> None:
    mean, std = examples.level_statistics(data.training)
    images = data.pixels.gather(data.training.rows)
    assert mean == pytest.approx(images.mean())
    assert std == pytest.approx(images.std())


def test_pruning_keeps_the_newest_states_and_the_current_one(tmp_path: Path) -> None:
    for age, name in enumerate(("current", "new", "older", "oldest")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    (tmp_path / "lock").touch()
    state.prune(tmp_path / "current", keep=1)
    assert {each.name for each in tmp_path.iterdir()} == {"current", "new", "lock"}


def test_members_learn_apart_and_go_on_where_they_stopped(
    data: loop.Data, fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = fast(epochs=2, patience_epochs=2, model={**FAST_MODEL, "members": 2})
    whole = trained(data, settings, tmp_path / "whole")
    first, second = (whole.best[f"members.{number}.prediction.weight"] for number in range(2))
    assert not torch.allclose(first, second)
    save = state.save

    def save_and_stop(folder: Path, progress: Progress) -> None:
        save(folder, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(state, "save", save_and_stop)
        trained(data, settings, tmp_path / "parts")
    assert same(whole, trained(data, settings, tmp_path / "parts"))


def test_the_last_epoch_is_kept_where_the_settings_say_so(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    settings = fast(learning_rate=1e-12, epochs=3, patience_epochs=1, kept="last")
    progress = trained(data, settings, folder)
    assert progress.best_epoch == progress.epoch == 3
