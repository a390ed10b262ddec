"""Every network, pooling and loss goes the whole way: train, export, score, localize.

The suite meets every pair of network, pooling and loss; the full cross meets every triple and every
way to every stride, and leaves a table of what it saw in `.thorax/test-full/`.
"""

import hashlib
import itertools
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from thorax import artifacts
from thorax.findings import FINDINGS
from thorax.inference import boxes, export
from thorax.inference.predictor import DESCRIPTION, MODEL, Calibration, Description, Predictor
from thorax.model import registry
from thorax.model.classifier import Classifier, ModelConfig, check_size
from thorax.model.losses import Loss, Objective
from thorax.model.pooling import Pooling
from thorax.training import optim
from thorax.training.settings import TrainingConfig

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
POOLINGS, LOSSES = get_args(Pooling), get_args(Loss)
NETWORKS = tuple(registry.BACKBONES)
# Of the same make as resnet18, and resnet10 is what other tests export.
NOT_EXPORTED = ("resnet10", "resnet34")


@dataclass(frozen=True)
class Seen:
    """One line of the table."""

    network: str
    stride: str
    size_px: int
    pooling: str
    loss: str
    first_loss: float
    second_loss: float
    logit_error: float
    boxes: int
    seconds: float


@pytest.fixture(autouse=True)
def unlogged() -> Iterator[None]:
    """The exporter traces every operation to its log, all of which pytest would keep."""
    logging.disable(logging.INFO)
    yield
    logging.disable(logging.NOTSET)


def squares() -> list[tuple[str, list[tuple[Pooling, Loss]]]]:
    """Each network with each pooling once and each loss once, shifted from network to network."""
    return [
        (network, [(POOLINGS[k], LOSSES[(k + shift) % len(LOSSES)]) for k in range(len(POOLINGS))])
        for shift, network in enumerate(NETWORKS)
    ]


def exported_of(shift: int) -> int:
    """Which of a network's four is exported: of the networks, each pooling and each loss is."""
    return 0 if shift < len(LOSSES) else shift % len(POOLINGS)


def made(settings: ModelConfig) -> tuple[Classifier, int]:
    _, size_px = registry.way_of(
        settings.backbone, stride_px=settings.stride_px, stride_by=settings.stride_by
    )
    check_size(settings, size_px)
    torch.manual_seed(1)
    model = Classifier(settings, findings=len(FINDINGS))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # two steps would leave the statistics near where they began
    return model, size_px


def stepped(model: Classifier, size_px: int, loss: Loss) -> list[float]:
    """Two optimizer steps on the same two images; the losses before each."""
    chance = torch.Generator().manual_seed(4)
    pixels = torch.randint(0, 256, (2, 1, size_px, size_px), generator=chance, dtype=torch.uint8)
    targets = torch.arange(2 * len(FINDINGS)).view(2, -1) % 3 == 0
    known = torch.arange(2 * len(FINDINGS)).view(2, -1) % 5 != 0
    optimizer = optim.make(model, TrainingConfig(learning_rate=1e-3))
    objective, before, losses = Objective(loss), model.prediction.weight.clone(), []
    model.train()
    for _ in range(2):
        value = objective(model(pixels)[0], targets, known)
        optimizer.zero_grad()
        value.backward()
        for name, weight in model.named_parameters():
            assert weight.grad is not None, name
            assert torch.isfinite(weight.grad).all(), name
        optimizer.step()
        losses.append(value.item())
    assert np.isfinite(losses).all()
    assert not torch.equal(before, model.prediction.weight)
    return losses


def settled(model: Classifier, levels: np.ndarray) -> None:
    """Give normalisation the statistics of the very images that are scored.

    A deep network on maps of four cells makes flat maps by older statistics, or logits of 1e21.
    """
    with torch.no_grad():
        model.train()(torch.from_numpy(levels)[:, None])


def served(graph: bytes, size_px: int, folder: Path) -> Predictor:
    """The graph as a predictor's folder, read back."""
    description = Description(
        findings=FINDINGS,
        size_px=size_px,
        frame_px=1024,
        calibration={finding: Calibration() for finding in FINDINGS},
        thresholds=dict.fromkeys(FINDINGS),
        weights_sha256="0" * 64,
        model_sha256=hashlib.sha256(graph).hexdigest(),
    )
    folder.mkdir()
    (folder / MODEL).write_bytes(graph)
    (folder / DESCRIPTION).write_text(description.model_dump_json())
    return Predictor.load(folder, threads=1)


