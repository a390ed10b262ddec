"""Reports from outside to Parquet: every kind of input, and nothing lost when some are broken."""

import gzip
import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL
from thorax.reports import incoming, lexicon, mine, table, unpacking
from thorax.reports.incoming import Report, Unread
from thorax.reports.seen import Seen
from thorax.reports.settings import ReportsConfig
from thorax.reports.table_columns import Columns

SETTINGS = ReportsConfig()
TEXTS = {
    "a": "FINDINGS: No effusion. IMPRESSION: Moderate cardiomegaly.",
    "b": "Possible pneumonia, left.",
    "c": "Café au lait, sagte er. No pneumothorax.",
}
XML = (
    '<?xml version="1.0" encoding="utf-8"?><eCitation><uId id="{name}"/><Abstract>'
    '<AbstractText Label="COMPARISON">Effusion in the film of May.</AbstractText>'
    '<AbstractText Label="FINDINGS">{text}</AbstractText></Abstract>'
    '<parentImage id="{name}_1"/></eCitation>'
)


def mined(path: Path, tmp_path: Path, columns: Columns | None = None) -> pd.DataFrame:
    output = tmp_path / "out" / "labels.parquet"
    mine.mine(incoming.read(path, columns), output, SETTINGS)
    return pd.read_parquet(output)


def state(labels: pd.DataFrame, report: str, finding: str) -> str:
    rows = labels[(labels["report"] == report) & (labels["finding"] == finding)]
    assert len(rows) == 1
    return str(rows["state"].iloc[0])


