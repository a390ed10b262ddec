"""The report of `thorax evaluate`: one HTML file that can be mailed, and one screen.

The figures lie inside the file. The words stand in `site_report.html.j2`; no number is written by
hand.
"""

import base64
from pathlib import Path
from typing import Any, Final

import jinja2
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from thorax import artifacts, findings
from thorax.origin import Origin
from thorax.schemas.estimate import Estimate

Summary = dict[str, Any]
_FIGURES: Final = {
    "roc.png": "Ranking",
    "pr.png": "Precision and sensitivity",
    "calibration.png": "Calibration",
}


def write(path: Path, whole: Summary, slices: list[Summary], *, confidence: float) -> None:
    """Write the report; the figures are read from its folder.

    Args:
        path: the HTML file.
        whole: the content of metrics.json, with null for what is undefined.
        slices: the content of slices.json.
        confidence: of the intervals.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["display"] = display
    environment.globals["between"] = between
    pictures = {
        title: base64.b64encode((path.parent / name).read_bytes()).decode()
        for name, title in _FIGURES.items()
    }
    order = [name for name in findings.FINDINGS if name in whole["findings"]]
    page = environment.get_template("site_report.html.j2").render(
        whole=whole, slices=slices, level=f"{confidence:.0%}", pictures=pictures, order=order,
        origin=Origin(**whole["origin"]),
    )  # fmt: skip
    artifacts.write_text(path, page)


def number(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"


def between(entry: Summary, name: str, digits: int = 3, value: str = "") -> str:
    """The interval of `name` in `entry`, `not estimable`, or a dash; see `Estimate.read`."""
    return Estimate.read(entry, name, value=value).interval_text(digits)


def display(name: str) -> str:
    """A finding, or several joined by `|`, as a person reads it."""
    return " or ".join(findings.display(each) for each in name.split("|"))


def print_screen(whole: Summary, report: Path) -> None:
    """One screen: per finding AUC, and what the shipped and a refitted threshold give here."""
    mean = whole["mean"]
    title = (
        f"{whole['predictor']} on {whole['source']}: {whole['images']:,} images of "
        f"{whole['patients']:,} patients"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("finding", no_wrap=True)
    rates = ("ship.\nsens", "\nspec", "refit\nsens", "\nspec")
    for name in ("pos.", "AUC", "interval", *rates):
        table.add_column(name, justify="right", no_wrap=True)
    shipped = whole["operating_points"]["youden"]["findings"]
    refitted = whole["refitted"]["operating_points"]["youden"]["findings"]
    for name in (name for name in findings.FINDINGS if name in whole["findings"]):
        entry = whole["findings"][name]
        shares = [
            number(each[name][f"{rate}_score"], 2)
            for each in (shipped, refitted)
            for rate in ("sensitivity", "specificity")
        ]
        table.add_row(
            findings.display(name), f"{entry['positives']:,}", number(entry["auc_score"], 3),
            between(entry, "auc", 2), *shares,
        )  # fmt: skip
    score, ends = number(mean["auc_score"]), between(mean, "auc", 2)
    table.add_row(f"[bold]mean of {mean['findings']}[/]", "", f"[bold]{score}[/]", ends)
    console = Console()
    console.print(Panel(table, title="Thorax", title_align="left", padding=(0, 1)))
    for line, style in (
        (title, "bold"),
        (Origin(**whole["origin"]).line, ""),
        (f"trained on: {whole['trained_on']}", ""),
        ("ship.: at the predictor's own threshold; refit: chosen here, cross-fitted", "dim"),
        *((note, "yellow") for note in whole["notes"]),
        (_calibration(mean), ""),
        (f"report: {report}", ""),
    ):
        console.print(line, style=style, highlight=False, soft_wrap=True)


def _calibration(mean: Summary) -> str:
    error, before = number(mean["calibration_error"]), number(mean["calibration_before_error"])
    return f"mean calibration error {error} with the shipped calibration, {before} without"
