"""The pages of each run, served on loopback while `thorax schedule up` runs.

Prefect's artifacts link here: to what validation, evaluation and release wrote in that very run,
copied to `.thorax/pages/RUN/`, since the next run writes over `artifacts/`. Nothing else is served.
"""

import html
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flows.schedule_settings import ScheduleConfig
from thorax import artifacts, config
from thorax.errors import ThoraxError

KEPT: Final = 20
"""Runs whose pages stay, the newest."""

_FOLDERS: Final = {
    "validation": "artifacts/validation/docs",
    "validation_predictions": "artifacts/validation_predictions/docs",
    "evaluation": "artifacts/evaluation",
    "localization": "artifacts/localization",
    "release": "artifacts/release",
}
_SHOWN: Final = {".html", ".css", ".js", ".png", ".svg", ".jpg", ".json"}


def url(run: str, page: str = "") -> str:
    """Where `page` of a run is served."""
    port = config.load("schedule", ScheduleConfig).pages_port
    return f"http://127.0.0.1:{port}/{run}/{page}"


def keep(run: str, stages: Sequence[str]) -> None:
    """Copy what `stages` wrote in this run; the pages of the oldest runs go.

    Args:
        run: the flow run's id.
        stages: those that this run brought up to date, of validation, evaluation, release, ...
    """
    root = artifacts.root()
    with artifacts.atomic_folder(_folder() / run) as copy:
        for stage in stages:
            folder = root / _FOLDERS[stage]
            for file in sorted(folder.rglob("*")):
                if file.is_file() and not file.is_symlink():
                    _copy(file, copy / stage / file.relative_to(folder))
        (copy / "index.html").write_text(_index(copy, f"Run {run}"), encoding="utf-8")
    newest = sorted(_folder().iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in newest[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(port: int) -> Iterator[None]:
    """Serve the pages on 127.0.0.1:`port` within the `with` block.

    Raises:
        ThoraxError: they are not served, as when something else took the port meanwhile.
    """
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    _folder().mkdir(parents=True, exist_ok=True)
    # StaticFiles follows no link and leaves its folder by no path; a foreign page that made a name
    # of its own point to 127.0.0.1 is refused by the name it asks for.
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    files = StaticFiles(directory=_folder(), html=True)
    app = Starlette(routes=[Mount("/", files)], middleware=[hosts])
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=_run, args=(server,), name="pages", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.05)
    if not server.started:
        raise ThoraxError(f"the pages cannot be served on port {port} (schedule.pages_port)")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def _run(server: "uvicorn.Server") -> None:  # type: ignore[name-defined]  # noqa: F821
    try:
        server.run()
    except SystemExit:  # how uvicorn says that it could not bind
        return


def _folder() -> Path:
    return artifacts.home() / "pages"


def _copy(source: Path, target: Path) -> None:
    """Copy a page or a figure; Markdown becomes a page, which no browser shows by itself."""
    if source.suffix not in _SHOWN and source.suffix != ".md":
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".md":
        text = html.escape(source.read_text(encoding="utf-8"))
        page = _page(source.stem, f"<pre style='white-space:pre-wrap'>{text}</pre>")
        target.with_suffix(".html").write_text(page, encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def _index(folder: Path, title: str) -> str:
    shown = {
        "validation/summary.html": "Label quality: what is wrong with this version of the data",
        "validation/index.html": "Every check of the data",
        "validation_predictions/index.html": "Every check of the predictions",
        "evaluation/table.html": "Scores as tables",
        "evaluation/roc.png": "ROC curves",
        "evaluation/pr.png": "Precision and recall",
        "evaluation/calibration.png": "Calibration",
        "release/card.html": "Model card",
    }
    links = [
        f"<li><a href='{name}'>{text}</a></li>"
        for name, text in shown.items()
        if (folder / name).exists()
    ]
    return _page(title, f"<h1>{html.escape(title)}</h1><ul>{''.join(links)}</ul>")


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<body style='font-family:system-ui;margin:2rem;max-width:70rem'>{body}</body></html>\n"
    )
