"""Great Expectations' Data Docs as a static site: offline, and the same from run to run.

The library's pages load styles and scripts from content networks and a logo that reports the run's
time and context to its maker; they carry random ids and the clock. Here outside links that load by
themselves are taken out, ids and times are replaced, and a small style sheet takes the place of the
missing ones. Links that a person clicks stay.
"""

import re
import shutil
from pathlib import Path

_LOADS = re.compile(
    r"<script\b[^>]*\bsrc=\"(?:https?:)?//[^>]*>\s*</script>"
    r"|<link\b[^>]*\bhref=\"(?:https?:)?//[^>]*>"
    r"|<img\b[^>]*\bsrc=\"(?:https?:)?//[^>]*>"
    r"|<source\b[^>]*\bsrcset=\"(?:https?:)?//[^>]*>",
    re.IGNORECASE,
)
_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b20\d{6}T\d{6}\.\d+Z")
_FIXED_TIME = "20000101T000000.000000Z"
_TOURS = ("*.gif", "iterative-dev-loop.png")  # four megabytes of introduction to the library

_STYLE = """
body { font-family: system-ui, sans-serif; margin: 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: .3rem .6rem; }
nav ol, .breadcrumb { display: flex; gap: .5rem; list-style: none; padding: 0; }
.badge { padding: .1rem .4rem; border-radius: .3rem; border: 1px solid #888; }
.alert { border-left: .3rem solid #b60; padding: .3rem .6rem; margin: .3rem 0; }
.thorax-banner { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: 0 0 1rem; padding: .5rem .8rem;
  border: 1px solid #d8dde3; border-left: .4rem solid #1f7a4d; background: #f5f7f9; }
.thorax-banner.refused { border-left-color: #b3261e; } .thorax-banner.waived { border-left-color: #a15c00; }
.thorax-banner span { flex-basis: 100%; }
.modal, .d-none, .navbar-toggler, script { display: none; }
"""


def make_static(site: Path, folder: Path) -> None:
    """Copy Data Docs from `site` to `folder`, cleaned as the module says."""
    shutil.copytree(site, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_TOURS))
    for page in sorted(folder.rglob("*.html")):
        page.write_text(clean(page.read_text(encoding="utf-8")), encoding="utf-8")


def clean(html: str) -> str:
    """A page without what it would load from elsewhere, without random ids and clock times."""
    html = _LOADS.sub("", html)
    ids = {found: f"id-{place}" for place, found in enumerate(dict.fromkeys(_ID.findall(html)))}
    html = _ID.sub(lambda match: ids[match.group()], html)
    html = _TIME.sub(_FIXED_TIME, html)
    return html.replace("</head>", f"<style>{_STYLE}</style></head>", 1)
