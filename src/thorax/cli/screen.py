"""The last screen of a retraining: version, label quality, AUC, gate, bento, what next.

Reads the files that the stages wrote, and only those; prints nothing that is not in them.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from flows import look, versions
from thorax import artifacts, validity
from thorax.findings import FINDINGS, display
from thorax.schemas.estimate import Estimate

_COLOURS = {
    "accept": "green",
    "pass": "green",
    "refuse": "red",
    "fail": "red",
    "insufficient evidence": "yellow",
}


def print_last(console: Console) -> None:
    """Print where the last retraining ended."""
    folder = artifacts.root() / "artifacts"
    verdict = _read(folder / "validation/verdict.json")
    metrics = _read(folder / "evaluation/metrics.json")
    decision = _read(folder / "gate/decision.json")
    manifest = _read(folder / "release/manifest.json")
    ended = look.ended_waiver(artifacts.root())
    parts: list[Any] = [_dataset_line(), _labels(verdict)]
    refused = verdict is None or verdict["verdict"] != "accept" or bool(ended)
    if ended:
        parts += [_line("", ended, "red")]
    if not refused and metrics:
        parts += [Text(), _auc_table(metrics), *_notes(metrics)]
    if not refused and decision:
        parts += [Text(), _gate(decision)]
    blessed = not refused and decision is not None and decision["verdict"] == "pass"
    if blessed and manifest:
        parts += [_line("bento", manifest["tag"], "bold")]
    parts += [Text(), _next_command(refused, blessed)]
    console.print(Panel(Group(*parts), title="Thorax", title_align="left", padding=(1, 2)))


def _read(path: Path) -> Any:
    return artifacts.read_json(path) if path.exists() else None


def _line(name: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{name:<14}", "dim"), (value, style))


def _dataset_line() -> Text:
    source = artifacts.read_json(artifacts.root() / "data/source.json")
    images = sum(archive["images"] for archive in source["archives"].values())
    return _line("dataset", f"{versions.current()[:12]}  {source['source']}, {images:,} images")


def _labels(verdict: Any) -> Group:
    if verdict is None:
        return Group(_line("label quality", "not judged yet", "yellow"))
    failed = [check for check in verdict["checks"] if not check["success"]]
    counts = validity.count(verdict["checks"])
    until = f" until {verdict['valid_until']}" if verdict.get("valid_until") else ""
    head = f"{verdict['verdict']}{until}  {counts.hold} of {counts.evaluated} checks hold"
    head += counts.apart
    lines = [_line("label quality", head, _COLOURS[verdict["verdict"]])]
    for check in sorted(failed, key=lambda check: check["severity"] != "critical")[:6]:
        kind = "waived" if check.get("waiver") else check["severity"]
        style = "red" if kind == "critical" else "yellow"
        said = f"{kind}: {check['table']}: does not hold: {check['name']}"
        lines.append(_line("", f"{said} (found {check['observed']})", style))
    if len(failed) > 6:
        lines.append(_line("", f"and {len(failed) - 6} more in artifacts/validation/docs", "dim"))
    lines += [
        _line("", f"waiver until {waiver['expires']}: {waiver['person']}: {waiver['reason']}")
        for waiver in validity.waivers(verdict)
    ]
    return Group(*lines)


def _auc_table(metrics: Any) -> Table:
    split = metrics["split"]
    title = f"AUC on {metrics['images']:,} {split} images of {metrics['patients']:,} patients"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in ("finding", "AUC", "95% interval", "positives", ""):
        table.add_column(name, justify="left" if name in ("finding", "") else "right")
    for finding in FINDINGS:
        row = metrics["findings"].get(finding)
        if row is not None:
            positives = str(row["positives"])
            table.add_row(
                display(finding),
                *_score(row),
                positives,
                row.get("reason") or _bar(row["auc_score"]),
            )
    mean = metrics["mean"]
    table.add_row(
        "[bold]mean[/]", *_score(mean), "", f"over {mean['findings']} findings", end_section=True
    )
    return table


def _score(row: Any) -> tuple[str, str]:
    estimate = Estimate.read(row, "auc")
    return estimate.value_text(), estimate.interval_text()


def _notes(metrics: Any) -> list[Text]:
    """The subgroup that is ranked worst, and how far the operating points kept their promise."""
    worst = metrics.get("subgroups", {}).get("worst")
    lines = [_worst(worst)] if worst else []
    for name, point in metrics.get("operating_points", {}).items():
        if point.get("measure"):
            lines.append(_point(name, point))
    return [Text(), *lines] if lines else []


def _worst(part: Any) -> Text:
    gap = part["gap"]
    interval = Estimate.read(gap, "difference").interval_text()
    over = f"{gap['findings']} findings" if gap["findings"] > 1 else "1 finding"
    return _line(
        "worst part",
        f"{part['slice']} {part['value']}: mean AUC {gap['auc_score']:.3f} against "
        f"{gap['rest_auc_score']:.3f} elsewhere (gap {interval}, over {over})",
        "yellow" if gap["difference_high"] < 0 else "",
    )


def _point(name: str, point: Any) -> Text:
    entries = point["findings"].values()
    count = Counter(entry["outcome"] for entry in entries if entry["threshold"] is not None)
    without = sum(entry["threshold"] is None for entry in entries)
    parts = [f"{number} {outcome}" for outcome, number in count.items()]
    parts += [f"{without} without a threshold"] if without else []
    return _line(name, f"{point['aim']}: {', '.join(parts)}", "red" if count["missed"] else "")


def _bar(score: float | None) -> str:
    """AUC 0.5 to 1 as a bar of ten cells."""
    filled = 0 if score is None else round(max(0.0, min(1.0, (score - 0.5) * 2)) * 10)
    return "[cyan]" + "━" * filled + "[/][dim]" + "─" * (10 - filled) + "[/]"


def _gate(decision: Any) -> Group:
    """The verdict, what failed or holds the model back, and how many rules had too little to say.

    Of findings with few positives there can be dozens; each stands in the decision and the card.
    """
    rules = decision["rules"]
    ignored = [
        rule
        for rule in rules
        if rule["verdict"] not in ("pass", "fail") and rule.get("on_insufficient") == "ignore"
    ]
    passed = sum(rule["verdict"] == "pass" for rule in rules)
    head = f"{decision['verdict']}  {passed} of {len(rules) - len(ignored)} rules hold"
    lines = [_line("gate", head, _COLOURS[decision["verdict"]])]
    others = [rule for rule in rules if rule["verdict"] != "pass" and rule not in ignored]
    for rule in sorted(others, key=lambda rule: str(rule["verdict"]) != "fail")[:8]:
        lines.append(_line("", f"{rule['verdict']}: {rule['reason']}", _COLOURS[rule["verdict"]]))
    if ignored:
        more = f"{len(ignored)} more have too little evidence and are ignored"
        lines.append(_line("", f"{more}: artifacts/gate/decision.json", "dim"))
    return Group(*lines)


def _next_command(refused: bool, blessed: bool) -> Text:
    if refused:
        page = "artifacts/validation/docs/summary.html"
        what = f"open {page}, mend the data or labels, then: make retrain"
    elif blessed:
        what = "make serve      (then: curl -F image=@chest.png http://127.0.0.1:3000/predict)"
    else:
        what = "open artifacts/evaluation, change params.yaml or the data, then: make retrain"
    return _line("next", what, "bold")
