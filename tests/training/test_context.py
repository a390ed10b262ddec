"""What is learned besides the findings: from which columns, and without a trace in what is kept."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from thorax.model import ensemble
from thorax.training import context, loop, state
from thorax.training.context import ContextConfig
from thorax.training.device import make_deterministic
from thorax.training.settings import TrainingConfig
from thorax.training.state import Progress

Settings = Callable[..., TrainingConfig]
LEARNED = {"weight": 0.3, "ages_years": [50.0], "follow_ups": [2]}


def rows(count: int) -> pd.DataFrame:
    chance = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "view": chance.choice(["AP", "PA", ""], count),
            "sex": chance.choice(["M", "F", ""], count),
            "age_years": chance.choice([30.0, 70.0, np.nan], count),
            "follow_up": pd.array(chance.integers(0, 5, count), dtype="Int64"),
        }
    )


def with_context(data: loop.Data) -> loop.Data:
    training = data.training
    joined = training.rows.join(rows(len(training)))
    return dataclasses.replace(data, training=dataclasses.replace(training, rows=joined))


def trained(data: loop.Data, settings: TrainingConfig, folder: Path) -> Progress:
    make_deterministic(settings)
    model = ensemble.build(settings.model, findings=14)
    return loop.Loop(model, data, settings=settings, folder=folder).run()


def test_columns_become_targets_and_what_is_missing_is_not_known() -> None:
    table = pd.DataFrame(
        {
            "view": ["AP", "PA", "LL"],
            "sex": ["M", "F", ""],
            "age_years": [60.0, 40.0, np.nan],
            "follow_up": pd.array([3, 2, pd.NA], dtype="Int64"),
        }
    )
    targets = np.array([[1, 0], [0, 0], [0, 0]], np.int8)
    known = np.array([[True, False], [True, True], [True, False]])
    found = context.of_rows(table, targets, known, settings=ContextConfig.model_validate(LEARNED))
    assert found.names == (
        "AP view", "male", "any finding", "older than 50 years", "follow-up beyond 2",
    )  # fmt: skip
    assert found.targets.tolist() == [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert found.known.tolist() == [[True] * 5, [True] * 5, [False] * 5]


def test_with_weight_0_no_column_is_asked_for() -> None:
    nothing = np.zeros((2, 14), np.int8)
    found = context.of_rows(pd.DataFrame(index=[0, 1]), nothing, nothing > 0,
                            settings=ContextConfig())  # fmt: skip
    assert found.targets.shape == found.known.shape == (2, 0)


def test_context_changes_what_is_learned_and_leaves_the_kept_network_as_it_is(
    data: loop.Data, fast: Settings, tmp_path: Path
) -> None:
    data = with_context(data)
    plain = trained(data, fast(epochs=1, patience_epochs=1), tmp_path / "plain")
    taught = trained(data, fast(epochs=1, patience_epochs=1, context=LEARNED), tmp_path / "taught")
    assert plain.best.keys() == taught.best.keys()
    assert not torch.equal(plain.best["prediction.weight"], taught.best["prediction.weight"])


def test_context_can_be_learned(data: loop.Data, fast: Settings, tmp_path: Path) -> None:
    """The features of the kept network tell a context that only the context's layer was taught."""
    bright = data.training.targets[:, 0] > 0  # the first field, which the view now repeats
    table = data.training.rows.join(rows(len(bright))).assign(view=np.where(bright, "AP", "PA"))
    silent = dataclasses.replace(
        data.training, rows=table, known=np.zeros_like(data.training.known)
    )
    data = dataclasses.replace(data, training=silent)
    progress = trained(data, fast(epochs=6, patience_epochs=6, context={"weight": 1.0}), tmp_path)
    head, weights = progress.heads, progress.model
    model = ensemble.build(fast().model, findings=14).eval()
    model.load_state_dict(weights)
    pixels = torch.from_numpy(data.pixels.gather(data.training.rows))[:, None]
    with torch.inference_mode():
        _, pooled = model.features(pixels)
        logits = pooled @ head["layers.0.weight"].T + head["layers.0.bias"]
    said = (logits[:, 0] > 0).numpy()
    assert (said == bright).mean() > 0.8


def test_training_with_context_goes_on_where_it_stopped(
    data: loop.Data, fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = with_context(data)
    settings = fast(epochs=2, patience_epochs=2, context=LEARNED)
    whole = trained(data, settings, tmp_path / "whole")
    save = state.save

    def save_and_stop(folder: Path, progress: Progress) -> None:
        save(folder, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(state, "save", save_and_stop)
        trained(data, settings, tmp_path / "parts")
    again = trained(data, settings, tmp_path / "parts")
    assert whole.history == again.history
    assert all(torch.equal(value, again.best[key]) for key, value in whole.best.items())
