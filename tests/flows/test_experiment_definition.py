from pathlib import Path

import pytest
import yaml

from flows import experiment_definition as definition
from thorax import config
from thorax.cli import presets
from thorax.cli.settings import SECTIONS, model_of
from thorax.errors import BadInput
from thorax.model.registry import BACKBONES

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = definition.names(ROOT)


def bases() -> dict[str, dict]:
    """The params that there may be: the committed ones with each preset merged."""
    base = config.read_params(ROOT / "params.yaml")
    return {
        name: definition.merged(base, config.read_params(ROOT / f"presets/{name}.yaml"))
        for name in presets.names(ROOT)
    }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_run_of_every_committed_experiment_has_settings_that_load(name: str) -> None:
    experiment = definition.load(name, ROOT)
    for preset, base in bases().items():
        for budget in experiment.budgets:
            for run in experiment.runs:
                params = experiment.params_of(run, budget, base)
                for section in SECTIONS:
                    where = f"{name}, {run}, {budget} on {preset}: {section}"
                    config.parse(params[section], model_of(section), where)
                assert params["training"]["model"]["backbone"] in BACKBONES


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_no_two_runs_of_an_experiment_are_the_same(name: str) -> None:
    experiment = definition.load(name, ROOT)
    base = config.read_params(ROOT / "params.yaml")
    texts = [
        definition.to_yaml(experiment.params_of(run, "reduced", base)) for run in experiment.runs
    ]
    assert len(set(texts)) == len(experiment.runs)


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.parametrize("budget", ["full", "reduced"])
def test_runs_of_one_experiment_see_the_same_images(name: str, budget: str) -> None:
    experiment = definition.load(name, ROOT)
    base = config.read_params(ROOT / "params.yaml")
    datasets = [experiment.params_of(run, budget, base)["dataset"] for run in experiment.runs]
    assert all(each == datasets[0] for each in datasets)


def test_the_paper_is_there_with_its_five_runs_and_the_pooling_sweep_with_its_nine() -> None:
    paper, pooling = definition.load("paper", ROOT), definition.load("pooling", ROOT)
    assert set(paper.runs) == {
        "alexnet-w-cel", "googlenet-w-cel", "vgg16-w-cel", "resnet50-w-cel", "resnet50-cel",
    }  # fmt: skip
    base = config.read_params(ROOT / "params.yaml")
    models = [pooling.params_of(run, "full", base)["training"]["model"] for run in pooling.runs]
    swept = [model["lse_r"] for model in models if model["pooling"] == "lse"]
    assert swept == [0.1, 0.5, 1, 5, 8, 10, 12]
    assert sorted(m["pooling"] for m in models if m["pooling"] != "lse") == ["average", "max"]


def test_the_full_budget_is_the_papers_size_batch_and_optimizer() -> None:
    base = config.read_params(ROOT / "params.yaml")
    for run in definition.load("paper", ROOT).runs:
        params = definition.load("paper", ROOT).params_of(run, "full", base)
        training = params["training"]
        assert params["dataset"]["size_px"] == 1024
        assert training["batch_size"] * training["accumulate_steps"] == 80
        assert (training["optimizer"], training["weights"]) == ("sgd", "imagenet")
        assert (training["model"]["pooling"], training["model"]["lse_r"]) == ("lse", 10.0)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_run_is_one_network_with_nothing_beside_it_whatever_the_preset(name: str) -> None:
    experiment = definition.load(name, ROOT)
    for base in bases().values():
        for budget in experiment.budgets:
            for run in experiment.runs:
                training = experiment.params_of(run, budget, base)["training"]
                model = training["model"]
                assert (model["members"], model["mirrored"]) == (1, False)
                assert (model["scattering"]["share"], training["context"]["weight"]) == (0, 0)


def write(root: Path, **changes: object) -> None:
    whole = {
        "about": "Which is better",
        "budgets": {"full": {"a": {"x": 1}}, "reduced": {"a": {"x": 2}}},
        "runs": {"one": {"label": "One"}, "two": {"label": "Two", "params": {"a": {"y": 9}}}},
    }
    (root / "experiments").mkdir(exist_ok=True)
    (root / "experiments/mine.yaml").write_text(yaml.safe_dump(whole | changes))


def test_the_runs_own_params_win_over_the_budgets_and_those_over_the_checkouts(
    tmp_path: Path,
) -> None:
    write(tmp_path, params={"a": {"x": 0, "y": 0, "z": 0}})
    mine = definition.load("mine", tmp_path)
    base = {"a": {"x": -1, "y": -1, "z": -1, "w": -1}, "b": 5}
    assert mine.params_of("two", "full", base) == {"a": {"x": 1, "y": 9, "z": 0, "w": -1}, "b": 5}
    assert base["a"]["x"] == -1


def test_mistakes_are_named_with_what_there_is(tmp_path: Path) -> None:
    write(tmp_path)
    mine = definition.load("mine", tmp_path)
    with pytest.raises(BadInput, match="no experiment 'your'; there are: mine"):
        definition.load("your", tmp_path)
    with pytest.raises(BadInput, match="no run 'three'; there are: one, two"):
        definition.choose_runs(mine, ["one", "three"])
    with pytest.raises(BadInput, match="no budget 'half'; there are: full, reduced"):
        definition.choose_budget(mine, "half", {})
    write(tmp_path, budgets={"full": {}})
    with pytest.raises(BadInput, match=r"mine.yaml.*budgets lacks reduced"):
        definition.load("mine", tmp_path)
    write(tmp_path, rnus={})
    with pytest.raises(BadInput, match=r"unknown key 'rnus' \(did you mean 'runs'"):
        definition.load("mine", tmp_path)


def test_runs_keep_the_experiments_order_and_all_run_when_none_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    mine = definition.load("mine", tmp_path)
    assert definition.choose_runs(mine, ["two", "one"]) == ["one", "two"]
    assert definition.choose_runs(mine, []) == ["one", "two"]


def test_training_on_the_cpu_takes_the_reduced_budget(tmp_path: Path) -> None:
    write(tmp_path)
    mine = definition.load("mine", tmp_path)
    on_cpu = {"training": {"device": "cpu"}}
    assert definition.choose_budget(mine, None, on_cpu) == "reduced"
    assert definition.choose_budget(mine, "full", on_cpu) == "full"
    expected = "full" if definition.has_gpu() else "reduced"
    assert definition.choose_budget(mine, None, {"training": {"device": "auto"}}) == expected
