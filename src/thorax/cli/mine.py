"""`thorax mine`: read a report in the terminal, mine many to Parquet, compare two sets of rules."""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from thorax import config
from thorax.cli import consoles
from thorax.errors import BadInput, ThoraxError
from thorax.files import refuse_special
from thorax.findings import FINDINGS, NORMAL, STATES
from thorax.reports import decoding, incoming, lexicon
from thorax.reports import mine as mining
from thorax.reports.assertion import Mention
from thorax.reports.incoming import Incoming, Report
from thorax.reports.labeler import Label, Labeler
from thorax.reports.mine import Mined
from thorax.reports.sections import Sentence
from thorax.reports.settings import ReportsConfig
from thorax.reports.table_columns import Columns

_COLOURS = {"positive": "red", "negative": "green", "uncertain": "yellow", "unmentioned": "dim"}
_ASSERTIONS = {"affirmed": "red", "denied": "green", "hedged": "yellow", "suggested": "yellow"}
_BUILT_IN = "built-in"
_LONGEST_NAME = 4096  # characters; what is longer is a report, not a path
_SHOWN = 20


def mine(
    report: str | None,
    *,
    output: Path | None,
    explain: bool,
    rules: str | None,
    diff: tuple[str, str] | None,
    columns: tuple[str | None, str | None, str],
) -> None:
    """Read one report in the terminal, or mine many into `output`; with `diff` compare rules.

    Raises:
        BadInput: many reports, and no file to write them to.
    """
    path, text = find_input(report)
    if output is not None:
        _check_output(output, path)
        told = reports_of(path, text, Columns(*columns))
        if diff:
            diff_all(told, output=output, rules=diff)
        else:
            mine_all(told, output=output, rules=rules, explain=explain)
        return
    one = one_report(path) if path else text
    if one is None:
        raise BadInput("many reports go to a file: name it with --output, such as labels.parquet")
    if diff:
        diff_one(one, rules=diff)
    else:
        read_one(one, rules=rules, explain=explain)


def _check_output(output: Path, reports: Path | None) -> None:
    """Refuse before anything is mined to write over the reports, or where a folder is."""
    if output.is_dir():
        raise BadInput(f"{output} is a folder: name a file in it, such as {output}/labels.parquet")
    for written in (output, mining.unread_path(output), mining.mentions_path(output)):
        if reports and written.exists() and written.samefile(reports):
            raise BadInput(f"{written} holds the reports themselves: write the labels elsewhere")


def read_one(text: str, *, rules: str | None, explain: bool) -> None:
    """Print a report with its evidence marked, and what it says of each finding."""
    labeler = Labeler(config.load("reports", ReportsConfig), knowledge(rules))
    labels, found = labeler.label(text), labeler.mentions(text)
    console = consoles.wide()
    console.print(marked(text, found))
    console.print()
    console.print(_labels_table(labels))
    if explain:
        console.print()
        console.print(_mentions_table(found))


def mine_all(told: Incoming, *, output: Path, rules: str | None, explain: bool) -> None:
    """Mine every report into `output`, and say what came of it.

    Raises:
        ThoraxError: some could not be mined; the others are written.
    """
    settings = config.load("reports", ReportsConfig)
    mined = mining.mine(told, output, settings, knowledge=knowledge(rules), explain=explain)
    console = consoles.wide()
    console.print(_counts_table(mined))
    _say_what_came(console, mined, output)
    if explain:
        console.print(
            f"every mention with its rule: {mining.mentions_path(output)}", soft_wrap=True
        )
    _raise_if_unread(mined, output)


def diff_one(text: str, *, rules: tuple[str, str]) -> None:
    """Print which labels of one report flip from one set of rules to another."""
    settings = config.load("reports", ReportsConfig)
    before, after = (Labeler(settings, knowledge(each)).label(text) for each in rules)
    pairs = zip(before, after, strict=True)
    flipped = [(old, new) for old, new in pairs if old.state != new.state]
    table = _table("finding", "before", "after", "rule before", "rule after")
    for old, new in flipped:
        told = (escape(old.rule), escape(new.rule))
        table.add_row(old.finding, _state(old.state), _state(new.state), *told)
    consoles.wide().print(table if flipped else "no label flips")


def diff_all(told: Incoming, *, output: Path, rules: tuple[str, str]) -> None:
    """Write which labels flip from one set of rules to another, and say how many.

    Raises:
        ThoraxError: some reports could not be read; the others are compared.
    """
    before, after = map(knowledge, rules)
    settings = config.load("reports", ReportsConfig)
    mined = mining.compare(told, output, settings, before=before, after=after)
    console = consoles.wide()
    table = _table("finding", "before", "after", "labels")
    for (finding, old, new), count in mined.flips.most_common():
        table.add_row(finding, _state(old), _state(new), f"{count:,}")
    if mined.flips:
        console.print(table)
    console.print(f"{mined.flips.total():,} labels flip")
    _say_what_came(console, mined, output)
    _raise_if_unread(mined, output)


def reports_of(path: Path | None, text: str, columns: Columns) -> Incoming:
    """The reports of a path, or the one text."""
    return incoming.read(path, columns) if path else iter([Report("report", "", text, "the text")])


