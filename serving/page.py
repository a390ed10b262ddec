"""The page at `/`: choose an image, see the answer, and what was accepted in the model's data.

It takes the place of BentoML's own front page, which loads a tracker from outside.
"""

import html
import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

_PAGE = Path(__file__).with_name("page.html")
_DECISION = Path(__file__).resolve().parent.parent / "decision.json"
_PLACE = "<!-- waivers -->"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' blob:; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}


def render(decision: Path = _DECISION) -> str:
    """The page, with the waivers of the gate's decision where there is one."""
    found = json.loads(decision.read_text(encoding="utf-8")) if decision.is_file() else {}
    said = [
        f"Waiver until {item['expires']}: the data behind this model failed the check "
        f"\u201c{item['expectation']}\u201d; {item['person']} accepts that: {item['reason']}"
        for item in found.get("waivers", [])
    ]
    lines = "".join(f'<p class="waiver">{html.escape(line)}</p>' for line in said)
    return _PAGE.read_text(encoding="utf-8").replace(_PLACE, lines)


async def _front(request: Request) -> HTMLResponse:
    return HTMLResponse(render(), headers=_HEADERS)


page = Starlette(routes=[Route("/", _front)])
