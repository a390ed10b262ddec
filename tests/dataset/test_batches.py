"""Batches: every row once in the order of seed and epoch, and errors of the background reach us."""

import numpy as np
import pandas as pd
import pytest

from thorax.dataset import batches


class Rows:
    """Pixels that say which row they are of."""

    size_px = 4

    def gather(self, manifest_rows: pd.DataFrame) -> np.ndarray:
        rows = manifest_rows["row"].to_numpy(np.uint8)
        return np.broadcast_to(rows[:, None, None], (len(rows), 4, 4))


def test_the_stream_keeps_order_and_pairs_pixels_with_positions() -> None:
    rows = pd.DataFrame({"row": np.arange(50)})
    plan = batches.shuffled(50, 7, seed=1, epoch=1)
    seen = list(batches.stream(Rows(), rows, plan))
    assert len(seen) == len(plan)
    for (positions, pixels), planned in zip(seen, plan, strict=True):
        assert np.array_equal(positions, planned)
        assert np.array_equal(pixels[:, 0, 0], planned)


def test_in_order_covers_everything_once() -> None:
    assert np.concatenate(batches.in_order(10, 4)).tolist() == list(range(10))
    assert batches.in_order(0, 4) == []


def test_an_epoch_shows_full_batches_of_different_rows() -> None:
    plan = batches.shuffled(10, 3, seed=1, epoch=1)
    assert [len(batch) for batch in plan] == [3, 3, 3]
    assert len(set(np.concatenate(plan))) == 9


def test_fewer_rows_than_a_batch_make_one_batch() -> None:
    assert sorted(batches.shuffled(3, 8, seed=1, epoch=1)[0]) == [0, 1, 2]


def test_seed_and_epoch_decide_the_order() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(batches.shuffled(40, 8, seed=seed, epoch=epoch)).tolist()

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_a_failure_in_the_background_is_raised_here() -> None:
    with pytest.raises(KeyError, match="row"):
        list(batches.stream(Rows(), pd.DataFrame({"other": [1]}), [np.array([0])]))
