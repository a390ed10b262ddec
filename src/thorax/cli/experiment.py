"""`thorax experiment`: run what is not finished of an experiment, and show how each run did."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from flows import experiment_definition as definition
from flows import experiment_plan, experiment_tree, orphans, prefect_server, running, versions
from flows import experiment_result as result
from flows.experiment_definition import REDUCED, Experiment
from flows.experiment_plan import Plan
from thorax import artifacts, config, environment
from thorax.cli import presets, settings
from thorax.errors import BadInput, ThoraxError
from thorax.locks import hold
from thorax.schemas.estimate import Estimate
from thorax.sources import registry, version
from thorax.sources.config import SourcesConfig
from thorax.sources.fingerprint import fingerprint, is_current, last_folder


def print_names() -> None:
    """Print the experiments that there are."""
    root = artifacts.root()
    for name in definition.names(root):
        print(f"{name:<10} {definition.load(name, root).about}")


def print_runs(name: str) -> None:
    """Print an experiment's runs and how each stands; starts nothing."""
    experiment = definition.load(name, artifacts.root())
    print(experiment.about)
    Console().print(_table(name, experiment, list(experiment.runs)))


def clean(name: str) -> None:
    """Remove an experiment's worktrees with their artifacts and states; results stay."""
    root = artifacts.root()
    definition.load(name, root)
    with _lock(name):
        for place in sorted(result.folder(name).glob("*/")):
            if experiment_tree.remove(root, place / "tree"):
                print(f"removed the worktree of {name}/{place.name}; its result stays")


def run(
    name: str,
    *,
    runs: list[str],
    budget: str | None,
    source: str | None,
    from_path: Path | None,
    preset: str | None,
) -> None:
    """Run what is not finished, then print every run's mean AUC.

    Raises:
        ThoraxError: a run failed; the others ran all the same.
    """
    root = artifacts.root()
    environment.apply(root)
    experiment = definition.load(name, root)
    wanted = [run for each in runs for run in each.split(",") if run]
    chosen = definition.choose_runs(experiment, wanted)
    with _lock(name):
        with running.exclusively(f"experiment {name}: settings and data"):
            _settle_params(preset, source, root)
            settled = _settle_budget(name, experiment, budget)
            _pull_if_needed(from_path, root)
            plans = experiment_plan.plan(name, chosen, settled)
        _announce(plans, budget is None)
        if not all(each.is_finished() for each in plans):
            _check(plans)
            _run_flow(name, chosen, settled)
    Console().print(_table(name, experiment, chosen))
    _raise_if_failed(name, chosen)


def _lock(name: str) -> AbstractContextManager[None]:
    return hold(result.folder(name) / "lock", f"experiment {name}", wait=False)


def _settle_params(preset: str | None, source: str | None, root: Path) -> None:
    """Merge them into params.yaml, as `thorax retrain` does."""
    changes = presets.merge(preset, root) if preset else []
    if source:
        registry.find(source)  # an unknown one is said before it is written
        changes += presets.set_values({"sources": {"name": source}}, root)
    for change in changes:
        print(f"params.yaml: {change.key}: {change.old} -> {change.new}")


def _check(plans: list[Plan]) -> None:
    """Load every section of every run, so that a mistake is said before anything runs."""
    for each in plans:
        for section in settings.SECTIONS:
            where = f"{each.name}: {section}"
            config.parse(each.params.get(section), settings.model_of(section), where)


def _pull_if_needed(from_path: Path | None, root: Path) -> None:
    """Pull where there are no data of the configured source; a network is not asked again."""
    sources = config.load("sources", SourcesConfig)
    data, home = root / "data", artifacts.home()
    there = version.read_identity(data).get("source") == sources.name
    folder = from_path or last_folder(sources.name, home)
    cheap = from_path is not None or fingerprint(sources, folder) is not None
    current = is_current(sources, from_path=from_path, data=data, home=home)
    if not there or (cheap and not current):
        versions.pull_version(from_path)
    elif not versions.is_tracked():
        versions.track()


def _settle_budget(name: str, experiment: Experiment, wanted: str | None) -> str:
    """The budget; where none is named and runs were finished on another, it must be named."""
    base = config.read_params(artifacts.root() / "params.yaml")
    budget = definition.choose_budget(experiment, wanted, base)
    records = [result.read(name, run) for run in experiment.runs]
    others = {each.budget for each in records if each and each.status == "done"} - {budget}
    if wanted is None and others:
        raise BadInput(
            f"this machine would take the {budget} budget, but finished runs of {name} had "
            f"{' and '.join(sorted(others))}: name one with --budget, since figures of two budgets "
            "cannot be compared"
        )
    return budget


def _announce(plans: list[Plan], chosen_here: bool) -> None:
    """Say which budget runs, and that a reduced one gives no figures of the paper's kind."""
    first = plans[0]
    why = ""
    if chosen_here:
        why = " (training finds no GPU here)" if first.budget == REDUCED else " (a GPU is here)"
    print(f"Budget: {first.budget}{why}: {first.in_short()}", flush=True)
    if first.budget == REDUCED:
        print("Reduced: minutes instead of days, and figures that say nothing about the paper's")
    done = sum(each.is_finished() for each in plans)
    print(f"{done} of {len(plans)} runs are finished", flush=True)


def _run_flow(name: str, chosen: list[str], budget: str) -> None:
    orphans.end()
    prefect_server.require_answer()
    print("Starting Prefect", flush=True)
    from flows import ending
    from flows.experiment import experiment

    ending.at_once()
    with ending.with_server():
        experiment(name, chosen, budget, return_state=True).result()


def _table(name: str, experiment: Experiment, chosen: list[str]) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("run", "status", "mean AUC", "95% interval", "findings", "wall time", "budget"):
        left = column in ("run", "status", "budget")
        table.add_column(column, justify="left" if left else "right")
    for run in chosen:
        table.add_row(run, *_row(name, run))
    return table


def _row(name: str, run: str) -> tuple[str, ...]:
    """Status, mean AUC, interval, findings, wall time and budget of a run."""
    record = result.read(name, run)
    if record is None:
        return ("not begun", "-", "-", "-", "-", "-")
    status = _STATUS[record.status]
    metrics = result.finished(name, run)
    wall = f"{record.wall_s:,.0f} s"
    if metrics is None:
        return (status, "-", "-", "-", wall, record.budget)
    mean = metrics["mean"]
    estimate = Estimate.read(mean, "auc")
    score = "undefined" if mean["auc_score"] is None else estimate.value_text()
    return (status, score, estimate.interval_text(), str(mean["findings"]), wall, record.budget)


# A run that was killed looks like one under way, and both are gone on with by the same command.
_STATUS: Final = {
    "done": "[green]done[/]",
    "failed": "[red]failed[/]",
    "running": "[yellow]begun, not ended[/]",
}


def _raise_if_failed(name: str, chosen: list[str]) -> None:
    records = [result.read(name, run) for run in chosen]
    failed = [each for each in records if each and each.status == "failed"]
    if failed:
        reasons = "".join(f"\n  {each.run}: {each.reason}" for each in failed)
        raise ThoraxError(
            f"{len(failed)} of {len(chosen)} runs failed; mend and call it again:{reasons}"
        )
