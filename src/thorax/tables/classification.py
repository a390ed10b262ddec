"""Tables 3 and 17: the AUC of the networks, the paper's beside ours.

Table 3 has the eight findings of ChestX-ray8, four networks, and ResNet-50 without the weights in
the loss; table 17 the fourteen of ChestX-ray14.
"""

import math
from typing import Any

from thorax.tables import comparable, figures, published
from thorax.tables.published import EIGHT, FOURTEEN, MEAN
from thorax.tables.runs import Run, not_run, of_experiment, present
from thorax.tables.table import Cell, Row, Table, missing, number, scored

EXPERIMENT = "paper"
# What table 3 compares: name, network and loss in paper/table3.csv, the experiment's run.
_LINES = (
    ("AlexNet", "alexnet", "w-cel", "alexnet-w-cel"),
    ("GoogLeNet", "googlenet", "w-cel", "googlenet-w-cel"),
    ("VGG-16", "vgg16", "w-cel", "vgg16-w-cel"),
    ("ResNet-50, W-CEL", "resnet50", "w-cel", "resnet50-w-cel"),
    ("ResNet-50, CEL", "resnet50", "cel", "resnet50-cel"),
)
_RESNET = "resnet50-w-cel"


def build() -> list[Table]:
    """Tables 3 and 17."""
    here, runs = present(), of_experiment(EXPERIMENT)
    return [_table3(here, runs), _table17(here, runs)]


def auc_cells(run: Run, columns: tuple[str, ...]) -> dict[str, Cell]:
    """A run's AUC per finding with its interval and positives, and their mean over `columns`."""
    if not run.evaluation:
        return missing(columns, run.reason)
    entries = run.evaluation["findings"]
    cells = {finding: _auc(entries.get(finding)) for finding in columns if finding != MEAN}
    cells[MEAN] = _mean(run, cells)
    return cells


def _auc(entry: dict[str, Any] | None) -> Cell:
    if entry is None:
        return Cell(reason="the evaluation does not know this finding")
    return scored(entry, "auc", count=entry["positives"], reason=entry["reason"])


def _mean(run: Run, cells: dict[str, Cell]) -> Cell:
    """The mean; its interval stands in metrics.json when the columns are all findings there."""
    if unknown := [finding for finding, cell in cells.items() if math.isnan(cell.value)]:
        reason = f"no mean over {len(cells)}: {len(unknown)} of them have no AUC"
        return Cell(reason=reason)
    value = math.fsum(cell.value for cell in cells.values()) / len(cells)
    whole = run.evaluation["mean"]
    if set(cells) == set(run.evaluation["findings"]):
        return Cell(value, number(whole["auc_low"]), number(whole["auc_high"]))
    part = run.evaluation.get("mean_chestx_ray8", {})
    return Cell(value, number(part.get("auc_low")), number(part.get("auc_high")))


def positives_row(run: Run, columns: tuple[str, ...], *, name: str = "positive images") -> Row:
    """How many test images show each finding."""
    entries = run.evaluation.get("findings", {})
    cells = {
        finding: Cell(float(entries[finding]["positives"]))
        for finding in columns
        if finding in entries
    }
    return Row("test set, ours", name, "ours", cells, "count")


def _table3(here: Run, runs: dict[str, Run]) -> Table:
    rows: list[Row] = []
    for name, network, loss, key in _LINES:
        run = runs.get(key, not_run(EXPERIMENT, key))
        paper = published.auc("table3", network=network, loss=loss)
        rows.append(Row(name, "paper", "paper", paper))
        rows.append(Row(name, "ours", "ours", auc_cells(run, EIGHT)))
    rows.append(Row(f"this run: {here.label}", "ours", "ours", auc_cells(here, EIGHT)))
    first = _evaluated(here, runs)
    rows.append(positives_row(first, EIGHT))
    return Table(
        name="table-3",
        title="Table 3: AUC of the networks on the eight findings of ChestX-ray8",
        columns=EIGHT,
        rows=tuple(rows),
        computed_on=comparable.computed_on(first),
        comparable=comparable.classification(first, split_published=False),
        notes=budgets([*runs.values()]) + other_images(here, [*runs.values()]),
        draw=lambda path, warning: figures.draw_findings(
            path,
            warning,
            rows,
            EIGHT,
            title="AUC on the eight findings (table 3)",
            across="AUC",
            chance=0.5,
        ),
    )


def _evaluated(here: Run, runs: dict[str, Run]) -> Run:
    """Whose test images a table speaks of: this run's, or else those of the first that has any."""
    return next((run for run in (here, *runs.values()) if run.evaluation), here)


def _table17(here: Run, runs: dict[str, Run]) -> Table:
    run = runs.get(_RESNET, not_run(EXPERIMENT, _RESNET))
    first = _evaluated(here, {_RESNET: run})
    rows = [
        Row("ResNet-50", "paper", "paper", published.auc("table17")),
        Row("ResNet-50, W-CEL", "ours", "ours", auc_cells(run, FOURTEEN)),
        Row(f"this run: {here.label}", "ours", "ours", auc_cells(here, FOURTEEN)),
        positives_row(first, FOURTEEN),
    ]
    return Table(
        name="table-17",
        title="Table 17: AUC on the fourteen findings of ChestX-ray14",
        columns=FOURTEEN,
        rows=tuple(rows),
        computed_on=comparable.computed_on(first),
        comparable=comparable.classification(first, split_published=True),
        notes=budgets([run]) + other_images(here, [run]),
        draw=lambda path, warning: figures.draw_findings(
            path,
            warning,
            rows,
            FOURTEEN,
            title="AUC on the fourteen findings (table 17)",
            across="AUC",
            chance=0.5,
        ),
        tall=True,
    )


def budgets(runs: list[Run]) -> tuple[str, ...]:
    """On what budget the experiments' runs were trained, one sentence for all that share it."""
    named: dict[str, list[str]] = {}
    for run in runs:
        if run.budget and run.evaluation:
            named.setdefault(run.recipe, []).append(run.name)
    paper = "the paper used 1,024 px and about 10,000 steps of 80 images"
    return tuple(f"{', '.join(names)}: {recipe}; {paper}." for recipe, names in named.items())


def other_images(here: Run, runs: list[Run]) -> tuple[str, ...]:
    """Which runs were scored on other images than the present run."""
    mine = here.evaluation.get("images"), here.source
    others = [
        f"{run.name} ({comparable.computed_on(run).rstrip('.')})"
        for run in runs
        if run.evaluation and (run.evaluation["images"], run.source) != mine
    ]
    return (f"Scored on other images than this run: {'; '.join(others)}.",) if others else ()
