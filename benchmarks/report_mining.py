"""How fast reports become labels, end to end, and how right, beside negspacy on the same phrases.

End to end is what `thorax mine` does: the archive or CSV in, Parquet out, one process, processor
time. Two streams: the reports as they are, and a generated CSV of many synthetic reports, whose
peak of memory is printed at each tenth. The peer is negspacy (NegEx) on a blank spaCy pipeline with
a sentence splitter and an entity ruler made of our phrase files (without gaps). Both are scored on
the same human labels, over the findings that occur in them; a fifth of the reports (by hash of the
id) is left out unread. spaCy is no dependency of this project; without it only ours is measured.
For the peer:

    python -m venv --system-site-packages /tmp/peer && /tmp/peer/bin/pip install spacy negspacy

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/report_mining.py [OPENI_FOLDER] [SYNTHETIC]
"""

import hashlib
import importlib.util
import itertools
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from thorax.findings import FINDINGS, display
from thorax.reports import incoming, lexicon, mine
from thorax.reports.incoming import Report, Unread
from thorax.reports.labeler import Labeler
from thorax.reports.settings import ReportsConfig

SET_ASIDE = 5  # one in so many labelled reports is not scored
ARCHIVE = "NLMCXR_reports.tgz"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/openi")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    lexicon.load()  # read once per process; not part of the speed
    if (folder / ARCHIVE).is_file():
        end_to_end(f"{ARCHIVE}", lambda: incoming.read(folder / ARCHIVE))
        beside_the_peer(folder)
    else:
        print(f"{folder / ARCHIVE} is missing: only synthetic reports are mined")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "synthetic.csv"
        write_synthetic(path, count)
        end_to_end(f"{count:,} synthetic", lambda: watched(path, count))


def end_to_end(name: str, reports: Callable[[], Iterator[Report | Unread]]) -> None:
    """Mine to Parquet and print reports per second of processor time."""
    with tempfile.TemporaryDirectory() as scratch:
        started = time.process_time()
        mined = mine.mine(reports(), Path(scratch) / "labels.parquet", ReportsConfig())
        seconds = time.process_time() - started
    print(f"{name:<24} {mined.reports:>9,} reports  {mined.reports / seconds:>8,.0f} a second")


def watched(path: Path, count: int) -> Iterator[Report | Unread]:
    """The reports of a file; prints the peak of memory at each tenth."""
    for number, report in enumerate(incoming.read(path), 1):
        yield report
        if number % (count // 10) == 0:
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  {number:>9,} reports, peak of memory {peak_mb:,.0f} MB")


def write_synthetic(path: Path, count: int) -> None:
    """Reports of eight sentences, nearly all of which differ by a number from every other."""
    dice = random.Random(8)
    said = ("There is {}, {} mm.", "No {} on image {}.", "Possible {}, {} mm.", "{} of {} mm.")
    with path.open("w", encoding="utf-8") as file:
        file.write("report,text\n")
        for number in range(count):
            sentences = (
                dice.choice(said).format(
                    display(dice.choice(FINDINGS)).lower(), dice.randrange(999)
                )
                for _ in range(8)
            )
            file.write(f's{number},"FINDINGS: {" ".join(sentences)}"\n')


def beside_the_peer(folder: Path) -> None:
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
    score("ours", texts, truth, lambda text: positives(labeler, text))
    if importlib.util.find_spec("negspacy") is None:
        print("negspacy is not installed here: see the top of this file")
        return
    peer = negspacy_pipeline()
    score("negspacy", texts, truth, lambda text: positives_of_peer(peer, text))


def is_set_aside(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % SET_ASIDE == 0


def positives(labeler: Labeler, text: str) -> set[str]:
    return {label.finding for label in labeler.label(text) if label.state == "positive"}


def score(
    name: str, texts: dict[str, str], truth: pd.DataFrame, read: Callable[[str], set[str]]
) -> None:
    """Print micro precision, recall and F1 over the findings, and reports a second."""
    started = time.process_time()
    found = {report: read(text) for report, text in texts.items()}
    seconds = time.process_time() - started
    occurring = [finding for finding in FINDINGS if truth[finding].any()]
    pairs = list(itertools.product(found, occurring))
    true = {pair for pair in pairs if truth.at[pair[0], pair[1]] == 1}
    said = {pair for pair in pairs if pair[1] in found[pair[0]]}
    precision, recall = len(true & said) / len(said), len(true & said) / len(true)
    f1 = 2 * precision * recall / (precision + recall)
    print(
        f"{name:<24} {len(texts):>9,} reports  {len(texts) / seconds:>8,.0f} a second  "
        f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"
    )


def negspacy_pipeline() -> Any:
    """A blank English pipeline: sentences, our plain phrases as entities, NegEx."""
    import spacy
    from negspacy.negation import Negex  # noqa: F401  # registers the pipe

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    ruler = pipeline.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns(
        [{"label": name, "pattern": phrase} for name in FINDINGS for phrase in plain_phrases(name)]
    )
    pipeline.add_pipe("negex", config={"ent_types": list(FINDINGS)})
    return pipeline


def plain_phrases(finding: str) -> list[str]:
    """The lines that name a finding; `a / b` as two, `word*` as its bare stem."""
    path = lexicon.BUILT_IN / "phrases" / f"{finding}.txt"
    lines = [line.partition("#")[0].partition("|")[0].strip() for line in path.open()]
    phrases: list[str] = []
    for line in lines:
        if line and line[0] not in "-~" and "..." not in line:
            tokens = line.replace("*", "").replace(" / ", "/").split()
            phrases += map(" ".join, itertools.product(*(token.split("/") for token in tokens)))
    return phrases


def positives_of_peer(pipeline: Any, text: str) -> set[str]:
    return {entity.label_ for entity in pipeline(text).ents if not entity._.negex}


if __name__ == "__main__":
    main()
