"""The linear reading: the closed form, what it learns, unknown labels, and resuming."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from thorax.evaluation import metrics
from thorax.model import ensemble
from thorax.model.scattering import Reader, ScatteringConfig
from thorax.training import loop, reading, state
from thorax.training.device import make_deterministic
from thorax.training.examples import Examples
from thorax.training.reading import ReadingConfig
from thorax.training.settings import TrainingConfig
from thorax.training.state import Progress

Settings = Callable[..., TrainingConfig]
WAVES = ScatteringConfig(share=0.5, scales=2, orientations=4, cells=4)
MODEL = {"backbone": "resnet10", "stride_px": 8, "transition_channels": 16, "pooling": "average",
         "scattering": WAVES.model_dump()}  # fmt: skip


def problem(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    inputs = chance.standard_normal((30, 50)).astype(np.float32)
    positive = chance.random((30, 3)) < 0.4
    return inputs, positive, np.ones_like(positive)


def primal(inputs: np.ndarray, answers: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge weights of one finding from the normal equations of all inputs."""
    system = inputs.T @ inputs + penalty * inputs.shape[1] * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(system, inputs.T @ (answers - answers.mean())))


def test_the_weights_solve_the_normal_equations_and_become_logits() -> None:
    inputs, positive, known = problem()
    weights, biases = reading.ridge(inputs, positive, known, penalty=0.7)
    for finding in range(3):
        share = (positive[:, finding].sum() + 0.5) / 31
        expected = primal(inputs.astype(float), positive[:, finding], 0.7) / (share * (1 - share))
        np.testing.assert_allclose(weights[finding], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(biases[finding], np.log(share / (1 - share)), rtol=1e-5)


def test_an_unknown_label_counts_as_if_the_image_were_not_there() -> None:
    inputs, positive, known = problem()
    known[20:, 1] = False
    weights, biases = reading.ridge(inputs, positive, known, penalty=0.7)
    positive[20:, 1] ^= True
    others = reading.ridge(inputs, positive, known, penalty=0.7)
    np.testing.assert_array_equal(weights, others[0])
    fewer = reading.ridge(inputs[:20], positive[:20], known[:20], penalty=0.7)
    np.testing.assert_allclose(weights[1], fewer[0][1], rtol=1e-4, atol=1e-6)
    assert biases[1] == pytest.approx(fewer[1][1])


def test_a_finding_of_one_kind_or_of_nothing_known_has_no_weights() -> None:
    inputs, positive, known = problem()
    positive[:, 0], known[:, 1] = False, False
    weights, biases = reading.ridge(inputs, positive, known, penalty=0.7)
    assert not weights[:2].any()
    assert weights[2].any()
    assert np.isfinite(biases).all()


def solved(data: loop.Data, **changes: object) -> Reader:
    reader = Reader(WAVES, findings=14)
    settings = ReadingConfig.model_validate(changes)
    reader.learn(reading.solve(reader, data.pixels, data.training, settings=settings))
    return reader


def scores(reader: Reader, data: loop.Data, part: Examples) -> np.ndarray:
    pixels = torch.from_numpy(data.pixels.gather(part.rows))[:, None]
    return np.asarray(reader(pixels))


def test_what_can_be_seen_is_read_on_images_that_were_not_solved_for(data: loop.Data) -> None:
    held = data.validation
    areas = metrics.auc(held.targets, scores(solved(data), data, held))
    assert areas.mean() > 0.8


def test_its_logits_are_as_frequent_as_the_labels(data: loop.Data) -> None:
    probabilities = 1 / (1 + np.exp(-scores(solved(data), data, data.training)))
    shares = data.training.targets.mean(axis=0)
    np.testing.assert_allclose(probabilities.mean(axis=0), shares, atol=0.1)


def test_the_batch_size_changes_nothing_and_fewer_images_change_it(data: loop.Data) -> None:
    whole = scores(solved(data), data, data.validation)
    parts = scores(solved(data, batch_size=7), data, data.validation)
    np.testing.assert_allclose(parts, whole, rtol=1e-3, atol=1e-3)
    some = scores(solved(data, images_max=40), data, data.validation)
    assert np.abs(some - whole).max() > 0.1


def started(data: loop.Data, settings: TrainingConfig, folder: Path) -> loop.Loop:
    make_deterministic(settings)
    model = ensemble.build(settings.model, findings=14)
    return loop.Loop(model, data, settings=settings, folder=folder)


def test_the_loop_validates_and_keeps_the_reading_beside_the_network(
    data: loop.Data, fast: Settings, folder: Path
) -> None:
    settings = fast(model=MODEL, ema_decay=0.9, epochs=1, patience_epochs=1)
    progress = started(data, settings, folder).run()
    expected = solved(data)
    torch.testing.assert_close(progress.best["reader.weight"], expected.weight)
    assert progress.best_score > 0.75  # one epoch teaches the network alone far less


def test_a_training_that_goes_on_has_the_reading_and_gives_the_same(
    data: loop.Data, fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = fast(model=MODEL, ema_decay=0.9, epochs=2, patience_epochs=2)
    whole = started(data, settings, _folder(tmp_path / "whole")).run()
    save = state.save

    def save_and_stop(folder: Path, progress: Progress) -> None:
        save(folder, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(state, "save", save_and_stop)
        started(data, settings, _folder(tmp_path / "parts")).run()
    again = started(data, settings, tmp_path / "parts").run()
    assert again.history == whole.history
    for key, value in whole.best.items():
        assert torch.equal(value, again.best[key]), key


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
