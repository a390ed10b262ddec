"""The commands that come in groups: `thorax data ...` and `thorax schedule ...`."""

from typing import Annotated

import typer

from thorax import artifacts, environment

data = typer.Typer(help="Dataset versions, thin over git and DVC.")
schedule = typer.Typer(help="Retraining on a schedule.")


@data.command("log")
def data_log() -> None:
    """List the dataset versions, newest first."""
    from thorax.cli.versions import print_log

    print_log()


@data.command("diff")
def data_diff(
    old: Annotated[
        str, typer.Argument(help="A tag, a digest's beginning or a git revision.")
    ] = "HEAD",
    new: Annotated[str | None, typer.Argument(help="Default: the working tree.")] = None,
) -> None:
    """Show which images, labels and tables changed between two versions."""
    from thorax.cli.versions import print_diff

    print_diff(old, new)


@data.command("checkout")
def data_checkout(revision: str) -> None:
    """Bring data.dvc and data/ to an earlier version."""
    from thorax.cli.versions import checkout

    checkout(revision)


@data.command("commit")
def data_commit(message: Annotated[str, typer.Option("--message", "-m")]) -> None:
    """Commit data.dvc alone; whatever else is staged stays staged."""
    from thorax.cli.versions import commit

    commit(message)


@data.command("tag")
def data_tag(name: str) -> None:
    """Name the committed version of the working tree."""
    from thorax.cli.versions import tag

    tag(name)


@data.command("push")
def data_push() -> None:
    """Send the version in the working tree to the DVC remote."""
    from thorax.cli.versions import push

    push()


@schedule.command("up")
def schedule_up() -> None:
    """Serve the retraining flow with the cron of params.yaml until it is stopped."""
    environment.apply(artifacts.root())
    from flows.schedule import up

    up()