def localized(predictor: Predictor, levels: np.ndarray) -> int:
    """How many boxes the findings of the images get; every box lies in the frame."""
    scored = predictor.predict(levels)
    assert ((scored.probabilities >= 0) & (scored.probabilities <= 1)).all()
    assert np.isfinite(scored.heatmaps).all()
    found = [
        box
        for heatmaps, row in zip(scored.heatmaps, scored.probabilities, strict=True)
        for finding, heatmap, score in zip(FINDINGS, heatmaps, row.tolist(), strict=True)
        for box in boxes.paper_boxes(heatmap, finding=finding, frame_px=1024, score=score)
    ]
    for box in found:
        assert 0 <= box.x_px < box.x_px + box.w_px <= 1024
        assert 0 <= box.y_px < box.y_px + box.h_px <= 1024
    return len(found)


def refilled(program: torch.onnx.ONNXProgram, model: Classifier) -> bytes:
    """The graph of an equal network, traced once, with this one's weights."""
    program.apply_weights(model.state_dict())
    return bytes(program.model_proto.SerializeToString())


def whole_way(
    settings: ModelConfig, loss: Loss, folder: Path, program: torch.onnx.ONNXProgram | None = None
) -> Seen:
    """Train, export (by itself, or into a program that an equal network made), score, localize."""
    started = time.monotonic()
    model, size_px = made(settings)
    losses = stepped(model, size_px, loss)
    chance = np.random.default_rng(5)
    levels = chance.integers(0, 256, (3, size_px, size_px), dtype=np.uint8)
    settled(model, levels)
    graph = refilled(program, model) if program else export.to_onnx(model, size_px=size_px)
    predictor = served(graph, size_px, folder)
    error = export.check_parity(model, predictor, levels)
    count = localized(predictor, levels)
    assert count >= len(FINDINGS)
    reached = f"{settings.stride_px} {settings.stride_by}"
    return Seen(
        settings.backbone, reached, size_px, settings.pooling, loss, *losses, error, count,
        time.monotonic() - started,
    )  # fmt: skip


def test_the_suite_meets_every_pair_and_exports_every_part() -> None:
    met = {
        pair
        for network, combinations in squares()
        for combination in combinations
        for pair in itertools.combinations((network, *combination), 2)
    }
    axes = (NETWORKS, POOLINGS, LOSSES)
    wanted = {
        pair
        for first, second in itertools.combinations(axes, 2)
        for pair in itertools.product(first, second)
    }
    assert met == wanted
    exported = {
        part
        for shift, (network, combinations) in enumerate(squares())
        if network not in NOT_EXPORTED
        for part in (network, *combinations[exported_of(shift)])
    }
    assert exported == set(itertools.chain(*axes)) - set(NOT_EXPORTED)


@pytest.mark.parametrize(("shift", "network"), list(enumerate(NETWORKS)))
def test_a_network_trains_with_every_pooling_and_loss_and_goes_the_whole_way(
    shift: int, network: str, tmp_path: Path
) -> None:
    _, combinations = squares()[shift]
    for number, (pooling, loss) in enumerate(combinations):
        settings = ModelConfig(backbone=network, transition_channels=8, pooling=pooling)
        if number == exported_of(shift) and network not in NOT_EXPORTED:
            assert whole_way(settings, loss, tmp_path / "predictor").boxes >= len(FINDINGS)
        else:
            assert np.isfinite(stepped(*made(settings), loss)).all()


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_triple_and_every_way_to_a_stride_goes_the_whole_way(
    network: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Tracing takes nearly all of the time and depends on no loss: once a pooling.
    triples = []
    for pooling in POOLINGS:
        settings = ModelConfig(backbone=network, transition_channels=8, pooling=pooling)
        program = export.traced(*made(settings), optimize=False)
        triples += [(settings, loss, program) for loss in LOSSES]
    reached = [
        (ModelConfig(backbone=network, transition_channels=8, stride_px=stride_px, stride_by=way,  # type: ignore[arg-type]
                     pooling="lse"), LOSSES[0], None)
        for stride_px, ways in registry.find(network).reach.items()
        for way in ways
    ]  # fmt: skip
    lines = [
        whole_way(settings, loss, tmp_path / str(number), program)
        for number, (settings, loss, program) in enumerate(triples + reached)
    ]
    assert min(line.boxes for line in lines) >= len(FINDINGS)
    path = ROOT / ".thorax/test-full" / f"cross-{network}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.atomic_file(path) as temporary:
        temporary.write_text(table(lines))
    with capsys.disabled():
        print(f"\n{network}: {len(lines)} combinations went the whole way: {path}")


def table(lines: Iterable[Seen]) -> str:
    """The lines as a Markdown table."""
    names = [field.name for field in fields(Seen)]
    rows = [names, ["---"] * len(names)]
    for line in lines:
        values = astuple(line)
        rows.append([f"{each:.3g}" if isinstance(each, float) else str(each) for each in values])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
