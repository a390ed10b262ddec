"""How fast the AUCs of NIH's whole test split are, and their 1,000 bootstrap replicates.

Side by side: scikit-learn's roc_auc_score in a loop over findings, and in a loop over replicates
with the patients' counts as sample weights (a few replicates, scaled up). Sizes are those of the
official test split of ChestX-ray14: 25,596 images of 2,797 patients, 14 findings. Both must agree.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/auc.py
"""

import time
from collections.abc import Callable

import numpy as np
from sklearn.metrics import roc_auc_score

from thorax.evaluation import intervals, metrics

IMAGES, PATIENTS, FINDINGS = 25_596, 2_797, 14
REPLICATES, LOOPED_REPLICATES = 1_000, 3


def main() -> None:
    patient, y_true, y_score = scores()
    ours, ours_s = timed(lambda: metrics.auc(y_true, y_score), repeats=20)
    looped, looped_s = timed(lambda: loop(y_true, y_score), repeats=3)
    print(f"14 AUCs            ours {ours_s * 1e3:8.1f} ms   loop {looped_s * 1e3:8.1f} ms", end="")
    print(f"   {looped_s / ours_s:6.1f} x   largest difference {np.abs(ours - looped).max():.1e}")

    resampling = intervals.resample(patient, replicates=REPLICATES, seed=1)
    replicates, ours_s = timed(lambda: bootstrap(patient, y_true, y_score), repeats=1)
    few, few_s = timed(lambda: loop_replicates(y_true, y_score, resampling), repeats=1)
    peer_s = few_s / LOOPED_REPLICATES * REPLICATES
    difference = np.abs(replicates[:LOOPED_REPLICATES] - few).max()
    print(f"1,000 replicates   ours {ours_s:8.2f} s    loop {peer_s:8.0f} s ", end="")
    print(f"   {peer_s / ours_s:6.1f} x   largest difference {difference:.1e}")


def scores() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patients, targets at prevalences from 0.3 % to 24 %, and scores (float32)."""
    rng = np.random.default_rng(0)
    patient = rng.integers(PATIENTS, size=IMAGES)
    prevalence = np.linspace(0.003, 0.24, FINDINGS)
    y_true = (rng.random((IMAGES, FINDINGS)) < prevalence).astype(np.int8)
    return patient, y_true, (rng.normal(size=y_true.shape) + y_true).astype(np.float32)


def bootstrap(patient: np.ndarray, y_true: np.ndarray, y_score: np.ndarray) -> np.ndarray:
    resampling = intervals.resample(patient, replicates=REPLICATES, seed=1)
    return intervals.auc_replicates(y_true, y_score, resampling)


def loop(y_true: np.ndarray, y_score: np.ndarray) -> np.ndarray:
    return np.array([roc_auc_score(y_true[:, f], y_score[:, f]) for f in range(FINDINGS)])


def loop_replicates(
    y_true: np.ndarray, y_score: np.ndarray, resampling: intervals.Resampling
) -> np.ndarray:
    rows = []
    for replicate in range(LOOPED_REPLICATES):
        weights = resampling.weights[resampling.patient, replicate]
        rows.append(
            [
                roc_auc_score(y_true[:, f], y_score[:, f], sample_weight=weights)
                for f in range(FINDINGS)
            ]
        )
    return np.array(rows)


def timed(work: Callable[[], np.ndarray], *, repeats: int) -> tuple[np.ndarray, float]:
    """The answer and the shortest time in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - start)
    return answer, min(times)


if __name__ == "__main__":
    main()
