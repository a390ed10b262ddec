"""`thorax retrain`: merge the preset, look for something to do, and only then start Prefect."""

from pathlib import Path

from rich.console import Console

from flows import commit as commits
from flows import look, orphans, prefect_server, running, versions
from thorax import artifacts, environment
from thorax.cli import presets, screen, settings
from thorax.errors import BadInput, ThoraxError
from thorax.sources import registry


def retrain(
    *, source: str | None, from_path: Path | None, preset: str | None, commit: bool = False
) -> None:
    """Retrain once and print the last screen; with `commit` commit what came of it."""
    root = artifacts.root()
    environment.apply(root)
    console = Console()
    if from_path is not None and str(from_path) != versions.NETWORK and not from_path.is_dir():
        raise BadInput(
            f"{from_path}: no such folder; name the one that holds the images and tables"
        )
    with running.exclusively("retraining"):
        _settle_params(source, preset, root, console)
        orphans.end()
        _retrain_if_needed(from_path, console, commit=commit)
        screen.print_last(console)
        if commit:
            _commit()


def _retrain_if_needed(from_path: Path | None, console: Console, *, commit: bool) -> None:
    root = artifacts.root()
    if reason := look.what_is_to_do(from_path):
        prefect_server.require_answer()  # first: importing Prefect fails where it is no address
        settings.check(root / "params.yaml")
        console.print(f"[bold]Retraining[/]: {reason}", highlight=False)
        _run_flow(from_path, commit=commit)
    else:
        console.print("[bold]Nothing to do[/]: data, code and settings are those of the last run.")


def _commit() -> None:
    """Commit what the flow has not: the last run was not asked to, or could not."""
    release = commits.current_release(artifacts.root())
    made = commits.commit(f"released {release}" if release else "no release")
    if made.problem:
        raise ThoraxError(str(made))
    if made.commit or made.tag:
        print(made)


def _settle_params(source: str | None, preset: str | None, root: Path, console: Console) -> None:
    changes = presets.merge(preset, root) if preset else []
    if source:
        registry.find(source)  # an unknown one is said before it is written
        changes += presets.set_values({"sources": {"name": source}}, root)
    if changes:
        console.print("params.yaml now says", highlight=False)
        for change in changes:
            console.print(f"  {change.key}: {change.old} -> [bold]{change.new}[/]", highlight=False)


def _run_flow(from_path: Path | None, *, commit: bool) -> None:
    print("Starting Prefect", flush=True)
    from flows import ending
    from flows.retraining import retraining

    ending.at_once()
    with ending.with_server():
        state = retraining(
            from_path=str(from_path) if from_path else None, commit=commit, return_state=True
        )
    state.result()
