"""How fast the AUCs of NIH's whole test split are, and their 1,000 bootstrap replicates.

Side by side: scikit-learn's roc_auc_score in a loop over findings, and in a loop over replicates
with the patients' counts as sample weights (a few replicates, scaled up). Sizes are those of the
official test split of ChestX-ray14: 25,596 images of 2,797 patients, 14 findings. Both must agree.
Scores are float32 and float64, and both also rounded to 0.01, which ties nearly every image;
float32 widened to float64, and float64 that ties on no decimal grid: probabilities of rounded
scores, and random scores that five images each have. Times are medians of processor time on one
core, all in turns, so that a busy machine slows all alike.

    OMP_NUM_THREADS=1 PYTHONPATH=src python benchmarks/auc.py
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from sklearn.metrics import roc_auc_score

from thorax.evaluation import intervals, metrics

IMAGES, PATIENTS, FINDINGS = 25_596, 2_797, 14
REPLICATES, LOOPED_REPLICATES = 1_000, 3


def main() -> None:
    patient, y_true, y_score = scores()
    wide = y_score + np.random.default_rng(2).normal(scale=1e-3, size=y_score.shape)
    for name, given in (
        ("14 AUCs", y_score),
        ("14 AUCs, ties", y_score.round(2)),
        ("float64", wide),
        ("float64, ties", wide.round(2)),
        ("float64, widened", y_score.astype(np.float64)),
        ("float64, logistic", 1 / (1 + np.exp(-wide.round(2)))),
        ("float64, five each", np.tile(wide[: IMAGES // 5 + 1], (5, 1))[:IMAGES]),
    ):
        work = (partial(metrics.auc, y_true, given), partial(loop, y_true, given))
        (ours, ours_s), (looped, looped_s) = timed(*work, repeats=15)
        print(f"{name:<18} ours {ours_s * 1e3:8.1f} ms   loop {looped_s * 1e3:8.1f} ms", end="")
        print(f"   {looped_s / ours_s:6.1f} x   difference {np.abs(ours - looped).max():.0e}")

    resampling = intervals.resample(patient, replicates=REPLICATES, seed=1)
    work = (
        partial(bootstrap, patient, y_true, y_score),
        partial(loop_replicates, y_true, y_score, resampling),
    )
    (replicates, ours_s), (few, few_s) = timed(*work, repeats=1)
    peer_s = few_s / LOOPED_REPLICATES * REPLICATES
    difference = np.abs(replicates[:LOOPED_REPLICATES] - few).max()
    print(f"1,000 replicates   ours {ours_s:8.2f} s    loop {peer_s:8.0f} s ", end="")
    print(f"   {peer_s / ours_s:6.1f} x   difference {difference:.0e}")


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


def timed(*works: Callable[[], np.ndarray], repeats: int) -> list[tuple[np.ndarray, float]]:
    """The answer of each work and its median processor time in seconds."""
    times: list[list[float]] = [[] for _ in works]
    answers = [work() for work in works] if repeats > 1 else [np.empty(0)] * len(works)
    for _ in range(repeats):
        for place, work in enumerate(works):
            start = time.process_time()
            answers[place] = work()
            times[place].append(time.process_time() - start)
    return [(answer, median(mine)) for answer, mine in zip(answers, times, strict=True)]


if __name__ == "__main__":
    main()
