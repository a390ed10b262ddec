"""First weights and checkpoints: files made here, and every way in which one can be wrong."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.model import checkpoint, registry, weights
from thorax.model.classifier import Classifier, ModelConfig

SETTINGS = ModelConfig(backbone="resnet18", stride_px=8, transition_channels=8)


def classifier(settings: ModelConfig = SETTINGS, findings: int = 14) -> Classifier:
    return Classifier(settings, findings=findings)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THORAX_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def torchvision_file(root: Path) -> Path:
    torch.manual_seed(1)
    save_file(models.resnet18().state_dict(), root / "resnet18.safetensors")
    return root / "resnet18.safetensors"


def test_a_torchvision_file_fills_the_backbone_and_sums_the_three_channels(
    torchvision_file: Path,
) -> None:
    model = classifier()
    weights.initialise(model, SETTINGS, weights=torchvision_file.name)
    found = weights.read(torchvision_file)
    backbone = model.backbone.state_dict()
    torch.testing.assert_close(
        backbone["conv1.weight"], found["conv1.weight"].sum(dim=1, keepdim=True)
    )
    for key in ("layer2.1.conv2.weight", "bn1.running_var"):
        assert torch.equal(backbone[key], found[key])


def test_a_grey_image_is_answered_as_its_three_equal_copies_were(torchvision_file: Path) -> None:
    model = classifier()
    weights.initialise(model, SETTINGS, weights=torchvision_file.name)
    original = models.resnet18()
    original.load_state_dict(weights.read(torchvision_file))
    grey = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        expected = original.conv1(grey.expand(1, 3, 64, 64))
        torch.testing.assert_close(model.backbone.conv1(grey), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
@pytest.mark.parametrize("name", [name for name in registry.BACKBONES if name != "resnet10"])
def test_torchvisions_names_fit_every_network_at_every_stride(name: str, root: Path) -> None:
    options = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):  # names and shapes, no arithmetic
        published = models.get_model(name, **options).state_dict()
    found = {key: torch.zeros(value.shape, dtype=torch.int8) for key, value in published.items()
             if not key.startswith(("classifier", "fc"))}  # fmt: skip
    save_file(found, root / "published.safetensors")
    for stride_px, ways in registry.find(name).reach.items():
        for way in ways:
            settings = ModelConfig(
                backbone=name, stride_px=stride_px, stride_by=way, transition_channels=8
            )
            with torch.device("meta"):
                model = classifier(settings)
            weights.initialise(model, settings, weights="published.safetensors")
            loaded = {key for key in model.backbone.state_dict() if "num_batches" not in key}
            assert loaded and loaded <= {key.removeprefix("features.") for key in found}


def test_a_whole_model_goes_on_from_where_it_stood(root: Path) -> None:
    first, second = classifier(), classifier()
    save_file(first.state_dict(), root / "champion.safetensors")
    weights.initialise(second, SETTINGS, weights="champion.safetensors")
    for key, value in second.state_dict().items():
        assert torch.equal(value, first.state_dict()[key]), key


def test_a_file_of_another_network_is_refused_by_name(root: Path, torchvision_file: Path) -> None:
    deep = ModelConfig(backbone="resnet34", stride_px=8, transition_channels=8)
    with pytest.raises(BadInput, match=r"resnet18.safetensors .*another network \(lacks layer1.2"):
        weights.initialise(classifier(deep), deep, weights=torchvision_file.name)
    save_file(classifier(findings=8).state_dict(), root / "eight.safetensors")
    with pytest.raises(BadInput, match=r"eight.safetensors: .*prediction.* is \(8"):
        weights.initialise(classifier(), SETTINGS, weights="eight.safetensors")


def test_a_whole_model_for_other_findings_or_another_order_is_refused(root: Path) -> None:
    swapped = (*FINDINGS[1::-1], *FINDINGS[2:])
    checkpoint.write(
        root, classifier().state_dict(), settings=SETTINGS, findings=swapped, size_px=64
    )
    with pytest.raises(BadInput, match=r"weights.safetensors was trained for .*another order"):
        weights.initialise(classifier(), SETTINGS, weights="weights.safetensors")


def test_a_broken_file_in_the_cache_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(root))
    cache = root / "hub/checkpoints"
    cache.mkdir(parents=True)
    (cache / "resnet18-f37072fd.pth").write_bytes(b"half a file")
    with pytest.raises(BadInput, match=r"f37072fd.pth cannot be read .*put the whole file there"):
        weights.initialise(classifier(), SETTINGS, weights="imagenet")


@pytest.mark.parametrize("content", [None, b"", b"not safetensors at all, but long enough"])
def test_a_missing_or_broken_file_is_named(root: Path, content: bytes | None) -> None:
    if content is not None:
        (root / "w.safetensors").write_bytes(content)
    with pytest.raises(BadInput, match=r"w\.safetensors is"):
        weights.initialise(classifier(), SETTINGS, weights="w.safetensors")


def test_imagenet_without_cache_and_network_names_both_ways_out(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(root))
    # a proxy that nobody answers at: the machine without a network
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    # urllib keeps the proxies of its first call for the whole process
    monkeypatch.setattr("urllib.request._opener", None)
    with pytest.raises(BadInput, match="put the file there, or set"):
        weights.initialise(classifier(), SETTINGS, weights="imagenet")
    assert "downloading the ImageNet weights of resnet18 from http" in capsys.readouterr().err


def test_imagenet_for_a_backbone_without_is_refused(root: Path) -> None:
    settings = ModelConfig(backbone="resnet10", stride_px=16, transition_channels=8)
    with pytest.raises(BadInput, match="no ImageNet weights for resnet10"):
        weights.initialise(classifier(settings), settings, weights="imagenet")


def written(folder: Path) -> Path:
    torch.manual_seed(2)
    checkpoint.write(
        folder, classifier().state_dict(), settings=SETTINGS, findings=FINDINGS, size_px=64
    )
    return folder


def test_a_checkpoint_reads_back_as_the_same_network(tmp_path: Path) -> None:
    trained = checkpoint.load(written(tmp_path))
    torch.manual_seed(2)
    pixels = torch.zeros(1, 1, 64, 64)
    assert torch.equal(trained.classifier(pixels)[0], classifier().eval()(pixels)[0])
    assert trained.description.findings == FINDINGS
    assert not trained.classifier.training


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    for name in (checkpoint.WEIGHTS, checkpoint.MODEL):
        first, second = written(tmp_path / "a") / name, written(tmp_path / "b") / name
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("findings", ["Mass"], "weights of another network"),
        ("findings", [*FINDINGS[::-1]], "another order of them"),
        ("settings", {"backbone": "resnet50", "stride_px": 8}, "weights of another network"),
        ("settings", {"backbone": "resnet19"}, "unknown backbone"),
        ("size_px", "large", "size_px"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = written(tmp_path) / checkpoint.MODEL
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(BadInput, match=message):
        checkpoint.load(tmp_path)
