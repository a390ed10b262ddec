"""Cells of a big table judged once per distinct value: what makes 100,000 rows cheap to check.

A suite asks the library whether a helper column holds only the empty word; where it does not, the
helper's word says what is wrong, and stands in the verdict. Judges nothing itself.
"""

from collections.abc import Callable, Set

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def by_value(say: Callable[..., str], *columns: pd.Series) -> pd.Series:
    """What `say` has to say of the cells of a row, "" where nothing.

    It is asked once per distinct combination of cells.
    """
    cells = [column.astype("category").cat for column in columns]
    combined = np.zeros(len(columns[0]), np.int64)
    for cell in cells:
        combined = combined * (len(cell.categories) + 1) + cell.codes.to_numpy(np.int64)
    _, first, places = np.unique(combined, return_index=True, return_inverse=True)
    texts = [cell.categories.to_numpy(object)[cell.codes.to_numpy()[first]] for cell in cells]
    said = [say(*map(str, row)) for row in zip(*texts, strict=True)]
    words = list(dict.fromkeys(["", *said]))
    rank = {word: place for place, word in enumerate(words)}
    codes = np.array([rank[word] for word in said], np.int64)[places]
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(words)), index=columns[0].index)


def numbers(column: pd.Series) -> pd.Series:
    """The cells as float64, NaN for what is no number; each distinct cell is read once."""
    cells = column.astype("category").cat
    values = pd.to_numeric(cells.categories.to_series(), errors="coerce").to_numpy(np.float64)
    read = values[cells.codes.to_numpy()] if len(values) else np.empty(0)
    return pd.Series(read, index=column.index)


def among(column: pd.Series, names: Set[object]) -> NDArray[np.bool_]:
    """Bool [rows]: whether the cell is one of `names`; for many names faster than `isin`."""
    cells = column.to_numpy(object)
    return np.fromiter((cell in names for cell in cells), bool, count=len(cells))


def where(bad: NDArray[np.bool_] | pd.Series, words: pd.Series) -> pd.Series:
    """`words` where `bad`, "" elsewhere."""
    flags = np.asarray(bad, bool)
    if not flags.any():
        nothing = pd.Categorical.from_codes(np.zeros(len(flags), np.int8), pd.Index([""]))
        return pd.Series(nothing, index=words.index)
    said = np.full(len(flags), "", object)
    said[flags] = [str(word) for word in words.to_numpy(object)[flags]]  # a null says nothing
    return pd.Series(pd.Categorical(said), index=words.index)