def find_input(given: str | None) -> tuple[Path | None, str]:
    """What the argument means: an existing path, or else the text of a report (or stdin's).

    Raises:
        BadInput: it looks like a path and there is nothing, or nothing is given at all.
    """
    if given is None or given == "-":
        if given is None and sys.stdin.isatty():
            raise BadInput("give a report's text, a path, or a report on stdin")
        return None, decoding.decode(sys.stdin.buffer.read())[0]
    if (
        given.strip()
        and len(given) < _LONGEST_NAME
        and "\n" not in given
        and Path(given).expanduser().exists()
    ):
        return Path(given).expanduser(), ""
    if " " not in given.strip() and ("/" in given or "." in given[:-1]):
        raise BadInput(f"{given}: no such file or folder")
    return None, given


def one_report(path: Path) -> str | None:
    """The text of a .txt or .xml file; None for what holds many reports."""
    refuse_special(path)
    if path.is_dir() or path.suffix.lower() not in (".txt", ".xml"):
        return None
    told = next(incoming.read(path))
    if isinstance(told, Report):
        return told.text
    raise BadInput(f"{told.where}: {told.reason}")


def knowledge(rules: str | None) -> lexicon.Lexicon:
    """Phrases and rules of a folder; `built-in` or nothing means those of this package."""
    if rules is None or rules == _BUILT_IN:
        return lexicon.load()
    return lexicon.load(Path(rules).expanduser())


def marked(text: str, found: list[tuple[Sentence, Mention]]) -> Text:
    """The report with every finding coloured by what is said of it, and its cue underlined."""
    shown = Text(text)
    for sentence, mention in found:
        start, end = sentence.start + mention.start, sentence.start + mention.end
        colour = _ASSERTIONS.get(mention.assertion, "dim")
        if mention.finding in (*FINDINGS, NORMAL):
            shown.stylize(f"bold {colour}", start, end)
        if mention.cue:
            left = sentence.start + _cue_place(sentence.text, mention)
            shown.stylize(f"underline {colour}", left, left + len(mention.cue))
    return shown


def _cue_place(sentence: str, mention: Mention) -> int:
    """Where the cue of a mention stands: a sentence may say "no" more than once, or "nodule"."""
    places = re.finditer(rf"(?<!\w){re.escape(mention.cue)}(?!\w)", sentence)
    gaps = (
        (min(abs(mention.start - each.end()), abs(each.start() - mention.end)), each.start())
        for each in places
    )
    return min(gaps, default=(0, sentence.find(mention.cue)))[1]


def _labels_table(labels: list[Label]) -> Table:
    table = _table("finding", "state", "phrase", "cue", "section", "rule")
    for label in sorted(labels, key=lambda label: label.state == "unmentioned"):
        if label.state != "unmentioned" or label.phrase:
            cells = (label.phrase, label.cue, label.section, label.rule)
            table.add_row(label.finding, _state(label.state), *map(escape, cells))
    silent = [
        label.finding for label in labels if label.state == "unmentioned" and not label.phrase
    ]
    if silent:
        table.caption = f"unmentioned: {', '.join(silent)}"
        table.caption_justify = "left"
    return table


def _mentions_table(found: list[tuple[Sentence, Mention]]) -> Table:
    """Every mention, from the text's start to its end."""
    table = _table("at", "names", "said", "phrase", "cue", "rule", "also")
    for sentence, mention in sorted(found, key=lambda pair: pair[0].start + pair[1].start):
        colour = _ASSERTIONS.get(mention.assertion, "dim")
        also = (mention.severity, mention.laterality, mention.concept)
        table.add_row(
            f"{sentence.start + mention.start:,}",
            mention.finding,
            f"[{colour}]{mention.assertion}[/]",
            escape(mention.phrase),
            escape(mention.cue),
            escape(mention.rule),
            ", ".join(filter(None, also)),
        )
    return table


def _counts_table(mined: Mined) -> Table:
    table = _table("finding", *STATES)
    for column in table.columns[1:]:
        column.justify = "right"
    for finding in (*FINDINGS, NORMAL):
        table.add_row(finding, *(f"{mined.states[finding, state]:,}" for state in STATES))
    return table


def _say_what_came(console: Console, mined: Mined, output: Path) -> None:
    rate = mined.reports / max(mined.seconds, 1e-9)
    console.print(
        f"{mined.reports:,} reports in {mined.seconds:,.1f} s ({rate:,.0f} a second): {output}",
        soft_wrap=True,
    )
    if mined.silent:
        console.print(
            f"{mined.silent:,} have no word under Findings and Impression and count as normal: "
            "params.yaml reports.silent, normal or unmentioned",
            soft_wrap=True,
        )
    for encoding, count in mined.encodings.items():
        console.print(f"{count:,} were not UTF-8 and were read as {encoding}")
    for heading, count in mined.headings.most_common(_SHOWN):
        console.print(
            f"{count:,} have a section {escape(repr(heading))} that rules/sections.txt does not "
            "know: it was read as part of the section before it"
        )


def _raise_if_unread(mined: Mined, output: Path) -> None:
    if mined.unread and mined.first:
        raise ThoraxError(
            f"{mined.unread:,} of {mined.unread + mined.reports:,} were not mined, the first: "
            f"{mined.first.where}: {mined.first.reason}; all of them: {mining.unread_path(output)}"
        )


def _state(state: str) -> str:
    return f"[{_COLOURS[state]}]{state}[/]"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        whole = heading in ("finding", "names", "state", "said", "at")
        width = len("consolidation") if heading == "phrase" else None
        table.add_column(heading, overflow="fold", no_wrap=whole, min_width=width)
    return table
