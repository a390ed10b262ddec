"""What the runs of an experiment are to be: each a commit. Imports no Prefect, and runs nothing."""

from dataclasses import dataclass
from typing import Any

from flows import experiment_definition, experiment_result, experiment_tree
from thorax import artifacts, config

STAGES = (
    "reports", "dataset", "validation", "training", "inference", "localization", "evaluation",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A run that is to be: which, on what budget, and the commit that says all the rest."""

    experiment: str
    run: str
    label: str
    budget: str
    commit: str
    params: dict[str, Any]

    @property
    def name(self) -> str:
        """`EXPERIMENT/RUN`."""
        return f"{self.experiment}/{self.run}"

    def is_finished(self) -> bool:
        """Whether the very same was run to its end before."""
        record = experiment_result.read(self.experiment, self.run)
        return record is not None and (record.status, record.commit) == ("done", self.commit)

    def in_short(self) -> str:
        """What decides how long it takes and how good it can get."""
        training = self.params["training"]
        steps = training["batch_size"] * training.get("accumulate_steps", 1)
        return (
            f"{self.params['sources']['name']} at {self.params['dataset']['size_px']} px, "
            f"{training['epochs']} epochs, {steps} images a step, first weights "
            f"{training['weights']}"
        )


def plan(name: str, runs: list[str], budget: str) -> list[Plan]:
    """Commit what each run is to be, from the checkout as it lies there.

    Args:
        name: a file in `experiments/`.
        runs: names of its runs, in order.
        budget: one of its budgets.
    """
    root = artifacts.root()
    experiment = experiment_definition.load(name, root)
    base = config.read_params(root / "params.yaml")
    code = experiment_tree.snapshot(root)
    plans = []
    for run in runs:
        params = experiment.params_of(run, budget, base)
        commit = experiment_tree.commit(root, code, params, run=f"{name}/{run}")
        plans.append(Plan(name, run, experiment.runs[run].label, budget, commit, params))
    return plans
