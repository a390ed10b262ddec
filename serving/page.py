"""The pages: `/`, where one chooses an image and sees the answer, and `/docs`.

The first says what the model learned from and what was accepted in its data. It takes the place of
BentoML's own front page, which loads a tracker from outside.
"""

import html
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from serving import docs
from thorax.inference.colours import COLOURS
from thorax.inference.predictor import DESCRIPTION, TrainedOn

_PAGE = Path(__file__).with_name("page.html")
_BUNDLE = Path(__file__).resolve().parent.parent
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' blob:; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}


def render(bundle: Path = _BUNDLE) -> str:
    """The page, with what the files of `bundle` say of the model and of its data."""
    places = {
        "<!-- trained on -->": html.escape(f"Trained on: {trained_on(bundle)}."),
        "<!-- waivers -->": "".join(
            f'<p class="waiver">{html.escape(line)}</p>' for line in waivers(bundle)
        ),
        "/* colours */": json.dumps(COLOURS),
    }
    text = _PAGE.read_text(encoding="utf-8")
    for place, content in places.items():
        text = text.replace(place, content)
    return text


def trained_on(bundle: Path) -> str:
    """The images that the predictor in `bundle` learned from."""
    try:
        description = _read(bundle / "predictor" / DESCRIPTION)
        return TrainedOn.model_validate(description.get("trained_on", {})).text
    except ValidationError:
        return TrainedOn().text


def waivers(bundle: Path) -> list[str]:
    """What people accepted in the data, as the gate's decision in `bundle` names it."""
    found = _read(bundle / "decision.json").get("waivers", [])
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return [
        f"Waiver until {item.get('expires')}: the data behind this model failed the check "
        f"\u201c{item.get('expectation')}\u201d; {item.get('person')} accepts that: "
        f"{item.get('reason')}"
        for item in items
    ]


def _read(path: Path) -> dict[str, Any]:
    """A document, empty where there is none: whether it is sound is told by `/readyz`."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def _front(request: Request) -> HTMLResponse:
    return HTMLResponse(render(), headers=_HEADERS)


async def _docs(request: Request) -> HTMLResponse:
    return HTMLResponse(docs.PAGE, headers=docs.HEADERS)


page = Starlette(routes=[Route("/", _front), Route("/docs", _docs)])
