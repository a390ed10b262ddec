"""Answers outlive kills, readers are apart, and one reader sits in one place."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from thorax.errors import BadInput, ThoraxError
from thorax.review import answers, queue
from thorax.review.answers import Answers, all_readers, opened
from thorax.review.queue import Item
from thorax.review.session import Session


def item(number: int, given: int = 1) -> Item:
    return Item(f"{number}.png", "Mass", given, 0.1, 0.2, "", "none", "", "", Path("p"), None)


QUEUE = [item(number) for number in range(60)]


def test_answers_are_there_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path, "ann") as mine:
        mine.give(QUEUE[0], "flip")
        mine.give(QUEUE[1], "keep")
        mine.give(QUEUE[0], "unsure")
    with opened(tmp_path, "ann") as mine:
        assert {key: said.answer for key, said in mine.said.items()} == {
            ("0.png", "Mass"): "unsure", ("1.png", "Mass"): "keep",
        }  # fmt: skip


def test_undo_goes_back_one_answer_at_a_time_also_after_a_start(tmp_path: Path) -> None:
    with opened(tmp_path, "ann") as mine:
        mine.give(QUEUE[0], "flip")
        mine.give(QUEUE[0], "keep")
        mine.give(QUEUE[1], "keep")
    with opened(tmp_path, "ann") as mine:
        assert mine.undo() == QUEUE[1].key
        assert mine.undo() == QUEUE[0].key
        assert mine.said[QUEUE[0].key].answer == "flip"
        assert mine.undo() == QUEUE[0].key
        assert mine.undo() is None
        assert not mine.said
    with opened(tmp_path, "ann") as mine:
        assert not mine.said


def test_lines_are_only_added(tmp_path: Path) -> None:
    with opened(tmp_path, "ann") as mine:
        before = b""
        for number in range(3):
            mine.give(QUEUE[number], "flip")
            now = mine.path.read_bytes()
            assert now.startswith(before)
            before = now
        mine.undo()
        assert mine.path.read_bytes().startswith(before)


def test_a_kill_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from tests.review.test_answers import QUEUE
        from thorax.review.answers import opened
        with opened(Path({str(tmp_path)!r}), "ann") as mine:
            for each in QUEUE * 1000:
                mine.give(each, "flip")
                print(each.image, flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
    with opened(tmp_path, "ann") as mine:
        assert {(name, "Mass") for name in told} <= set(mine.said)


def test_a_line_that_was_cut_short_is_dropped_and_the_next_stands_alone(tmp_path: Path) -> None:
    with opened(tmp_path, "ann") as mine:
        mine.give(QUEUE[0], "flip")
    with mine.path.open("ab") as file:
        file.write(b'{"image": "1.png", "fin')
    with opened(tmp_path, "ann") as mine:
        mine.give(QUEUE[2], "keep")
    with opened(tmp_path, "ann") as mine:
        assert list(mine.said) == [QUEUE[0].key, QUEUE[2].key]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"image": 1}', "'finding' is missing"),
        ("[1]", "indices"),
        ("{", "Expecting"),
        ('{"image": "0.png", "finding": "Mass", "answer": "maybe", "given": 1}', "'maybe' is no"),
        ('{"image": "0.png", "finding": "Mass", "answer": "keep", "given": "x"}', "given is 'x'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, why: str) -> None:
    with opened(tmp_path, "ann") as mine:
        mine.give(QUEUE[0], "flip")
    with mine.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BadInput, match=rf"ann.jsonl, line 2: .*{why}"), opened(tmp_path, "ann"):
        pass


def test_two_processes_of_one_reader_are_refused_and_two_readers_are_not(tmp_path: Path) -> None:
    again = opened(tmp_path, "ann")
    with (
        opened(tmp_path, "ann"),
        opened(tmp_path, "ben"),
        pytest.raises(ThoraxError, match="locked by"),
    ):
        again.__enter__()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 65, "ann\n"])
def test_a_name_that_could_be_a_path_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--reader"), opened(tmp_path, name):
        pass
    assert not list(tmp_path.iterdir())


def test_readers_see_their_own_order_again_and_again_worst_blocks_first() -> None:
    ann, again, ben = (queue.ordered(QUEUE, name, block=20) for name in ("ann", "ann", "ben"))
    assert ann == again
    assert ann != ben
    assert {each.image for each in ann[:20]} == {each.image for each in QUEUE[:20]}
    assert ann[:20] != QUEUE[:20]


def test_a_session_tells_nothing_of_others_or_of_the_score(tmp_path: Path) -> None:
    with opened(tmp_path, "ben") as other:
        other.give(QUEUE[0], "flip")
    with opened(tmp_path, "ann") as mine:
        state = Session(QUEUE, mine).state()
        assert (state["done"], state["total"]) == (0, 60)
        assert not {"quality", "probability", "rank"} & set(state["item"])
        assert "quality" in Session(QUEUE, mine, show_scores=True).state()["item"]


def test_an_answer_about_another_label_is_asked_again(tmp_path: Path) -> None:
    with opened(tmp_path, "ann") as mine:
        mine.give(QUEUE[0], "keep")
        changed = [item(0, given=0), *QUEUE[1:]]
        state = Session(changed, mine).state()
        assert state["done"] == 0
        assert state["item"]["image"] == "0.png"


def test_reading_everybody_leaves_the_files_alone(tmp_path: Path) -> None:
    (tmp_path / "ann.jsonl").write_bytes(b'{"cut')
    assert [each.said for each in all_readers(tmp_path)] == [{}]
    assert (tmp_path / "ann.jsonl").read_bytes() == b'{"cut'


def test_answers_that_are_none_are_refused(tmp_path: Path) -> None:
    session = Session(QUEUE, Answers("ann", tmp_path / "ann.jsonl"))
    with pytest.raises(BadInput, match="'maybe' is no answer"):
        session.answer("0.png", "Mass", "maybe")
    with pytest.raises(BadInput, match="not in the queue"):
        session.answer("elsewhere.png", "Mass", "keep")
    assert answers.ANSWERS == ("keep", "flip", "unsure")
    assert not (tmp_path / "ann.jsonl").exists()
