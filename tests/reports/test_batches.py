from collections.abc import Iterator

import pytest

from thorax.reports.batches import batches


def test_every_item_comes_once_and_in_order() -> None:
    parts = list(batches(range(300), lambda item: 1))
    assert [item for part in parts for item in part] == list(range(300))
    assert max(map(len, parts)) == 128


def test_large_items_are_not_held_together() -> None:
    assert list(batches(["a" * 600_000, "b" * 400_000, "c"], len)) == [
        ["a" * 600_000, "b" * 400_000],
        ["c"],
    ]


def test_what_came_before_an_error_is_given_first() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("cut off")

    stream = batches(broken(), lambda item: 1)
    assert next(stream) == [1, 2]
    with pytest.raises(ValueError, match="cut off"):
        next(stream)
