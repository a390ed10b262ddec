"""Every committed settings file is loaded by the models that drive the code."""

from pathlib import Path

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from thorax import config
from thorax.cli import presets, settings
from thorax.cli.settings import SECTIONS, model_of
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.model import ensemble
from thorax.sources.phantom.patients import studies
from thorax.sources.phantom.source import PhantomConfig
from thorax.training.settings import TrainingConfig

ROOT = Path(__file__).resolve().parents[1]


def flat(values: dict, above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found


def test_every_section_has_a_model_and_every_model_a_section() -> None:
    params = config.read_params(ROOT / "params.yaml")
    assert set(params) - {"preset"} == set(SECTIONS)


@pytest.fixture(scope="module", params=[None, *presets.names(ROOT)])
def merged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed params.yaml, with one of the presets merged into it."""
    folder = tmp_path_factory.mktemp("merged")
    (folder / "presets").mkdir()
    for name in ("params.yaml", *(f"presets/{name}.yaml" for name in presets.names(ROOT))):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    if request.param:
        presets.merge(request.param, folder)
    return folder / "params.yaml"


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_committed_settings_load(section: str, merged: Path) -> None:
    assert config.load(section, model_of(section), merged).model_config["frozen"]


def test_every_preset_sets_the_same_keys() -> None:
    keys = {name: set(flat(yaml.safe_load((ROOT / f"presets/{name}.yaml").read_text())))
            for name in presets.names(ROOT)}  # fmt: skip
    assert {"phantom-small", "phantom", "nih-subset", "nih-full"} <= set(keys)
    assert len({frozenset(value) for value in keys.values()}) == 1, keys


def test_the_committed_params_are_the_default_preset(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    for name in ("params.yaml", "presets/phantom-small.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    assert presets.merge("phantom-small", tmp_path) == []


def training_flops(preset: str) -> float:
    """Floating-point operations of a preset's training: forward and twice as much backward."""
    params = config.read_params(ROOT / "params.yaml")
    values = config.read_params(ROOT / f"presets/{preset}.yaml")
    settings = config.parse(values["training"], TrainingConfig, preset)
    side = values["dataset"]["size_px"]
    phantom = PhantomConfig.model_validate(params["sources"]["phantom"])
    images = sum(
        len(studies(phantom.seed, patient, phantom.prevalence, phantom.doubt_share))
        for patient in range(1, phantom.patients + 1)
    )
    network = ensemble.build(settings.model, findings=len(FINDINGS)).train()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        for member in ensemble.members_of(network):
            member.features(torch.zeros(2, 1, side, side))
    passes = images * params["dataset"]["train_share"] * settings.epochs
    return 3 * counter.get_total_flops() / 2 * passes


def test_the_default_preset_trains_in_minutes_by_one_core() -> None:
    """At 50 billion operations a second, which one core reached, 6e12 are two minutes."""
    assert training_flops("phantom-small") < 6e12
    assert training_flops("phantom") > 5 * training_flops("phantom-small")


def test_the_default_preset_computes_by_one_thread_so_that_other_work_cannot_stall_it() -> None:
    assert config.load("training", TrainingConfig, ROOT / "params.yaml").threads == 1


def test_an_unknown_key_is_named_with_its_file_and_the_likely_key(tmp_path: Path) -> None:
    params = config.read_params(ROOT / "params.yaml")
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({**params, "schedule": {"cronn": "0 2 * * 0"}}))
    with pytest.raises(BadInput, match=r"params.yaml: schedule: unknown key 'cronn' .*'cron'"):
        config.load("schedule", model_of("schedule"), path)


def test_an_unknown_section_is_named_before_work_begins(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text() + "\ntrainning:\n  epochs: 3\n")
    with pytest.raises(BadInput, match="unknown section 'trainning'"):
        settings.check(path)


def test_an_unknown_preset_lists_those_that_there_are() -> None:
    with pytest.raises(BadInput, match="phantom-small"):
        presets.merge("phantom-huge", ROOT)


def test_merging_keeps_comments_and_reports_changes(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("# why\na:\n  b: 1  # here\n  c: 2\n")
    changes = presets.set_values({"a": {"b": 3}}, tmp_path)
    assert [(change.key, change.old, change.new) for change in changes] == [("a.b", 1, 3)]
    assert (tmp_path / "params.yaml").read_text() == "# why\na:\n  b: 3  # here\n  c: 2\n"
