"""`thorax status`: data version, stale stages, last run, verdicts and champion in one screen."""

from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from flows import dvc, look, record, running, versions
from flows.schedule_settings import ScheduleConfig
from thorax import artifacts, config, environment
from thorax.errors import BadInput
from thorax.release import releases
from thorax.schemas.estimate import Estimate


def print_status() -> None:
    """Print where everything stands. Reads only."""
    root = artifacts.root()
    environment.apply(root)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for step in running.describe(root):
        table.add_row("running", step)
    for name, value in (
        ("preset", str(config.read_params(root / "params.yaml").get("preset", "-"))),
        ("data", _data(root)),
        ("stale", _stale()),
        ("last run", _last_run()),
        ("schedule", _schedule(root)),
        ("label quality", _label_quality(root)),
        ("mean AUC", _mean_auc(root / "artifacts/evaluation/metrics.json")),
        ("gate", _verdict(root / "artifacts/gate/decision.json")),
        ("bento", _bento()),
        ("champion", _champion(root)),
    ):
        table.add_row(name, value)
    Console().print(table)


def _data(root: Path) -> str:
    if not versions.current():
        return "none; `thorax pull` gets some"
    found = [version for version in versions.log() if version.digest.startswith(versions.current())]
    where = f"committed {found[0].commit}" if found and found[0].commit else "not committed"
    tags = f" ({', '.join(found[0].tags)})" if found and found[0].tags else ""
    missing = "" if (root / "data").exists() else "; data/ is not here, `thorax pull` brings it"
    return f"{versions.current()[:12]}{tags}, {where}{missing}"


def _stale() -> str:
    try:
        stale = dvc.status()
    except (dvc.Busy, BadInput) as error:
        return f"not known now: {error}"
    waiting = look.not_run_after_refusal(artifacts.root())
    names = [name for name in stale if name not in waiting]
    withheld = [name for name in stale if name in waiting]
    text = ", ".join(names) if names else "nothing"
    return text + (f"   (not run after the refusal: {', '.join(withheld)})" if withheld else "")


def _last_run() -> str:
    runs = record.entries("runs")
    if not runs:
        return "none on this machine"
    return f"{runs[-1]['time']}: {runs[-1]['outcome']}, {runs[-1]['seconds']:.0f} s"


def _schedule(root: Path) -> str:
    """Where the schedule is served and when it runs next, from the note of whoever serves it."""
    settings = config.load("schedule", ScheduleConfig, root / "params.yaml")
    path = artifacts.home() / "schedule.json"
    note = artifacts.read_json(path) if path.exists() else None
    if note is None or not _serves_a_schedule(note["pid"]):
        cron = f"{settings.cron!r} ({settings.timezone})"
        return f"not running; `thorax schedule up` retrains on {cron} while it runs"
    return f"next run {note['next'] or 'not planned yet'}; {note['runs']} shows the runs"


def _serves_a_schedule(pid: int) -> bool:
    """Whether the process is still the one that wrote the note: numbers are used again."""
    try:
        return "schedule" in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False


def _label_quality(root: Path) -> str:
    path = root / "artifacts/validation/verdict.json"
    content = artifacts.read_json(path) if path.exists() else None
    until = content.get("valid_until") if isinstance(content, dict) else None
    on_waiver = f", on a waiver until {until}" if until else ""
    ended = look.ended_waiver(root)
    return _verdict(path) + (", but the waiver ended; nothing is trained" if ended else on_waiver)


def _verdict(path: Path) -> str:
    if not path.exists():
        return "none yet"
    content = artifacts.read_json(path)
    said = content.get("verdict") if isinstance(content, dict) else None
    return str(said or f"none in {path}: it was changed by hand; make retrain writes it again")


def _mean_auc(path: Path) -> str:
    if not path.exists():
        return "none yet"
    mean: dict[str, Any] = artifacts.read_json(path)["mean"]
    if mean["auc_score"] is None:
        return "undefined"
    return Estimate.read(mean, "auc").text()


def _bento() -> str:
    manifest = releases.last()
    return str(artifacts.read_json(manifest)["tag"]) if manifest else "none yet"


def _champion(root: Path) -> str:
    """The release that `production.yaml` names."""
    path = root / "production.yaml"
    release = config.read_params(path).get("release") if path.exists() else None
    return str(release or "none: production.yaml names no release")
