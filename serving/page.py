"""The page at `/`: choose an image, see the answer. It takes the place of BentoML's own front page,
which loads a tracker from outside."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

_PAGE = Path(__file__).with_name("page.html")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' blob:; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}


async def _front(request: Request) -> FileResponse:
    return FileResponse(_PAGE, headers=_HEADERS)


page = Starlette(routes=[Route("/", _front)])
