"""`thorax validate`: judge the data alone, and say in one screen what is wrong with it.

Brings reports, dataset and validation up to date through DVC, as the retraining's flow does; trains
nothing and starts no Prefect.
"""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from flows import dvc, look, running
from flows.label_stages import STAGES
from thorax import artifacts, config, environment, validity
from thorax.cli import settings
from thorax.errors import BadInput, Refused, ThoraxError

ACCEPTED, REFUSED = 0, 2

_STYLES = {"critical": "red", "waived": "yellow", "warning": "yellow"}
_NAME_A_ROW = ("image", "patient", "report", "row")
_SHOWN = 12
"""Failed checks on one screen; the page has all."""


def validate(*, now: datetime | None = None) -> int:
    """Judge the data, print the summary, and return the exit status.

    Args:
        now: the present, with its time zone; None asks the clock.

    Returns:
        0 when the data is accepted; 2 when it is refused, or when the waiver behind it has ended.

    Raises:
        ThoraxError: it could not be judged (exit status 1).
    """
    root = artifacts.root()
    environment.apply(root)
    for section in STAGES:  # a mistake is said before anything runs
        config.load(section, settings.model_of(section))
    if not (root / "data/source.json").exists():
        raise BadInput("no data has been pulled yet: `thorax pull` gets some")
    with running.exclusively("validation of the data"):
        for stage in STAGES:
            print(f"stage {stage}", flush=True)
            _reproduce(stage)
    folder = root / "artifacts/validation"
    verdict = artifacts.read_json(folder / "verdict.json")
    ended = look.ended_waiver(root, now=now)
    console = Console()
    console.print(screen(verdict, ended))
    console.print(f"page: {folder / 'docs/summary.html'}", highlight=False, soft_wrap=True)
    return ACCEPTED if look.accepts(verdict, now=now or datetime.now(UTC)) else REFUSED


def _reproduce(stage: str) -> None:
    """Bring a stage up to date; whatever keeps it from that means that nothing was judged."""
    try:
        dvc.write("repro", "--single-item", stage)
    except (Refused, dvc.Killed) as error:
        raise ThoraxError(f"the data could not be judged: {error}") from error


def screen(verdict: dict[str, Any], ended: str) -> Panel:
    """The verdict on one screen.

    Args:
        verdict: the content of verdict.json.
        ended: why it no longer counts; empty when it does.
    """
    failed = sorted(
        (check for check in verdict["checks"] if not check["success"]),
        key=lambda check: ("critical", "waived", "warning").index(_kind(check)),
    )
    refused = verdict["verdict"] == "refuse" or bool(ended)
    parts = [Text(_headline(verdict, ended), style="bold red" if refused else "bold green")]
    counts = validity.count(verdict["checks"])
    parts += [Text(f"{counts.failed} of {counts.evaluated} checks do not hold{counts.apart}")]
    if ended:
        parts += [Text(ended, style="red")]
    for check in failed[:_SHOWN]:
        parts += [Text(), *_lines(check)]
    if len(failed) > _SHOWN:
        parts += [Text(), Text(f"and {len(failed) - _SHOWN} more on the page", style="dim")]
    for waiver in validity.waivers(verdict):
        said = (
            f"waiver: {waiver['person']} accepts {waiver['expectation']!r} "
            f"until {waiver['expires']}: {waiver['reason']}"
        )
        parts += [Text(), Text(said, style="yellow")]
    return Panel(Group(*parts), title="Thorax: the data", title_align="left", padding=(1, 2))


def _headline(verdict: dict[str, Any], ended: str) -> str:
    if verdict["verdict"] == "refuse":
        return "refused"
    if ended:
        return f"refused: accepted only until {verdict['valid_until']}"
    return f"accepted until {verdict['valid_until']}" if verdict["valid_until"] else "accepted"


def _lines(check: dict[str, Any]) -> list[Text]:
    """What failed, what was found with the first row, and why it matters."""
    kind = _kind(check)
    lines = [
        Text.assemble(
            (f"{kind}: ", f"bold {_STYLES[kind]}"),
            f"{check['table']}: does not hold: {check['name']}",
        ),
        Text(f"  found {check['observed']}; {check['reason']}"),
    ]
    if check["rows"]:
        row = sorted(check["rows"][0].items(), key=lambda item: item[0] not in _NAME_A_ROW)
        said = ", ".join(f"{key} {value}" for key, value in row if value != "")
        lines.append(Text(f"  first: {said}", style="dim"))
    return lines


def _kind(check: dict[str, Any]) -> str:
    return "waived" if check.get("waiver") else str(check["severity"])
