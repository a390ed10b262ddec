"""The `thorax` command: a thin front over the same functions that the flows and stages call."""

import os
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from thorax import artifacts, disk_space, files
from thorax.cli import doubts
from thorax.cli.groups import data, schedule
from thorax.errors import BadInput, ThoraxError

app = typer.Typer(
    name="thorax",
    help="Retrain, check and ship chest X-ray models. Not a medical device.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_WRONG_USAGE = 64  # EX_USAGE of sysexits.h: 2 is left to verdicts

# The panels of `thorax --help`, and the commands in them, stand in working order.
_FIRST, _DATA, _LABELS = "First steps", "Data", "Labels"
_MODEL, _PRODUCTION, _EXPERIMENTS = "Model", "Production", "Experiments"

Source = Annotated[
    str | None, typer.Option(help="phantom, nih, openi or folder; default: params.yaml")
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="A folder that already has the source's files; default: the last pull's. "
        "The word `network` forgets that folder and downloads.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"thorax {version('thorax')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Retrain, check and ship chest X-ray models. Not a medical device."""


@app.command(rich_help_panel=_FIRST)
def retrain(
    source: Source = None,
    from_path: From = None,
    preset: Annotated[str | None, typer.Option(help="A name in presets/.")] = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Commit dvc.lock and data.dvc, and tag the release.")
    ] = False,
) -> None:
    """Pull, label, check, train, evaluate, gate and package; print one screen at the end."""
    from thorax.cli.retrain import retrain

    retrain(source=source, from_path=from_path, preset=preset, commit=commit)


@app.command(rich_help_panel=_FIRST)
def status() -> None:
    """Where everything stands, in one screen."""
    from thorax.cli.status import print_status

    print_status()


@app.command(rich_help_panel=_FIRST)
def doctor() -> None:
    """What this machine has and lacks, with what to do."""
    from thorax.cli.doctor import print_doctor

    print_doctor()


@app.command(rich_help_panel=_DATA)
def pull(
    source: Source = None,
    from_path: From = None,
    commit: Annotated[str | None, typer.Option(help="Commit data.dvc with this message.")] = None,
) -> None:
    """Pull data from a source and make it a dataset version."""
    from thorax.cli.versions import pull

    pull(source=source, from_path=from_path, commit=commit)


@app.command(rich_help_panel=_DATA)
def validate() -> None:
    """Check the data alone. Exit status: 0 accepted, 2 refused, 1 could not be checked."""
    from thorax.cli.validate import validate

    sys.exit(validate())


app.add_typer(data, name="data", rich_help_panel=_DATA)


@app.command(rich_help_panel=_DATA)
def forget(
    patient: Annotated[str, typer.Argument(help="The id, as in data/entries.csv.")],
    source: Annotated[str | None, typer.Option(help="Default: the source of data/.")] = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="Also from DVC's cache, the remotes and this machine.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List only.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a patient: the next data version is without them, and no pull brings them back."""
    from thorax.cli.forget import forget

    forget(patient, source=source, erase=erase, dry_run=dry_run, yes=yes)


@app.command(rich_help_panel=_LABELS)
def mine(
    report: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT|PATH]",
            help="One report's text (default: stdin), or a .txt, .xml, .csv, .tsv, .parquet, .tgz "
            "or folder of reports.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Parquet: one row per report and finding.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Every mention, with the rule's line.")
    ] = False,
    rules: Annotated[
        str | None, typer.Option(help="A folder with phrases/ and rules/ of your own.")
    ] = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="RULES_A RULES_B",
            help="Which labels flip from one such folder to another; `built-in` is Thorax's own.",
        ),
    ] = None,
    report_column: Annotated[
        str | None,
        typer.Option(
            help="A table's column of ids; default: report, or numbers where it has none."
        ),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(help="Its column of texts; default: text, or the only column."),
    ] = None,
    patient_column: Annotated[str, typer.Option(help="Its column of patients.")] = "patient",
) -> None:
    """Read findings out of reports, each with the sentence and the rule that decided it."""
    from thorax.cli.mine import mine

    columns = (report_column, text_column, patient_column)
    mine(report, output=output, explain=explain, rules=rules, diff=diff, columns=columns)


app.command(rich_help_panel=_LABELS)(doubts.noise)
app.command(rich_help_panel=_LABELS)(doubts.review)


@app.command(rich_help_panel=_MODEL)
def score(
    path: Annotated[
        Path, typer.Argument(help="A folder, an image, or a text file of image paths.")
    ],
    output: Annotated[
        Path,
        typer.Option(help="A .csv or .parquet file: one row per image and finding."),
    ],
    boxes: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file of boxes, when wanted.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="last|TAG|PATH",
            help="last: the blessed release that `serve` serves; a tag of .thorax/releases/, a "
            ".bento file, or a folder with a predictor.",
        ),
    ] = "last",
) -> None:
    """Score images: probabilities, thresholds, flags and warnings of each."""
    from thorax.cli.score import score

    score(path, output=output, boxes=boxes, model=model)