def write_archive(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("kind", ["folder", "csv", "tsv", "semicolons", "parquet", "tgz"])
def test_every_kind_of_input_gives_the_labels_of_the_stage(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"report": list(TEXTS), "patient": "", "text": list(TEXTS.values())})
    path = tmp_path / f"reports.{kind}"
    if kind == "folder":
        path.mkdir()
        for name, text in TEXTS.items():
            (path / f"{name}.txt").write_text(text)
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "tgz":
        write_archive(path, {f"x/{name}.txt": text for name, text in TEXTS.items()})
    else:
        path = tmp_path / ("reports.tsv" if kind == "tsv" else "reports.csv")
        frame.to_csv(path, index=False, sep={"tsv": "\t", "csv": ",", "semicolons": ";"}[kind])
    labels = mined(path, tmp_path)
    expected = table.label_all(frame, SETTINGS)
    assert list(labels.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(labels.fillna(-1), expected.fillna(-1), check_dtype=False)
    assert set(labels["finding"]) == {*FINDINGS, NORMAL}


def test_the_evidence_stands_where_the_label_says(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXTS["a"])
    labels = mined(tmp_path / "a.txt", tmp_path)
    row = labels[labels["finding"] == "Effusion"].iloc[0]
    assert TEXTS["a"][int(row["start"]) : int(row["end"])] == row["phrase"] == "effusion"
    assert (row["cue"], row["section"]) == ("No", "findings")


def test_xml_names_its_report_and_the_comparison_is_not_read(tmp_path: Path) -> None:
    files = {"x/7.xml": XML.format(name="CXR7", text="A mass &amp; a nodule.")}
    labels = mined(write_archive(tmp_path / "r.tgz", files), tmp_path)
    assert state(labels, "CXR7", "Mass") == "positive"
    assert state(labels, "CXR7", "Effusion") == "unmentioned"


def test_broken_reports_are_listed_and_the_rest_is_mined(tmp_path: Path) -> None:
    good = XML.format(name="R1", text="A mass.")
    files = {
        "1.xml": good,
        "2.xml": good[:-20],
        "3.xml": "<a/>",
        "4.xml": XML.format(name="R1", text="No mass."),
        "5.xml": XML.format(name="R5", text="No mass."),
    }
    output = tmp_path / "labels.parquet"
    told = mine.mine(incoming.read(write_archive(tmp_path / "r.tgz", files)), output, SETTINGS)
    unread = pd.read_csv(mine.unread_path(output))
    assert (told.reports, told.unread) == (2, 3) and len(unread) == 3
    assert list(unread["where"]) == ["2.xml", "3.xml", "4.xml"]
    assert "malformed XML at line 1" in unread["reason"][0]
    assert "earlier report has this id" in unread["reason"][2]
    labels = pd.read_parquet(output)
    assert state(labels, "R1", "Mass") == "positive"
    assert state(labels, "R5", "Mass") == "negative"


def test_a_list_of_unread_reports_goes_away_when_all_are_read(tmp_path: Path) -> None:
    output = tmp_path / "labels.parquet"
    mine.unread_path(output).write_text("old")
    mine.mine(iter([Report("r", "", "A mass.", "x")]), output, SETTINGS)
    assert not mine.unread_path(output).exists()


def test_a_cut_archive_gives_what_stands_before_the_cut(tmp_path: Path) -> None:
    files = {f"{n}.txt": f"Report {n}. " + "A mass. " * 400 + str(n) for n in range(60)}
    path = tmp_path / "r.tar"
    with tarfile.open(write_archive(tmp_path / "w.tgz", files)) as whole:
        assert whole.getnames()
    content = gzip.decompress((tmp_path / "w.tgz").read_bytes())
    path.write_bytes(content[: len(content) // 2 + 700])
    told = list(incoming.read(path))
    assert isinstance(told[-1], Unread) and "damaged after" in told[-1].reason
    assert 20 < sum(isinstance(item, Report) for item in told) < 40


def test_an_archive_cut_between_two_reports_is_not_taken_for_whole(tmp_path: Path) -> None:
    files = {f"{n}.txt": "A mass." for n in range(8)}
    content = gzip.decompress(write_archive(tmp_path / "w.tgz", files).read_bytes())
    path = tmp_path / "r.tar"
    path.write_bytes(content[: 3 * 1024])  # a header and a block to each
    told = list(incoming.read(path))
    assert [isinstance(item, Report) for item in told] == [True, True, True, False]
    whole = tmp_path / "w.tgz"
    (tmp_path / "half.tgz").write_bytes(whole.read_bytes()[:-30])
    assert isinstance(list(incoming.read(tmp_path / "half.tgz"))[-1], Unread)
    assert len(list(incoming.read(whole))) == 8


def test_a_lost_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('report,text\nr1,"A mass."\nr2,"No mass.\nr3,A nodule.\nr4,"An effusion."\n')
    told = list(incoming.read(path))
    assert [getattr(item, "report", "") for item in told] == ["r1", "", "r3", "r4"]
    assert isinstance(told[1], Unread) and told[1].where == "line 3"


def test_a_lost_quote_among_texts_of_several_lines_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('report,text\nr1,"A mass,\nlarge."\nr2,"No mass.\nr3,A nodule.\n')
    told = list(incoming.read(path))
    assert isinstance(told[1], Unread) and told[1].where == "lines 4 to 5" and len(told) == 2


def test_a_column_that_holds_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pd.DataFrame({"report": ["r1"], "text": [["A", "mass."]]}).to_parquet(path)
    with pytest.raises(BadInput, match="column 'text' holds list"):
        list(incoming.read(path))


def test_each_cell_may_have_its_own_encoding(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    lines = [b"report,text", "r1,Épanchement? A mass.".encode(), "r2,naïve mass".encode("cp1252")]
    path.write_bytes(b"\n".join(lines))
    told = [item for item in incoming.read(path) if isinstance(item, Report)]
    assert [item.text for item in told] == ["Épanchement? A mass.", "naïve mass"]
    assert [item.encoding for item in told] == ["", "Windows-1252"]
    path.write_text("report,text\nr1,naïve mass\n", encoding="utf-16")
    assert [item.text for item in incoming.read(path) if isinstance(item, Report)] == ["naïve mass"]


def test_a_row_of_the_wrong_width_or_without_id_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('report,text\nr1,A mass, large\nr2,"No mass"\n,A mass.\nr3,"never closed\n')
    output = tmp_path / "labels.parquet"
    told = mine.mine(incoming.read(path), output, SETTINGS)
    unread = pd.read_csv(mine.unread_path(output))
    assert told.reports == 1 and list(unread["where"]) == ["line 2", "line 4", "line 5"]


def test_the_words_of_a_broken_row_stand_neither_in_the_list_nor_on_the_screen(
    tmp_path: Path,
) -> None:
    path, output = tmp_path / "r.csv", tmp_path / "labels.parquet"
    path.write_text("report,text\nr1,A mass.\nMrs Zebedee has an effusion.\n")
    told = mine.mine(incoming.read(path), output, SETTINGS)
    assert (told.reports, told.unread) == (1, 1)
    assert "Zebedee" not in mine.unread_path(output).read_text()
    path.write_text("1,Mrs Zebedee has an effusion\n2,A mass.\n")
    with pytest.raises(BadInput, match="does not look like column names") as refused:
        list(incoming.read(path))
    assert "Zebedee" not in str(refused.value)


def test_what_stands_behind_a_link_or_an_endless_file_in_an_archive_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_LARGEST", 1_000)
    path = tmp_path / "r.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, kind in (("s.txt", tarfile.SYMTYPE), ("h.xml", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "nowhere.txt"
            archive.addfile(member)
        for name, size in (("long.txt", 1_001), ("last.txt", 1_000)):
            member = tarfile.TarInfo(name)
            member.size = size
            archive.addfile(member, io.BytesIO(b"x" * size))
    told = list(incoming.read(path))
    assert [type(item) for item in told] == [Unread, Unread, Unread, Report]
    assert [item.report for item in told] == ["s", "h", "long", "last"]


def test_a_missing_column_is_named_with_the_option_that_helps(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("id,text\nr1,A mass.\n")
    with pytest.raises(BadInput, match=r"no column 'report'; it has id, text.*--report-column"):
        list(incoming.read(path))
    labels = mined(path, tmp_path, Columns(report="id"))
    assert state(labels, "r1", "Mass") == "positive"


def write_table(path: Path, frame: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("column", ["text", "Radiology report", "IMPRESSION"])
@pytest.mark.parametrize("others", [[], ["age", "site"]])
@pytest.mark.parametrize("named", [True, False])
def test_rows_without_ids_are_numbered(
    suffix: str, column: str, others: list[str], named: bool, tmp_path: Path
) -> None:
    frame = pd.DataFrame({column: ["A mass, large.", "No mass.", "Possible mass."]})
    path = write_table(tmp_path / f"r.{suffix}", frame.assign(**dict.fromkeys(others, "7")))
    if others and not named:
        with pytest.raises(BadInput, match=r"no column 'report'; it has .*--report-column"):
            list(incoming.read(path))
        return
    labels = mined(path, tmp_path, Columns(text=column if named else None))
    states = [state(labels, report, "Mass") for report in ("1", "2", "3")]
    assert states == ["positive", "negative", "uncertain"]


def test_a_number_is_its_row_also_behind_rows_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text('text,age\nA mass.,3\nA mass.\n"never closed,4\nNo mass.,5\n')
    told = list(incoming.read(path, Columns(text="text")))
    assert [item.report for item in told if isinstance(item, Report)] == ["1", "4"]
    frame = pd.DataFrame({"text": ["A mass.", None, "No mass."]})
    told = list(incoming.read(write_table(tmp_path / "r.parquet", frame)))
    assert [item.report for item in told] == ["1", "2", "3"]
    assert isinstance(told[1], Unread)


def test_commas_without_quotes_part_no_text_where_there_is_one_column(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("text\nNo effusion, mass, or nodule.\nA mass\n")
    told = [item for item in incoming.read(path) if isinstance(item, Report)]
    assert [item.text for item in told] == ["No effusion, mass, or nodule.", "A mass"]


@pytest.mark.parametrize("first", ["Zebedee has effusions", "No Zebedee, a mass."])
def test_a_first_line_that_may_be_a_report_is_no_header(first: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f'"{first}"\n"A mass."\n')
    with pytest.raises(BadInput, match="does not look like column names") as refused:
        list(incoming.read(path))
    assert "Zebedee" not in str(refused.value)


def test_nothing_that_can_be_mined_leaves_no_file(tmp_path: Path) -> None:
    output = tmp_path / "out" / "labels.parquet"
    broken: Iterator[Report | Unread] = iter([Unread("row 1", "", "no text")])
    with pytest.raises(BadInput, match="no report could be mined, 1 are unreadable: row 1"):
        mine.mine(broken, output, SETTINGS)
    assert list(output.parent.iterdir()) == []


def test_a_report_of_a_megabyte_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("The film is rotated and so on " * 35_000 + ". There is a mass.")
    assert path.stat().st_size > 1_000_000
    assert state(mined(path, tmp_path), "long", "Mass") == "positive"


def test_a_heading_that_no_rule_knows_is_counted(tmp_path: Path) -> None:
    strange = XML.format(name="R1", text="A mass.").replace("COMPARISON", "GALLIMAUFRY")
    output = tmp_path / "l.parquet"
    told = mine.mine(
        incoming.read(write_archive(tmp_path / "r.tgz", {"1.xml": strange})), output, SETTINGS
    )
    assert told.headings == {"GALLIMAUFRY": 1}


def test_nothing_of_a_report_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.csv"
    path.write_text("report,text\nr1,Zebedee has a mass.\nr2,Zebedee, again\n")
    mined(path, tmp_path)
    told = capsys.readouterr()
    assert "Zebedee" not in told.out + told.err
    assert "Zebedee" not in mine.unread_path(tmp_path / "out" / "labels.parquet").read_text()


def test_explained_mentions_carry_their_rule_and_place(tmp_path: Path) -> None:
    output = tmp_path / "labels.parquet"
    mine.mine(iter([Report("r", "", TEXTS["a"], "x")]), output, SETTINGS, explain=True)
    mentions = pd.read_parquet(mine.mentions_path(output))
    row = mentions[mentions["finding"] == "Effusion"].iloc[0]
    assert row["rule"] == "negation: no | before"
    assert TEXTS["a"][row["start"] : row["end"]] == "effusion"


def test_a_changed_rule_flips_only_its_labels(tmp_path: Path) -> None:
    for part in ("phrases", "rules"):
        shutil.copytree(lexicon.BUILT_IN / part, tmp_path / "mine" / part)
    with (tmp_path / "mine" / "rules" / "uncertainty.txt").open("a") as file:
        file.write("a hint of | before\n")
    reports = [Report("r1", "", "A hint of effusion.", "1"), Report("r2", "", "No mass.", "2")]
    output = tmp_path / "flips.parquet"
    told = mine.compare(
        iter(reports),
        output,
        SETTINGS,
        before=lexicon.load(),
        after=lexicon.load(tmp_path / "mine"),
    )
    assert told.flips["Effusion", "positive", "uncertain"] == 1
    assert set(pd.read_parquet(output)["report"]) == {"r1"}


def test_the_same_reports_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        mine.mine(iter([Report("r", "", TEXTS["a"], "x")]), tmp_path / f"{name}.parquet", SETTINGS)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_ids_are_new_once_however_many_there_are() -> None:
    seen = Seen()
    names = [f"report-{number}" for number in range(20_000)]
    assert all(seen.add(name) for name in names)
    assert not any(seen.add(name) for name in names)
