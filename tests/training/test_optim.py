"""The schedule's shape, what is decayed, and the moving average against its definition."""

import pytest
from torch import nn

from thorax import config
from thorax.errors import BadInput
from thorax.training import optim
from thorax.training.settings import TrainingConfig


def test_the_learning_rate_rises_to_its_largest_and_falls_to_nearly_nothing() -> None:
    settings = TrainingConfig(learning_rate=0.1, warmup_share=0.2)
    rates = [optim.learning_rate(step, 100, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.005)
    assert max(rates) == rates[20] == pytest.approx(0.1)
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert 0 < rates[-1] < 0.001


def test_a_single_step_without_warmup_uses_the_whole_rate() -> None:
    settings = TrainingConfig(learning_rate=0.1, warmup_share=0)
    assert optim.learning_rate(0, 1, settings) == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_norms_and_biases_are_not_decayed(name: str) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 1))
    made = optim.make(model, TrainingConfig.model_validate({"optimizer": name}))
    decayed, plain = made.param_groups
    assert {weight.ndim for weight in decayed["params"]} == {2, 4}
    assert {weight.ndim for weight in plain["params"]} == {1}
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.01, 0.0)


def constant(value: float) -> nn.Module:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, value)
    return model


def test_the_average_moves_by_one_minus_decay() -> None:
    averaged = optim.AveragedModel(constant(0.0), decay=0.9)
    averaged.update(constant(1.0), step=1_000_000)
    assert averaged.module.weight.item() == pytest.approx(0.1)


def test_early_steps_forget_the_random_start_sooner() -> None:
    averaged = optim.AveragedModel(constant(0.0), decay=0.99)
    averaged.update(constant(1.0), step=0)
    assert averaged.module.weight.item() == pytest.approx(0.9)


def test_without_decay_the_average_is_a_copy() -> None:
    averaged = optim.AveragedModel(constant(0.0), decay=0.0)
    averaged.update(constant(3.0), step=7)
    assert averaged.module.weight.item() == 3.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 3, "patience_epochs": 4}, "patience_epochs must not exceed epochs"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"loss": "hinge"}, "loss"),
        ({"batchsize": 8}, "unknown key 'batchsize' .did you mean 'batch_size'"),
        ({"model": {"poling": "max"}}, "model: unknown key 'poling'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(values: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        config.parse(values, TrainingConfig, "params.yaml: training")
