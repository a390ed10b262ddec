"""Ridge regression (Hoerl and Kennard, Technometrics 1970)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Four = tuple[float, float, float, float]


def solve(
    given: Floats, wanted: Floats, *, penalty: float
) -> tuple[tuple[tuple[float, ...], ...], Four]:
    """The linear map from features to four numbers.

    Args:
        given: [N, K]; the penalty is on features of unit variance.
        wanted: [N, 4].
        penalty: of the weights; the intercepts have none.

    Returns:
        Weights, four rows of K, and four intercepts: rounded, since the last bits depend on the
        processor and `predictor.json` should not.
    """
    mean, spread = given.mean(axis=0), given.std(axis=0) + 1e-6
    scaled, middle = (given - mean) / spread, wanted.mean(axis=0)
    gram = scaled.T @ scaled + penalty * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ (wanted - middle)).T / spread  # [4, K]
    x, y, w, h = np.round(middle - weights @ mean, 6).tolist()
    return tuple(tuple(row) for row in np.round(weights, 6).tolist()), (x, y, w, h)
