"""`thorax noise`, `thorax review` and its `--diff`, `--apply` and `--agreement`."""

import getpass
import math
import sys
import webbrowser
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from thorax import artifacts, config, environment
from thorax.cli import consoles
from thorax.errors import BadInput
from thorax.findings import display
from thorax.review import answers, overlay, queue
from thorax.review.agreement import agreement
from thorax.review.answers import Answers
from thorax.review.server import Server
from thorax.review.session import Session
from thorax.review.settings import ReviewConfig

_STAGE = "optional/dvc.yaml:label_noise"
_WORDS = {"0": "absent", "1": "present"}
_SHOWN = 40  # changes that are printed
_PIPED_COLUMNS = 200  # names of images and readers, whole


def noise() -> None:
    """Run the stage `label_noise` alone; what it rests on is not run, and must be there."""
    from flows import dvc, running

    root = artifacts.root()
    environment.apply(root)
    with running.exclusively("search for wrong labels"):
        # Only now: a running retraining removes what it is about to make again.
        for needed in ("artifacts/dataset/manifest.parquet", "artifacts/inference/predictor"):
            if not (root / needed).exists():
                raise BadInput(f"{root / needed} is missing: train first (make retrain)")
        dvc.write("repro", "--single-item", _STAGE)
    print(f"{root / 'artifacts/label_noise'}: suspects.parquet, noise.json. Now `thorax review`")


def read(reader: str, *, port: int, browser: bool) -> None:
    """Serve the page to one reader until Ctrl-C."""
    root = artifacts.root()
    settings = config.load("review", ReviewConfig)
    name = answers.check_reader(reader or getpass.getuser())
    items = queue.ordered(queue.read(root), name, block=settings.block)
    with answers.opened(_folder(), name) as mine:
        session = Session(items, mine, settings.show_scores)
        with Server(session, port=port) as server:
            print(
                f"{name}: {_progress(session)}. Keys: K keep, F flip, U unsure, H heatmap, Z undo"
            )
            print(f"{server.url}\nCtrl-C ends it; every answer is already kept.", flush=True)
            if browser and sys.stdout.isatty():
                webbrowser.open(server.url)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print(f"\n{name}: {_progress(session)}")


def print_diff() -> None:
    """Print which labels of the data corrections change, or would when they are applied."""
    root = artifacts.root()
    path = root / "corrections.csv"
    flips = _decided()
    now = overlay.labels_of(root / "artifacts/dataset/manifest.parquet")
    found = overlay.changes(path, flips, labels_now=now)
    if not found:
        print("No label of the data differs from corrections.csv, and no flip waits.")
        return
    table = Table("image", "finding", "label", "readers", "where", box=None, pad_edge=False)
    for change in found[:_SHOWN]:
        label = f"{_WORDS.get(change.now, change.now)} -> [bold]{_WORDS[str(change.becomes)]}[/]"
        image, finding = change.key
        table.add_row(image, display(finding), label, change.readers, change.where)
    consoles.wide(piped_columns=_PIPED_COLUMNS).print(table)
    if len(found) > _SHOWN:
        print(f"and {len(found) - _SHOWN:,} more")
    print("`thorax review --apply` writes what waits; `make retrain` takes corrections.csv up.")


def apply() -> None:
    """Write the decided flips to `corrections.csv`."""
    root = artifacts.root()
    path = root / "corrections.csv"
    now = overlay.labels_of(root / "artifacts/dataset/manifest.parquet")
    flips = _decided()
    today = datetime.now(UTC).date()
    written = overlay.apply(flips, path, labels_now=now, today=today)
    needed = config.load("review", ReviewConfig).readers_needed
    print(
        f"{len(written):,} labels flipped into {path} ({needed} readers must agree); "
        f"{len(flips) - len(written):,} flips are there already or are of labels that changed since"
    )
    if written:
        print("Look at `git diff corrections.csv`, commit it, and `make retrain`.")


def print_agreement() -> None:
    """Print kappa over the readers who are through; others learn nothing while they read."""
    items = queue.read(artifacts.root())
    asked = {item.key for item in items}
    readers = answers.all_readers(_folder())
    if not readers:
        raise BadInput("nobody has reviewed a label here yet: `thorax review --reader NAME`")
    done = [each for each in readers if asked <= set(each.said)]
    for each in readers:
        left = len(asked - set(each.said))
        print(f"{each.reader}: {_counts(each)}" if not left else f"{each.reader}: {left:,} left")
    found = agreement(done)
    if math.isnan(found.kappa):
        print(f"kappa: none among {len(done)} readers who are through ({found.reason})")
    else:
        kind = "Cohen's" if len(done) == 2 else "Fleiss'"
        print(
            f"{kind} kappa {found.kappa:.2f} of {', '.join(found.readers)} on {found.labels:,} "
            f"labels; all agree on {found.share:.0%}"
        )


def _decided() -> list[overlay.Flip]:
    settings = config.load("review", ReviewConfig)
    return overlay.decided(answers.all_readers(_folder()), needed=settings.readers_needed)


def _folder() -> Path:
    return artifacts.home() / "review"


def _progress(session: Session) -> str:
    state = session.state()
    return f"{state['done']:,} of {state['total']:,} labels answered"


def _counts(reader: Answers) -> str:
    said = [each.answer for each in reader.said.values()]
    return ", ".join(f"{said.count(answer):,} {answer}" for answer in answers.ANSWERS)
