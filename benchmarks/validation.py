"""How fast the tabular suites are on NIH's whole table: 112,120 rows, against plain pandas.

Side by side, in turns: our suites (helper columns, small statistics tables, and every check judged
by Great Expectations with the failing rows named), and the same rules written by hand in pandas, as
one would without us, failing rows named as well. Both must find the same number of failing rows.
Left out on both sides: reading the files, importing the library, and Data Docs, which are timed
alone. What of our time passes before the library is called (helper columns, statistics tables) is
near what the fastest pandas for these rules would take; the rest is the library's own. The images'
measures are made up, since the suites of the images are not measured here. Memory is what the
first run adds to the process at its highest point.

    OMP_NUM_THREADS=1 PYTHONPATH=src python -m benchmarks.validation FOLDER_WITH_NIHS_TABLES
"""

import csv
import gzip
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from benchmarks import validation_rules as pandas_rules
from thorax import artifacts, config
from thorax.dataset import labels, split, tables
from thorax.dataset.settings import DatasetConfig
from thorax.findings import FINDINGS, known_column, target_column
from thorax.sources.layout import COLUMNS
from thorax.sources.nih import tables as nih
from thorax.sources.tables import write_csv
from validation import adjudicated, boxes, entries, inputs, manifest, reports, runner
from validation import labels as mined
from validation.checks import Table
from validation.inputs import Inputs
from validation.settings import ValidationConfig

REPEATS = 7


def main() -> None:
    """Print the times, their ratio, and the memory."""
    given = read(Path(sys.argv[1]))
    settings = config.load("validation", ValidationConfig, artifacts.root() / "params.yaml")
    with tempfile.TemporaryDirectory() as folder:
        runner.judge(runner.open_context(Path(folder)), tabular(cut(given, 50), settings),
                     rows_named=settings.rows_named)  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ours = judge(given, settings, Path(folder))
        extra_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        peer = pandas_rules.run(given, settings)
        agree(ours, peer)
        work = (lambda: judge(given, settings, Path(folder)),
                lambda: pandas_rules.run(given, settings),
                lambda: tabular(given, settings))  # fmt: skip
        (ours_s, ours_wall_s), (peer_s, peer_wall_s), (columns_s, _) = timed(*work)
    print(f"{len(ours)} checks, {sum(not item.success for item in ours)} fail")
    print(f"ours   {ours_s:6.2f} s processor, {ours_wall_s:6.2f} s wall")
    print(f"       {columns_s:6.2f} s processor of it before the library: columns, statistics")
    print(f"pandas {peer_s:6.2f} s processor, {peer_wall_s:6.2f} s wall")
    print(f"ratio  {ours_s / peer_s:6.2f}; to the columns alone {ours_s / columns_s:.2f}")
    print(f"memory {extra_mb:.0f} MB more than before")
    print(f"Data Docs alone {docs_s(given, settings):6.2f} s processor")


def read(folder: Path) -> Inputs:
    """NIH's tables as a pull would write them and the dataset stage would join them."""
    with gzip.open(folder / "Data_Entry_2017_v2020.csv.gz", "rt") as file:
        names = [row[0] for row in csv.reader(file)][1:]
    content, _ = nih.read(folder, {Path(name).stem: name for name in names})
    with tempfile.TemporaryDirectory() as place:
        for name in COLUMNS:
            write_csv(Path(place) / f"{name}.csv", content[name])
        text = {name: artifacts.read_csv(Path(place) / f"{name}.csv") for name in COLUMNS}
        table = _manifest(tables.read_entries(Path(place) / "entries.csv"))
    return Inputs(
        "nih", "", text["entries"], text["boxes"], text["reports"], text["adjudicated"],
        text["truth"], pd.DataFrame(columns=list(mined.COLUMNS), dtype=str), table, pd.DataFrame(),
    )  # fmt: skip


def _manifest(given: pd.DataFrame) -> pd.DataFrame:
    settings = config.load("dataset", DatasetConfig, artifacts.root() / "params.yaml")
    none = pd.DataFrame(columns=["report", "finding", "state"], dtype=str)
    judged = labels.join(given, pd.DataFrame(columns=["image", "report"]), none, "ignore")
    count = len(given)
    table = given[["image", "patient", "follow_up", "age_years", "sex", "view"]].assign(
        split=split.assign(given, settings).to_numpy(), archive="a", shard="s",
        row=np.arange(count), readable=True, reason="", label_source="given", width_px=1024,
        height_px=1024, channels=1, bit_depth=8, mean_level=120.0, std_level=50.0, low_share=0.0,
        high_share=0.0, sha256=[f"{number:064x}" for number in range(count)],
    )  # fmt: skip
    for place, name in enumerate(FINDINGS):
        table[target_column(name)] = judged.targets[:, place]
        table[known_column(name)] = judged.known[:, place]
    return table


def cut(given: Inputs, rows: int) -> Inputs:
    """The same with few rows, to load every part of the library once."""
    return Inputs(
        given.source, "", given.entries.head(rows), given.boxes.head(0), given.reports,
        given.adjudicated.head(0), given.truth, given.labels, given.manifest.head(rows),
        given.copies,
    )  # fmt: skip


def tabular(given: Inputs, settings: ValidationConfig) -> list[Table]:
    """The suites of `validation.inputs` without the one of the images."""
    judged = entries.judged(given.entries)
    known = set(judged["image"])
    return [
        entries.table(judged, settings, source=given.source),
        boxes.table(boxes.judged(given.boxes, given.manifest)),
        reports.table(reports.judged(given.reports, known)),
        mined.table(given.labels),
        adjudicated.table(adjudicated.judged(given.adjudicated, known)),
        manifest.table(given.manifest, settings),
        *inputs.derived(given, inputs.count(given), settings),
    ]


def judge(given: Inputs, settings: ValidationConfig, folder: Path) -> list[runner.Outcome]:
    context = runner.open_context(folder)
    return runner.judge(context, tabular(given, settings), rows_named=settings.rows_named)


def docs_s(given: Inputs, settings: ValidationConfig) -> float:
    with tempfile.TemporaryDirectory() as folder:
        context = runner.open_context(Path(folder))
        runner.judge(context, tabular(given, settings), rows_named=settings.rows_named)
        started = time.process_time()
        context.build_data_docs()
        return time.process_time() - started


def agree(ours: list[runner.Outcome], peer: dict[str, int]) -> None:
    """Both found the same number of failing rows, check by check."""
    found = {f"{item.table}: {item.name}": item.unexpected_count for item in ours
             if not str(item.observed).startswith("not applicable")}  # fmt: skip
    different = {name: (found.get(name), peer.get(name)) for name in {*found, *peer}
                 if found.get(name) != peer.get(name)}  # fmt: skip
    if different:
        raise SystemExit(f"the two do not agree: {different}")


def timed(*works: Callable[[], object]) -> list[tuple[float, float]]:
    """Median processor and wall seconds of each, in turns."""
    seconds: list[list[tuple[float, float]]] = [[] for _ in works]
    for _ in range(REPEATS):
        for place, work in enumerate(works):
            cpu, wall = time.process_time(), time.perf_counter()
            work()
            seconds[place].append((time.process_time() - cpu, time.perf_counter() - wall))
    return [(median(cpu for cpu, _ in one), median(wall for _, wall in one)) for one in seconds]


if __name__ == "__main__":
    main()
