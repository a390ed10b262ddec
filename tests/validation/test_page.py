"""The summary page: what failed first, rows and pictures, escaped, offline, the same twice."""

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from thorax import artifacts
from thorax.findings import FINDINGS, known_column, target_column
from validation import page, tallies, trends, verdict
from validation.checks import Outcome, Severity
from validation.page import Version
from validation.settings import PageConfig
from validation.waivers import Waiver

SIZES = PageConfig(thumbnail_px=48, pictures=3, versions=3)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """Nine images of nine patients, three a split; the last cannot be read, one shard is absent."""
    shard = tmp_path / "pixels/s1"
    shard.mkdir(parents=True)
    frames = np.random.default_rng(0).integers(0, 255, (9, 64, 64), np.uint8)
    np.save(shard / "pixels.npy", frames)
    table = pd.DataFrame({"image": [f"{number:02}.png" for number in range(9)]})
    table = table.assign(
        patient=[f"p{number}" for number in range(9)],
        split=["train"] * 3 + ["validation"] * 3 + ["test"] * 2 + [""],
        shard=["s1"] * 7 + ["gone", "s1"],
        row=[*range(8), -1],
        readable=[True] * 8 + [False],
        reason=[""] * 8 + ["the file is <empty>"],
        label_source=["mined"] * 8 + ["none"],
    )
    for place, finding in enumerate(FINDINGS):
        table[target_column(finding)] = [int(number % 14 == place) for number in range(9)]
        table[known_column(finding)] = [number != 1 for number in range(9)]
    return Version(source="tiny", manifest=table, pixels=tmp_path / "pixels")


def outcome(
    name: str, *rows: dict[str, object], severity: Severity = "critical", success: bool = False
) -> Outcome:
    return Outcome(name, "entries", severity, success, "1 of 9", len(rows), "it matters", rows)


def draw(
    folder: Path, version: Version, *outcomes: Outcome, waivers: tuple[Waiver, ...] = ()
) -> str:
    """The page's text, from a folder of Data Docs with one suite."""
    for name in ("validations/entries/validation/run/entries.html", "expectations/entries.html"):
        (folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "docs" / name).write_text("<html><head></head><body>entries</body></html>")
    page.write(folder / "docs", verdict.judge(outcomes, waivers), version, SIZES)
    return (folder / "docs" / page.NAME).read_text()


def words(text: str) -> str:
    """What a person reads of a page."""
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_a_clean_version_says_so(tmp_path: Path, version: Version) -> None:
    said = words(draw(tmp_path, version, outcome("unique", success=True)))
    assert "The data is accepted" in said
    assert "All 1 checks hold" in said
    assert "Nothing: every check holds" in said


def test_what_refuses_stands_before_warnings_with_rows_and_reason(
    tmp_path: Path, version: Version
) -> None:
    said = words(draw(tmp_path, version, outcome("the view", severity="warning"),
                      outcome("the age", {"row": 3, "age": 413.0, "image": "01.png"})))  # fmt: skip
    assert "The data is refused" in said
    assert said.index("does not hold: the age") < said.index("does not hold: the view")
    assert "Found 1 of 9 . Why it matters: it matters." in said
    assert "row image age 3 01.png 413" in said


def test_offending_images_are_shown_and_those_that_cannot_be_are_named(
    tmp_path: Path, version: Version
) -> None:
    rows = [{"image": name} for name in ("00.png", "07.png", "08.png")]
    text = draw(tmp_path, version, outcome("pictures", *rows))
    assert (
        len(re.findall(r'<img src="data:image/jpeg;base64,[A-Za-z0-9+/=]+" alt="00\.png">', text))
        == 1
    )
    assert "07.png its pixels are not on this machine" in words(text)
    assert "08.png cannot be read: the file is <empty>" in words(text)
    assert "<empty>" not in text


def test_images_in_lists_and_under_other_keys_are_found_and_the_number_is_bounded(
    tmp_path: Path, version: Version
) -> None:
    rows = (
        {"patient": "p0", "images": ["00.png", "01.png"]},
        {"copy": "02.png", "other": "03.png"},
    )
    text = draw(tmp_path, version, outcome("leak", *rows))
    assert re.findall(r'alt="([^"]+)"', text) == ["00.png", "01.png", "02.png"]


def test_what_the_data_says_is_escaped_everywhere(tmp_path: Path, version: Version) -> None:
    bad = '<script>alert("x")</script>'
    accepted = Waiver(expectation=f"entries: {bad}", reason=bad, person=bad, expires="2027-01-31")
    row = {"image": bad, bad: bad}
    text = draw(tmp_path, version, outcome(bad, row), waivers=(accepted,))
    pages = [text, *(path.read_text() for path in (tmp_path / "docs").rglob("*.html"))]
    assert all("<script" not in each for each in pages)
    assert bad in words(text)


def test_a_waiver_stands_on_every_page(tmp_path: Path, version: Version) -> None:
    accepted = Waiver(
        expectation="entries: age", reason="typos", person="A Reader", expires="2027-01-31"
    )
    draw(tmp_path, version, outcome("age"), waivers=(accepted,))
    pages = sorted((tmp_path / "docs").rglob("*.html"))
    assert [path.name for path in pages] == [
        "entries.html", "index.html", "summary.html", "entries.html",
    ]  # fmt: skip
    for path in pages:
        said = words(path.read_text())
        assert "The data is accepted until 2027-01-31" in said
        assert "A Reader" in said and "typos" in said
        assert "Confidential" in said