@app.command(rich_help_panel=_MODEL)
def show(
    image: Annotated[str, typer.Argument(help="A name in data/entries.csv.")],
    output: Annotated[Path, typer.Option(help="The PNG to write.")],
    finding: Annotated[str | None, typer.Option(help="Default: the most probable.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="The report beside it, its evidence marked.")
    ] = False,
) -> None:
    """Draw an image with a finding's heatmap, the model's boxes and the true ones."""
    from thorax.cli.show import show

    show(image, finding=finding, output=output, report=report)


@app.command(rich_help_panel=_MODEL)
def evaluate(
    release: Annotated[
        str | None,
        typer.Argument(
            help="A tag of .thorax/releases/, a .bento file, or a folder with a predictor; "
            "default: the last trained one."
        ),
    ] = None,
    on: Annotated[str, typer.Option(help="The source: folder, nih or phantom.")] = "folder",
    from_path: From = None,
    output: Annotated[
        Path | None, typer.Option(help="The folder of the report; default: .thorax/evaluations/.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="auto: the source's official test split where it has one, else all.")
    ] = "auto",
) -> None:
    """Evaluate a predictor on labelled images of your own, without training."""
    from thorax.cli.evaluate import evaluate

    evaluate(release, source=on, from_path=from_path, output=output, split=split)


@app.command(rich_help_panel=_PRODUCTION)
def serve(port: int = 3000) -> None:
    """Serve the last blessed bento on this machine."""
    from thorax.release.serve import serve

    serve(port)


app.add_typer(schedule, name="schedule", rich_help_panel=_PRODUCTION)


@app.command(rich_help_panel=_EXPERIMENTS)
def experiment(
    name: Annotated[
        str | None, typer.Argument(help="A file in experiments/; none: list them.")
    ] = None,
    more_runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Default: all runs.")
    ] = None,
    runs: Annotated[
        list[str] | None, typer.Option(help="The same: `--runs A B` or `--runs A,B`.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="full or reduced; default: full where there is a GPU."),
    ] = None,
    source: Source = None,
    from_path: From = None,
    preset: Annotated[str | None, typer.Option(help="A name in presets/.")] = None,
    show: Annotated[
        bool, typer.Option("--list", help="Show the runs and how each stands; start nothing.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove its worktrees; results stay.")
    ] = False,
) -> None:
    """Train what is to be compared, each run in its own worktree; call again to go on."""
    from thorax.cli import experiment as experiments

    if name is None:
        experiments.print_names()
    elif show:
        experiments.print_runs(name)
    elif clean:
        experiments.clean(name)
    else:
        experiments.run(
            name,
            runs=[*(runs or []), *(more_runs or [])],
            budget=budget,
            source=source,
            from_path=from_path,
            preset=preset,
        )


@app.command(rich_help_panel=_EXPERIMENTS)
def tables(
    which: Annotated[
        list[str] | None,
        typer.Argument(help="Numbers of the paper's tables, or groups of them; default: all."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the files; default: .thorax/tables.")
    ] = None,
    from_path: Annotated[
        Path | None,
        typer.Option("--from", help="For `labels`: OpenI's folder, mined and measured here."),
    ] = None,
) -> None:
    """Print and write the paper's tables next to ours."""
    from thorax.cli.tables import tables

    tables(which or [], output=output, from_path=from_path)


def main() -> None:
    """Run the command; what a user can fix is reported in plain lines, without a traceback.

    Exit status: 0 done, 1 an error that a user can fix, 2 a verdict forbids it, 64 wrong usage.
    """
    try:
        _prefer_checkout()
        status = app(sys.argv[1:] or ["--help"], prog_name="thorax", standalone_mode=False)
        sys.exit(status)
    except typer.TyperException as error:
        _print_usage_error(error)
        sys.exit(_WRONG_USAGE)
    except ThoraxError as error:
        print(f"thorax: {files.printable(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except Exception as error:
        line = disk_space.describe_full_disk(error, Path.cwd())
        if not line and isinstance(error, OSError):
            line = f"{error.filename or ''}: {error.strerror}"
        if not line:
            raise  # a crash is a crash
        print(f"thorax: {files.printable(line)}", file=sys.stderr)
        sys.exit(1)


def _print_usage_error(error: typer.TyperException) -> None:
    """One line on what is wrong and where the right usage is shown; a group alone shows it."""
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "thorax"
    what = error.format_message().rstrip(".")
    if what == "Missing command" and context:
        print(context.get_help())
    else:
        print(f"{command}: {what}; `{command} --help` shows the usage", file=sys.stderr)


def _prefer_checkout() -> None:
    """Import `flows`, `serving` and `validation` from the checkout that we stand in."""
    with suppress(BadInput):  # outside a checkout `--help` still works; commands say so themselves
        sys.path.insert(0, str(artifacts.root()))


if __name__ == "__main__":
    main()
