"""How far readers agree beyond chance: Cohen's kappa for two, Fleiss' for more.

Cohen, Educational and Psychological Measurement 1960; Fleiss, Psychological Bulletin 1971. Over the
labels that all of them answered; keep, flip and unsure are three answers. Compares readers with
each other, not with the truth.
"""

from dataclasses import dataclass

import numpy as np

from thorax.review.answers import ANSWERS, Answers


@dataclass(frozen=True)
class Agreement:
    """Agreement of some readers.

    Attributes:
        readers: who.
        labels: how many labels all of them answered.
        share: of these on which all agree; NaN without any.
        kappa: beyond chance, at most 1; NaN when undefined.
        reason: why it is undefined; empty when it is not.
    """

    readers: tuple[str, ...]
    labels: int
    share: float
    kappa: float
    reason: str = ""


def agreement(readers: list[Answers]) -> Agreement:
    """Kappa of at least two readers."""
    names = tuple(each.reader for each in readers)
    if len(readers) < 2:
        return Agreement(names, 0, np.nan, np.nan, "it takes two readers")
    common = sorted(set.intersection(*(set(each.said) for each in readers)))
    if not common:
        return Agreement(names, 0, np.nan, np.nan, "no label was answered by all of them")
    codes = np.array([[ANSWERS.index(each.said[key].answer) for each in readers] for key in common])
    share = float((codes == codes[:, :1]).all(axis=1).mean())
    observed, expected = _cohen(codes) if len(readers) == 2 else _fleiss(codes)
    if expected == 1:
        return Agreement(names, len(common), share, np.nan, "all gave one and the same answer")
    return Agreement(names, len(common), share, (observed - expected) / (1 - expected))


def _cohen(codes: "np.ndarray[tuple[int, int], np.dtype[np.int64]]") -> tuple[float, float]:
    """Observed and expected agreement of two readers; codes [labels, 2]."""
    shares = np.stack([(codes == code).mean(axis=0) for code in range(len(ANSWERS))])  # [3, 2]
    return float((codes[:, 0] == codes[:, 1]).mean()), float(shares.prod(axis=1).sum())


def _fleiss(codes: "np.ndarray[tuple[int, int], np.dtype[np.int64]]") -> tuple[float, float]:
    """Observed and expected agreement of several readers; codes [labels, readers]."""
    count = codes.shape[1]
    votes = np.stack([(codes == code).sum(axis=1) for code in range(len(ANSWERS))], axis=1)
    observed = ((votes**2).sum(axis=1) - count) / (count * (count - 1))
    return float(observed.mean()), float(((votes.mean(axis=0) / count) ** 2).sum())
