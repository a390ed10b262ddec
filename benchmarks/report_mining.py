"""How fast reports become labels, end to end, and how right, beside negspacy on the same phrases.

End to end is what `thorax mine` does: the archive or CSV in, Parquet out, one process, processor
time. `--synthetic N` mines a generated CSV of so many reports (1000000 takes some six minutes of
processor time) and prints speed and memory at each tenth, which tell whether time is linear and
memory flat. The peer is negspacy (NegEx) on a blank spaCy pipeline with a sentence splitter and our
phrase files as entities, given the text of the sections that count. Both are scored on the same
human labels over the findings that occur in them; a fifth of the reports (by hash of the id) is
left out unread. spaCy is no dependency of this project; give the peer an interpreter of its own:

    python -m venv /tmp/peer && /tmp/peer/bin/pip install spacy negspacy

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/report_mining.py \
        [--openi FOLDER] [--synthetic N] [--negspacy-python /tmp/peer/bin/python]
"""

import argparse
import hashlib
import itertools
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from thorax.findings import FINDINGS, display
from thorax.reports import incoming, lexicon, mine
from thorax.reports.incoming import Report, Unread
from thorax.reports.labeler import Labeler
from thorax.reports.sections import sentences
from thorax.reports.settings import ReportsConfig

SET_ASIDE = 5  # one in so many labelled reports is not scored
ARCHIVE = "NLMCXR_reports.tgz"
PEER = Path(__file__).with_name("report_mining_peer.py")


def main() -> None:
    asked = arguments()
    lexicon.load()  # read once per process; not part of the speed
    if (asked.openi / ARCHIVE).is_file():
        end_to_end(ARCHIVE, lambda: incoming.read(asked.openi / ARCHIVE))
        side_by_side(asked.openi, asked.negspacy_python)
    else:
        print(f"{asked.openi / ARCHIVE} is missing: only synthetic reports are mined")
    if asked.synthetic:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "synthetic.csv"
            write_synthetic(path, asked.synthetic)
            name = f"{asked.synthetic:,} synthetic"
            end_to_end(name, lambda: watched(incoming.read(path), asked.synthetic))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed and accuracy of label mining.")
    parser.add_argument("--openi", type=Path, default=Path("../shared/openi"))
    parser.add_argument("--synthetic", type=int, default=20_000)
    parser.add_argument("--negspacy-python", type=Path, help="an interpreter that has negspacy")
    return parser.parse_args()


def end_to_end(name: str, reports: Callable[[], Iterable[Report | Unread]]) -> None:
    """Mine to Parquet and print reports per second of processor time."""
    with tempfile.TemporaryDirectory() as scratch:
        started = time.process_time()
        mined = mine.mine(reports(), Path(scratch) / "labels.parquet", ReportsConfig())
        seconds = time.process_time() - started
    print(f"{name:<24} {mined.reports:>9,} reports  {mined.reports / seconds:>8,.0f} a second")


def watched(reports: Iterable[Report | Unread], count: int) -> Iterator[Report | Unread]:
    """Pass reports on; print the speed of each tenth and the memory after it."""
    part = max(count // 10, 1)
    started = time.process_time()
    for number, report in enumerate(reports, 1):
        yield report
        if number % part == 0:
            now = time.process_time()
            print(
                f"  {number:>9,} reports  {part / (now - started):>8,.0f} a second in this tenth  "
                f"{resident_mb():>6,.0f} MB resident",
                flush=True,
            )
            started = now


def resident_mb() -> float:
    """Memory that this process occupies at the moment (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def write_synthetic(path: Path, count: int) -> None:
    """Reports of eight sentences, nearly all of which differ by a number from every other."""
    dice = random.Random(8)
    said = ("There is {}, {} mm.", "No {} on image {}.", "Possible {}, {} mm.", "{} of {} mm.")
    names = [display(finding).lower() for finding in FINDINGS]
    with path.open("w", encoding="utf-8") as file:
        file.write("report,text\n")
        for number in range(count):
            told = (
                dice.choice(said).format(dice.choice(names), dice.randrange(100_000))
                for _ in range(8)
            )
            file.write(f's{number},"FINDINGS: {" ".join(told)}"\n')


def side_by_side(folder: Path, interpreter: Path | None) -> None:
    """F1 and speed of both on the labelled reports that are not set aside, texts in memory."""
    truth = pd.concat(pd.read_csv(path) for path in sorted(folder.glob("openi_gold*.csv")))
    truth = truth[[not is_set_aside(str(name)) for name in truth["filename"]]]
    truth = truth.drop_duplicates("filename").set_index("filename")
    texts = {
        told.report: told.text
        for told in incoming.read(folder / ARCHIVE)
        if isinstance(told, Report) and told.report in truth.index
    }
    labeler = Labeler(ReportsConfig())
    started = time.process_time()
    found = {report: positives(labeler, text) for report, text in texts.items()}
    say_scores("ours", found, truth, time.process_time() - started)
    if interpreter is None:
        print("negspacy is not asked: --negspacy-python names an interpreter that has it")
        return
    told = ask_peer(interpreter, texts)
    say_scores("negspacy", told["found"], truth, told["seconds"])
    print(f"  with {told['versions']}")


def is_set_aside(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % SET_ASIDE == 0


def positives(labeler: Labeler, text: str) -> list[str]:
    return [label.finding for label in labeler.label(text) if label.state == "positive"]


def say_scores(name: str, found: dict[str, list[str]], truth: pd.DataFrame, seconds: float) -> None:
    """Print micro precision, recall and F1 over the findings that occur, and reports a second."""
    occurring = [finding for finding in FINDINGS if truth[finding].any()]
    pairs = list(itertools.product(found, occurring))
    true = {pair for pair in pairs if truth.at[pair[0], pair[1]] == 1}
    said = {pair for pair in pairs if pair[1] in found[pair[0]]}
    precision, recall = len(true & said) / len(said), len(true & said) / len(true)
    f1 = 2 * precision * recall / (precision + recall)
    print(
        f"{name:<24} {len(found):>9,} reports  {len(found) / seconds:>8,.0f} a second  "
        f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"
    )


def ask_peer(interpreter: Path, texts: dict[str, str]) -> Any:
    """What negspacy finds in the sections that count, by the lines that name a finding."""
    knowledge = lexicon.load()
    counted = {
        report: "\n".join(sentence.text for sentence in sentences(text, knowledge))
        for report, text in texts.items()
    }
    asked = {"phrases": {name: naming_lines(name) for name in FINDINGS}, "texts": counted}
    answer = subprocess.run(
        [interpreter, PEER], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise SystemExit(f"{interpreter} {PEER} failed:\n{answer.stderr[-2000:]}")
    return json.loads(answer.stdout)


def naming_lines(finding: str) -> list[list[str]]:
    """The phrase file's lines that name the finding, word by word: no signs, no exceptions."""
    path = lexicon.BUILT_IN / "phrases" / f"{finding}.txt"
    lines = [
        line.partition("#")[0].partition("|")[0].strip() for line in path.read_text().splitlines()
    ]
    return [line.replace(" / ", "/").split() for line in lines if line and line[0] not in "~-"]


if __name__ == "__main__":
    main()
