"""What an experiment is: named runs that differ in params, and budgets to run them on.

`experiments/NAME.yaml` holds it as data. A run's params are those of the checkout, then the
experiment's, then the budget's, then the run's own; the later wins, key by key.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import Field, model_validator

from thorax import config
from thorax.config import Config
from thorax.errors import BadInput

FULL: Final = "full"
REDUCED: Final = "reduced"


class Run(Config):
    """One training of an experiment."""

    label: str = Field(min_length=1)
    """What a table calls it."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Sections of params.yaml with the keys that make this run what it is."""


class Experiment(Config):
    """Runs that are compared with one another."""

    about: str = Field(min_length=1)
    """What it answers, and where that question comes from."""
    params: dict[str, Any] = Field(default_factory=dict)
    """What all runs share."""
    budgets: dict[str, dict[str, Any]]
    """Params by budget: `full` and `reduced` at least."""
    runs: dict[str, Run] = Field(min_length=1)
    """By name, in the order in which they run."""

    @model_validator(mode="after")
    def _has_both_budgets(self) -> "Experiment":
        if missing := {FULL, REDUCED} - set(self.budgets):
            raise ValueError(f"budgets lacks {', '.join(sorted(missing))}")
        return self

    def params_of(self, run: str, budget: str, base: dict[str, Any]) -> dict[str, Any]:
        """The whole params.yaml of a run, on top of the checkout's `base`."""
        for values in (self.params, self.budgets[budget], self.runs[run].params):
            base = merged(base, values)
        return base


def names(root: Path) -> list[str]:
    """The experiments that there are."""
    return sorted(path.stem for path in (root / "experiments").glob("*.yaml"))


def load(name: str, root: Path) -> Experiment:
    """The definition in `experiments/NAME.yaml`; an unknown name is a `BadInput`."""
    if name not in names(root):
        raise BadInput(f"no experiment {name!r}; there are: {', '.join(names(root))}")
    path = root / "experiments" / f"{name}.yaml"
    return config.parse(config.read_params(path), Experiment, str(path))


def choose_runs(experiment: Experiment, wanted: list[str]) -> list[str]:
    """The runs of those names in the experiment's order; all when none is named."""
    if unknown := [run for run in wanted if run not in experiment.runs]:
        raise BadInput(f"no run {unknown[0]!r}; there are: {', '.join(experiment.runs)}")
    return [run for run in experiment.runs if run in wanted or not wanted]


def choose_budget(experiment: Experiment, wanted: str | None, base: dict[str, Any]) -> str:
    """The named budget; else `full` where training would find a GPU, and `reduced` elsewhere."""
    if wanted is None:
        on_cpu = base.get("training", {}).get("device") == "cpu"
        return FULL if not on_cpu and has_gpu() else REDUCED
    if wanted not in experiment.budgets:
        raise BadInput(f"no budget {wanted!r}; there are: {', '.join(experiment.budgets)}")
    return wanted


def has_gpu() -> bool:
    """Whether torch sees a GPU; asked in a process of its own, since flows import no torch."""
    if not (Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi")):
        return False
    code = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def to_yaml(params: dict[str, Any]) -> str:
    """The text of a params.yaml; the same params give the same text."""
    return yaml.safe_dump(params, sort_keys=False, width=100)


def merged(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """`base` with `values` in it, key by key; neither is changed."""
    whole = dict(base)
    for key, value in values.items():
        both = isinstance(value, dict) and isinstance(whole.get(key), dict)
        whole[key] = merged(whole[key], value) if both else value
    return whole