def test_every_page_leads_to_the_summary_and_the_summary_to_every_suite(
    tmp_path: Path, version: Version
) -> None:
    text = draw(tmp_path, version, outcome("age"))
    folder = tmp_path / "docs"
    for path in folder.rglob("*.html"):
        for address in re.findall(r'href="([^"#:]+)"', path.read_text()):
            assert (path.parent / address).resolve().is_file(), (path, address)
    assert 'href="validations/entries/validation/run/entries.html"' in text
    index = (folder / "index.html").read_text()
    assert index.index("summary.html") < index.index("entries.html")
    assert "1 of 1 failed: 1 critical" in index


def test_it_loads_nothing_runs_nothing_and_is_marked_as_holding_patients(
    tmp_path: Path, version: Version
) -> None:
    text = draw(tmp_path, version, outcome("age", {"image": "00.png"}))
    assert not re.search(r"<(script|link|iframe)\b|\bsrc=\"(?!data:)|url\(|@import|\bon\w+=", text)
    assert "default-src 'none'" in text
    assert "holds patient ids" in words(text)


def test_the_same_verdict_gives_the_same_bytes(tmp_path: Path, version: Version) -> None:
    rows = ({"image": "00.png"},)
    once = draw(tmp_path / "a", version, outcome("age", *rows))
    assert draw(tmp_path / "b", version, outcome("age", *rows)) == once


def test_positives_are_counted_among_the_images_on_which_they_are_known(version: Version) -> None:
    counted = tallies.count(version.manifest)
    assert counted is not None
    assert counted.images == {"train": 3, "validation": 3, "test": 2, "": 1}
    assert counted.findings["Atelectasis"]["train"] == tallies.Share(1, 2)
    assert counted.sources["mined"]["test"] == tallies.Share(2, 2)
    own = counted.together["Mass"][FINDINGS.index("Mass")]
    assert (own.other, own.share) == ("Mass", tallies.Share(1, 1))
    assert counted.together["Mass"][0].share == tallies.Share(0, 1)


def test_a_manifest_without_its_columns_still_gives_a_page(
    tmp_path: Path, version: Version
) -> None:
    cut = Version("tiny", version.manifest[["image"]], version.pixels)
    text = draw(tmp_path, cut, outcome("all columns are there", {"image": "00.png"}))
    assert "The data is refused" in text
    assert "Positives per finding" not in text


def statistics(digest: str, mass: float | None, **more: object) -> dict[str, Any]:
    findings = {name: {"prevalence": mass if name == "Mass" else 0.1} for name in FINDINGS}
    return {"source": "tiny", "digest": digest, "findings": findings, "pairs": {},
            "images": {"train": 7, "": 2}, "patients": {"train": 5}, **more}  # fmt: skip


def test_trends_take_earlier_versions_of_the_same_source_and_end_with_this_one() -> None:
    earlier = [statistics("aaaaaaaaaa", 0.2), statistics("b", 0.3, source="other"),
               statistics("c", None, name="march"), statistics("now", 0.9)]  # fmt: skip
    drawn = trends.draw(statistics("now", 0.1), earlier, most=5)
    assert drawn is not None
    assert drawn.versions == ("aaaaaaaa", "march", "this version")
    assert drawn.others == ("other",)
    mass = next(line for line in drawn.lines if line.name == "Mass")
    assert [mass.said(place) for place in range(3)] == ["20.0 %", "-", "10.0 %"]
    assert mass.path == "4.0,4.0 176.0,18.0"  # from the top to half of it; what is unknown is left
    assert drawn.lines[0].said(-1) == "9"


def test_only_the_latest_versions_are_drawn() -> None:
    earlier = [statistics(str(number), 0.2) for number in range(9)]
    drawn = trends.draw(statistics("now", 0.1), earlier, most=3)
    assert drawn is not None and drawn.versions == ("7", "8", "this version")


def test_the_page_draws_trends_or_says_that_there_is_one_version(
    tmp_path: Path, version: Version
) -> None:
    artifacts.write_json(tmp_path / "statistics.json", statistics("now", 0.1))
    assert "no earlier version of this source" in words(draw(tmp_path, version))
    older = replace(version, earlier=(statistics("aaaaaaaaaa", 0.2),))
    text = draw(tmp_path, older)
    assert text.count("<polyline") == 2 + len(FINDINGS)
    assert "Mass 20.0 % 10.0 % -10.0 points" in words(text)
    assert "images 9 9 +0" in words(text)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width_px", [1280, 390])
def test_a_browser_shows_it_without_scrolling_sideways(
    tmp_path: Path, version: Version, width_px: int
) -> None:
    rows = [{"row": 3, "image": "00.png", "why": "a reason of many words " * 8}]
    text = draw(tmp_path, version, outcome("the age of a patient is right", *rows))
    # measured by a script, which the page itself forbids, in a frame: no window is that narrow
    measure = "parent.document.title = document.documentElement.scrollWidth + ' ' + innerWidth"
    loud = re.sub(r"<meta http-equiv[^>]*>", "", text).replace(
        "</body>", f"<script>{measure}</script></body>"
    )
    frame = f'<iframe style="border: 0; width: {width_px}px" srcdoc="{html.escape(loud)}"></iframe>'
    (tmp_path / "frame.html").write_text(f"<title></title>{frame}")
    dumped = _dump((tmp_path / "frame.html").as_uri(), profile=tmp_path / "profile")
    title = re.search(r"<title>(\d+) (\d+)</title>", dumped)
    assert title is not None, dumped[:500]
    assert int(title[1]) <= int(title[2]) == width_px


def _dump(address: str, *, profile: Path) -> str:
    """The page as the browser has it after its scripts."""
    answer = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", f"--user-data-dir={profile}",
         "--window-size=1400,900", "--dump-dom", address],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return answer.stdout
