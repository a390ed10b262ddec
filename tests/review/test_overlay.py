"""What readers agree on becomes lines of corrections.csv, which the dataset applies."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from thorax.cli import review as command
from thorax.dataset import __main__ as dataset_stage
from thorax.dataset import manifest
from thorax.errors import BadInput
from thorax.findings import FINDINGS
from thorax.review import overlay
from thorax.review.agreement import agreement
from thorax.review.answers import Answer, Answers, Said, opened
from thorax.review.overlay import Flip, decided
from thorax.review.queue import Item

TODAY = date(2026, 1, 2)
KEY = ("a.png", "Mass")


def reader(name: str, *said: Answer | tuple[Answer, int]) -> Answers:
    """A reader's answers about labels a.png, b.png, ... that are given as 1, or as is said."""
    told = [each if isinstance(each, tuple) else (each, 1) for each in said]
    keys = [(f"{letter}.png", "Mass") for letter in "abcdefgh"]
    return Answers(name, Path(name), {key: Said(*each) for key, each in zip(keys, told)})  # noqa: B905


@pytest.mark.parametrize(
    ("said", "needed", "flipped"),
    [
        (["flip"], 1, True),
        (["flip"], 2, False),
        (["flip", "flip"], 2, True),
        (["flip", "unsure"], 2, False),
        (["flip", "flip", "keep"], 2, True),
        (["flip", "flip", "keep", "keep"], 2, False),
        (["flip", "flip", "unsure"], 3, False),
    ],
)
def test_a_flip_needs_enough_readers_and_more_than_keep(
    said: list[Answer], needed: int, flipped: bool
) -> None:
    readers = [reader(f"r{number}", answer) for number, answer in enumerate(said)]
    assert bool(decided(readers, needed=needed)) is flipped


def test_answers_about_different_labels_do_not_add_up() -> None:
    readers = [reader("ann", ("flip", 1)), reader("ben", ("flip", 0))]
    assert decided(readers, needed=2) == []


FLIP = Flip(KEY, 1, ("ann", "ben"), 0, 1)


def test_a_flip_is_written_once_with_who_and_when(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    before = "image,finding,label,reader,date,comment\nb.png,Hernia,1,zoe,2025-01-01,by phone"
    path.write_text(before)
    assert overlay.apply([FLIP], path, labels_now={KEY: "1"}, today=TODAY) == [FLIP]
    after = path.read_text()
    line = 'a.png,Mass,0,ann+ben,2026-01-02,"review: 2 flip, 0 keep, 1 unsure"\n'
    assert after == before + "\n" + line
    assert overlay.apply([FLIP], path, labels_now={KEY: "1"}, today=TODAY) == []
    assert path.read_text() == after


@pytest.mark.parametrize("now", [{}, {KEY: "0"}, {KEY: "unknown"}])
def test_labels_that_are_not_as_readers_saw_them_are_left(
    now: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    path = tmp_path / "corrections.csv"
    assert overlay.apply([FLIP], path, labels_now=now, today=TODAY) == []
    assert not path.exists()


def test_a_file_that_is_missing_gets_its_header(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    overlay.apply([FLIP], path, labels_now={KEY: "1"}, today=TODAY)
    assert path.read_text().splitlines()[0] == "image,finding,label,reader,date,comment"


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("image,finding\na.png,Mass\n")
    with pytest.raises(BadInput, match="label"):
        overlay.apply([FLIP], path, labels_now={KEY: "1"}, today=TODAY)
    assert path.read_text() == "image,finding\na.png,Mass\n"


def test_two_readers_flip_a_label_of_the_data(
    checkout: Path, items: list[Item], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = checkout / ".thorax/review"
    for name, answer in (("ann", "flip"), ("ben", "flip"), ("eve", "unsure")):
        with opened(folder, name) as mine:
            mine.give(items[0], answer)  # type: ignore[arg-type]
    command.print_diff()
    said = capsys.readouterr().out
    assert items[0].image in said
    assert "to be applied" in said
    command.apply()
    assert "1 labels flipped" in capsys.readouterr().out
    command.print_diff()
    assert "corrections.csv" in capsys.readouterr().out
    dataset_stage.main()
    table = manifest.read(checkout / "artifacts/dataset/manifest.parquet")
    row = table.index[table["image"] == items[0].image][0]
    assert manifest.targets(table)[row, FINDINGS.index("Mass")] == 1 - items[0].given
    assert table["label_source"][row] == "corrected"
    capsys.readouterr()
    command.print_diff()
    assert "No label of the data differs" in capsys.readouterr().out


def test_corrections_of_images_that_the_data_lacks_are_said(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (checkout / "corrections.csv").open("a") as file:
        file.write("elsewhere.png,Mass,1,ann,2026-01-01,\n")
    command.print_diff()
    assert "no such image" in capsys.readouterr().out


def test_kappa_is_cohen_s_for_two_and_fleiss_for_three() -> None:
    ann = reader("ann", "flip", "flip", "keep", "keep", "unsure", "keep")
    ben = reader("ben", "flip", "keep", "keep", "keep", "flip", "keep")
    two = agreement([ann, ben])
    codes = [[each.said[key].answer for key in sorted(each.said)] for each in (ann, ben)]
    assert two.kappa == pytest.approx(cohen_kappa_score(*codes))
    assert (two.labels, two.share) == (6, pytest.approx(4 / 6))
    three = agreement([ann, ben, reader("eve", "flip", "flip", "keep", "keep", "unsure", "keep")])
    votes = np.array([[0, 3, 0], [1, 2, 0], [3, 0, 0], [3, 0, 0], [0, 1, 2], [3, 0, 0]])
    observed = ((votes**2).sum(axis=1) - 3).mean() / 6
    expected = ((votes.sum(axis=0) / 18) ** 2).sum()
    assert three.kappa == pytest.approx((observed - expected) / (1 - expected))


@pytest.mark.parametrize(
    ("readers", "reason"),
    [
        ([reader("ann", "flip")], "two readers"),
        ([reader("ann", "flip"), reader("ben")], "no label was answered"),
        ([reader("ann", "flip"), reader("ben", "flip")], "one and the same"),
    ],
)
def test_undefined_kappa_has_a_reason(readers: list[Answers], reason: str) -> None:
    found = agreement(readers)
    assert np.isnan(found.kappa)
    assert reason in found.reason


def test_kappa_is_shown_of_those_who_are_through(
    checkout: Path, items: list[Item], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = checkout / ".thorax/review"
    with opened(folder, "ann") as mine:
        for number, item in enumerate(items):
            mine.give(item, "flip" if number % 2 else "keep")
    with opened(folder, "ben") as mine:
        mine.give(items[0], "keep")
    command.print_agreement()
    said = capsys.readouterr().out
    assert "ben: 5 left" in said
    assert "kappa: none among 1 readers" in said
    with opened(folder, "ben") as mine:
        for item in items[1:]:
            mine.give(item, "flip")
    command.print_agreement()
    assert "Cohen's kappa" in capsys.readouterr().out


def test_without_a_queue_the_way_to_one_is_named(tiny_checkout: Path) -> None:
    with pytest.raises(BadInput, match="run `thorax noise`"):
        command.read("ann", port=0, browser=False)
