"""`precision: auto` measures once per machine and network; a resumed training keeps its choice."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from thorax.model import ensemble
from thorax.training import examples, loop, precision, state
from thorax.training.device import make_deterministic
from thorax.training.settings import TrainingConfig

Settings = Callable[..., TrainingConfig]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def capable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that says it has bfloat16, wherever these tests run."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})


def answer(monkeypatch: pytest.MonkeyPatch, float32_s: float, bfloat16_s: float) -> list[int]:
    """Let the measurement give these figures; returns a list that grows with every call."""
    calls: list[int] = []

    def measured(_step: object) -> tuple[float, float]:
        calls.append(1)
        return float32_s, bfloat16_s

    monkeypatch.setattr(precision, "measure", measured)
    return calls


def choose(settings: TrainingConfig, home: Path, size_px: int = 32) -> str:
    return precision.choose(settings, size_px, CPU, home)


@pytest.mark.parametrize(
    ("float32_s", "bfloat16_s", "chosen"),
    [(1.8, 1.0, "bfloat16"), (1.0, 1.0, "float32"), (1.05, 1.0, "float32"), (1.0, 3.0, "float32")],
)
def test_bfloat16_is_taken_only_where_it_is_clearly_faster(
    fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    float32_s: float, bfloat16_s: float, chosen: str,
) -> None:  # fmt: skip
    answer(monkeypatch, float32_s, bfloat16_s)
    assert choose(fast(), tmp_path) == chosen


def test_the_choice_is_written_and_read_whatever_a_second_measurement_would_say(
    fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(monkeypatch, 2.0, 1.0) == []
    assert choose(fast(), tmp_path) == "bfloat16"
    again = answer(monkeypatch, 1.0, 2.0)
    assert choose(fast(), tmp_path) == "bfloat16"
    assert again == []


@pytest.mark.parametrize("what", ["network", "size", "threads", "processor", "instructions"])
def test_other_circumstances_are_measured_again(
    fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    calls = answer(monkeypatch, 2.0, 1.0)
    choose(fast(), tmp_path)
    settings, size_px = fast(), 32
    if what == "network":
        settings = fast(model={"backbone": "resnet10", "stride_px": 8, "transition_channels": 24})
    elif what == "size":
        size_px = 40
    elif what == "threads":
        monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    elif what == "processor":
        monkeypatch.setattr(precision, "_processor", lambda: "another")
    else:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    choose(settings, tmp_path, size_px)
    assert len(calls) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"precision": "float32"}'])
def test_a_broken_file_is_measured_and_written_again(
    fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    calls = answer(monkeypatch, 2.0, 1.0)
    choose(fast(), tmp_path)
    (path,) = (tmp_path / "precision").iterdir()
    path.write_text(content)
    assert choose(fast(), tmp_path) == choose(fast(), tmp_path) == "bfloat16"
    assert len(calls) == 2
    assert json.loads(path.read_text())["precision"] == "bfloat16"


def test_a_named_precision_cuda_and_a_processor_without_bfloat16_are_not_measured(
    fast: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = answer(monkeypatch, 2.0, 1.0)
    assert choose(fast(precision="float32"), tmp_path) == "float32"
    assert choose(fast(precision="bfloat16"), tmp_path) == "bfloat16"
    assert precision.choose(fast(), 32, torch.device("cuda"), tmp_path) == "bfloat16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert choose(fast(), tmp_path) == "float32"
    assert calls == []
    assert not (tmp_path / "precision").exists()


def test_a_real_measurement_leaves_the_random_state_alone(fast: Settings, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    chosen = choose(fast(model={**fast().model.model_dump(), "dropout": 0.5}), tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    (path,) = (tmp_path / "precision").iterdir()
    written = json.loads(path.read_text())
    assert written["precision"] == chosen
    assert min(written["processor_s_per_step"].values()) > 0


def test_a_resumed_training_goes_on_in_the_precision_it_began_with(
    data: loop.Data, fast: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = fast(epochs=2, patience_epochs=2)

    def train(numbers: str, where: Path) -> state.Progress:
        make_deterministic(settings)
        model = ensemble.build(settings.model, findings=14)
        ensemble.set_normalisation(model, *examples.level_statistics(data.training))
        return loop.Loop(model, data, settings=settings, folder=where, precision=numbers).run()  # type: ignore[arg-type]

    save = state.save

    def save_and_stop(where: Path, progress: state.Progress) -> None:
        save(where, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(state, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train("bfloat16", folder)
    resumed = train("float32", folder)  # the machine's folder is gone, or says something else
    undisturbed = train("bfloat16", tmp_path / "other")
    assert resumed.precision == undisturbed.precision == "bfloat16"
    assert resumed.history == undisturbed.history
