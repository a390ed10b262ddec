"""Great Expectations' Data Docs as a static site: offline, without scripts, the same every run.

The library's pages load styles and scripts from content networks and a logo that reports the run's
time and context to its maker; they carry random ids and the clock, and their index is drawn by a
script. Here scripts, footers and what loads by itself are taken out, ids and times are replaced,
`docs.css` takes the place of the missing style sheets, and `suites` writes an index in the place of
the drawn one. Links that a person clicks stay.
"""

import re
import shutil
from pathlib import Path

import jinja2

INDEX = "index.html"

_CUT = re.compile(
    r"<script\b.*?</script>"
    r"|<footer\b.*?</footer>"
    r"|<link\b[^>]*\brel=\"(?:shortcut )?icon\"[^>]*>"
    r"|<link\b[^>]*\bhref=\"(?:https?:)?//[^>]*>"
    r"|<img\b[^>]*\bsrc=\"(?:https?:)?//[^>]*>"
    r"|<source\b[^>]*\bsrcset=\"(?:https?:)?//[^>]*>",
    re.IGNORECASE | re.DOTALL,
)
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b20\d{6}T\d{6}\.\d+Z")
_FIXED_TIME = "20000101T000000.000000Z"
_DRAWN = ("static", INDEX)  # fonts, logos and tours of the library; an index that needs scripts


def make_static(site: Path, folder: Path) -> None:
    """Copy Data Docs from `site` to `folder`, cleaned as the module says, without an index."""
    ignore = shutil.ignore_patterns(*_DRAWN)
    shutil.copytree(site, folder, dirs_exist_ok=True, ignore=ignore)
    for page in sorted(folder.rglob("*.html")):
        page.write_text(clean(page.read_text(encoding="utf-8")), encoding="utf-8")


def clean(html: str) -> str:
    """A page without scripts and what it would load, without random ids and clock times."""
    html = _CUT.sub("", html)
    ids = {found: f"id-{place}" for place, found in enumerate(dict.fromkeys(_ID.findall(html)))}
    html = _ID.sub(lambda match: ids[match.group()], html)
    html = _TIME.sub(_FIXED_TIME, html)
    style = Path(__file__).with_name("docs.css").read_text(encoding="utf-8")
    return html.replace("</head>", f"<style>{style}</style></head>", 1)


def environment() -> jinja2.Environment:
    """Where the templates of this room are rendered: everything is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
