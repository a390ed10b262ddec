"""The sweep of poolings (the paper's figure 6): mean AUC over r of log-sum-exp, average and max.

The paper prints curves without numbers, so there is nothing of its own to stand beside ours.
"""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from thorax.tables import comparable, figures, published
from thorax.tables.classification import auc_cells, budgets, other_images, positives_row
from thorax.tables.published import EIGHT
from thorax.tables.runs import Run, not_run, of_experiment, pooling_label, present
from thorax.tables.table import Row, Table

EXPERIMENT = "pooling"
_PAPER_SAYS = (
    "The paper prints no numbers here (figure 6): average and max lie close together, LSE is worst "
    "at r = 5 and best near r = 10, where it is above both."
)


def build() -> list[Table]:
    """The table of the sweep."""
    here = present()
    runs = of_experiment(EXPERIMENT)
    swept = [_run_of(runs, line) for line in published.read("figure6").to_dict("records")]
    rows = [Row(name, "ours", "ours", auc_cells(run, EIGHT)) for name, run in swept]
    first = next((run for _, run in swept if run.evaluation), here)
    rows.append(Row(f"this run: {here.label}", "ours", "ours", auc_cells(here, EIGHT)))
    rows.append(positives_row(first, EIGHT))
    return [
        Table(
            name="pooling",
            title="Figure 6: AUC by global pooling",
            columns=EIGHT,
            rows=tuple(rows),
            computed_on=comparable.computed_on(first),
            comparable=comparable.classification(first, split_published=False),
            notes=(_PAPER_SAYS, *budgets([*runs.values()]), *other_images(here, [*runs.values()])),
            draw=lambda path, warning: figures.draw_sweep(path, warning, swept_means(swept)),
        )
    ]


def swept_means(swept: list[tuple[str, Run]]) -> pd.DataFrame:
    """name, r (NaN for average and max), and the mean AUC over the eight with its interval."""
    rows = []
    for name, run in swept:
        mean = auc_cells(run, EIGHT)[published.MEAN]
        r = float(name.removeprefix("LSE r = ")) if name.startswith("LSE") else math.nan
        rows.append({"name": name, "r": r, "value": mean.value, "low": mean.low, "high": mean.high})
    return pd.DataFrame(rows)


def _run_of(runs: dict[str, Run], line: Mapping[Hashable, Any]) -> tuple[str, Run]:
    """The run whose network pools as a line of paper/figure6.csv says, whatever its name."""
    wanted = pooling_label({"pooling": line["pooling"], "lse_r": line["r"]})
    for run in runs.values():
        if pooling_label(run.network) == wanted:
            return wanted, run
    return wanted, not_run(EXPERIMENT, wanted)
