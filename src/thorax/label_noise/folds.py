"""Parts of the patients, so that nobody is judged by a model that saw another image of theirs."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.errors import BadInput


def patient_folds(patients: pd.Series, folds: int, *, seed: int) -> NDArray[np.int64]:
    """The part of each image, 0 to folds - 1, [N]; all images of a patient are in one.

    Depends on the set of patients and the seed, not on the order of the rows.

    Raises:
        BadInput: there are fewer patients than parts.
    """
    names = np.unique(patients.astype(str).to_numpy(object))
    if len(names) < folds:
        raise BadInput(
            f"label_noise.folds is {folds}, but the splits hold {len(names)} patients: pull more "
            "data or name more splits (label_noise.splits)"
        )
    places = np.random.default_rng(seed).permutation(len(names)) % folds
    return np.asarray(places[np.searchsorted(names, patients.astype(str).to_numpy(object))])
