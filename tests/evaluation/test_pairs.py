"""Areas against a count of all pairs, for whatever numbers scores can be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from thorax.evaluation import metrics

WIDTHS = {np.float16: 16, np.float32: 32, np.float64: 64}
WIDEST = [0.0, -0.0, np.inf, -np.inf, 5e-324, 1e-300, -1e-310, 1e308, 1.0, np.nextafter(1.0, 2.0)]


def counted(present: np.ndarray, scores: np.ndarray) -> float:
    """Every pair looked at."""
    positive, negative = scores[present][:, None], scores[~present]
    won = np.count_nonzero(positive > negative) + np.count_nonzero(positive == negative) / 2
    return won / positive.size / negative.size if positive.size * negative.size else np.nan


def check(present: np.ndarray, scores: np.ndarray, known: np.ndarray | None = None) -> None:
    found = metrics.auc(present, scores, known=known)
    rows = np.ones(present.shape, bool) if known is None else known
    for column, area in enumerate(found):
        use = rows[:, column]
        expected = counted(present[use, column], scores[use, column])
        assert area == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(st.data(), st.sampled_from(list(WIDTHS)))
def test_floats_of_any_size_and_sign(data: st.DataObject, kind: type) -> None:
    number = st.floats(allow_nan=False, width=WIDTHS[kind]) | st.sampled_from(WIDEST)
    scores = data.draw(st.lists(number, min_size=4, max_size=40).map(np.array))
    with np.errstate(over="ignore"):
        table = scores.astype(kind)[:, None].repeat(2, axis=1)
    known = data.draw(arrays.arrays(bool, table.shape))
    present = data.draw(arrays.arrays(bool, table.shape))
    check(present, table)
    check(present, np.where(known, table, np.nan).astype(kind), known)


@given(
    st.sampled_from([1, 2, 3, 10, 50, 100, 255, 256, 1000, 4096, 10_000]),
    st.sampled_from([np.float32, np.float64]),
    st.integers(-300, 300),
    st.integers(0, 2**32),
)
def test_scores_on_a_grid_and_off_it_at_the_end(
    step: int, kind: type, lowest: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    scores = ((chance.integers(0, 40, (90, 2)) + lowest) / step).astype(kind)
    present, known = chance.random((2, 90, 2)) < 0.4
    check(present, scores)
    check(present, scores, known)
    scores[-1, 1] = np.nextafter(scores[-1, 1], kind(np.inf))
    check(present, scores)
    check(present, scores, known)


@pytest.mark.parametrize("decimals", [1, 3, 4, 5, 9])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_many_images_with_few_and_with_many_ties(kind: type, decimals: int) -> None:
    chance = np.random.default_rng(decimals)
    scores = chance.normal(size=(5000, 2)).round(decimals).astype(kind)
    present, known = chance.random((2, 5000, 2)) < 0.4
    check(present, scores)
    check(present, np.exp(scores), known)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint16, np.int64, np.uint64, np.longdouble])
def test_whole_numbers_of_every_type_to_their_ends(kind: type) -> None:
    chance = np.random.default_rng(1)
    scores = chance.integers(0, 2, (60, 2)).astype(kind)
    if kind is not bool:
        limits = np.iinfo(kind if kind is not np.longdouble else np.int64)
        scores[:3, 0] = kind(limits.max), kind(limits.max) - kind(1), kind(limits.min)
    check(chance.random((60, 2)) < 0.5, scores)


def test_without_images_or_findings_nothing_is_defined() -> None:
    assert np.isnan(metrics.auc(np.zeros((0, 2)), np.zeros((0, 2)))).tolist() == [True, True]
    assert metrics.auc(np.zeros((3, 0)), np.zeros((3, 0))).shape == (0,)


def off_grid(chance: np.random.Generator, images: int) -> dict[str, np.ndarray]:
    """Scores [images, 2] that tie, or nearly do, on no grid."""
    plain = chance.normal(size=(images, 2))
    near = np.nextafter(plain, np.inf)  # the neighbour of a score rounds to the same 31 bits
    few = chance.random((images, 2)) < 6 / images
    pairs = np.where(few, near[::-1], plain[::-1])
    return {
        "widened": plain.astype(np.float32).astype(np.float64),
        "half": plain.astype(np.float16),
        "each five times": chance.permuted(np.tile(plain[: images // 5], (5, 1)), axis=0),
        "few in all": chance.choice(chance.random(100), (images, 2)),
        "logistic": 1 / (1 + np.exp(-plain.round(2))),
        "at the ends": np.clip(plain, -1.0, 1.0),
        "all neighbours": np.where(chance.random((images, 2)) < 0.5, near[:1], plain[:1]),
        "some neighbours": np.concatenate([plain[: images // 2], pairs[: images - images // 2]]),
        "tiny beside large": np.where(chance.random((images, 2)) < 0.5, plain * 1e-12, plain),
        "probabilities of all sizes": np.exp(-np.abs(plain) * 40),
        "beyond rounding": plain.clip(-1, 1) * np.array([1e308, 1e-310]),
    }


@pytest.mark.parametrize("name", off_grid(np.random.default_rng(0), 10))
@pytest.mark.parametrize("share", [0.03, 0.5, 0.9])
def test_scores_that_tie_or_nearly_do_on_no_grid(name: str, share: float) -> None:
    chance = np.random.default_rng(7)
    scores = off_grid(chance, 2000)[name]
    present, known = chance.random((2, 2000, 2)) < np.array([share, 0.7])[:, None, None]
    check(present, scores)
    check(present, np.where(known, scores, np.nan).astype(scores.dtype), known)
    check(present, np.where(known, scores, np.inf).astype(scores.dtype), known)
