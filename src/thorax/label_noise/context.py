"""From scores to probabilities, with what else is known of an image and its patient.

A label is rarely alone: a patient's other films show the same chronic findings, findings come in
company, and view, sex and age matter. One logistic regression per finding, again by parts of the
patients, joins these with the image's own score. Its aim is the given label, so what comes out is
the probability that the label is given, not that the finding is there (`weigh` turns the one into
the other). An image's own label of a finding is never among its inputs.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

_ASIDE = 0.3  # how far other findings and the patient count beside the finding itself
_ITERATIONS = 300


@dataclass(frozen=True)
class Known:
    """What the regression may know of N images beside their scores.

    Attributes:
        rows: columns `patient, age_years, sex, view`.
        targets: given labels int8 [N, F].
        known: whether there is one, bool [N, F].
        folds: the part of each image [N].
    """

    rows: pd.DataFrame
    targets: NDArray[np.int8]
    known: NDArray[np.bool_]
    folds: NDArray[np.int64]


def probabilities(scores: list[Floats], about: Known, *, penalty: float) -> Floats:
    """The probability [N, F] that each label is given as present.

    Args:
        scores: out-of-fold scores [N, F], one per scorer.
        about: the images.
        penalty: of the regression.
    """
    patients = pd.factorize(about.rows["patient"])[0]
    labels = np.where(about.known, about.targets - _base_rates(about), 0.0)
    mean_score = _standard(np.mean([_standard(each) for each in scores], axis=0))
    own = [*(_standard(each) for each in scores),
           _standard(_of_siblings(labels, about.known, patients)),
           _standard(_of_siblings(mean_score, np.ones_like(about.known), patients))]  # fmt: skip
    beside = [labels, mean_score, own[-2]]
    person = _ASIDE * _person(about.rows)
    found = np.empty_like(mean_score)
    for column in range(found.shape[1]):
        others = [np.delete(_standard(block), column, axis=1) * _ASIDE for block in beside]
        inputs = np.hstack([*(block[:, [column]] for block in own), *others, person])
        found[:, column] = _by_folds(inputs, about, column, penalty)
    return found


def _by_folds(inputs: Floats, about: Known, column: int, penalty: float) -> Floats:
    answers, usable = about.targets[:, column], about.known[:, column]
    found = np.empty(len(inputs))
    for number in np.unique(about.folds):
        held = about.folds == number
        fit = ~held & usable
        positives, count = int(answers[fit].sum()), int(fit.sum())
        if positives in (0, count):  # nothing to tell apart: the share, with half a case each way
            found[held] = (positives + 0.5) / (count + 1)
            continue
        model = LogisticRegression(C=1 / penalty, max_iter=_ITERATIONS)
        model.fit(inputs[fit], answers[fit])
        found[held] = model.predict_proba(inputs[held])[:, 1]
    return found


def _of_siblings(values: Floats, counted: NDArray[np.bool_], patients: NDArray[np.int64]) -> Floats:
    """The sum of `values` [N, F] over the patient's other images, by the root of their number."""
    sums = np.zeros((int(patients.max()) + 1, values.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, patients, values)
    np.add.at(counts, patients, counted.astype(np.float64))
    others = counts[patients] - counted
    return np.asarray((sums[patients] - values) / np.sqrt(np.maximum(others, 1)))


def _base_rates(about: Known) -> Floats:
    count = np.maximum(about.known.sum(axis=0), 1)
    return np.asarray((about.targets * about.known).sum(axis=0) / count)


def _person(rows: pd.DataFrame) -> Floats:
    age = pd.to_numeric(rows["age_years"], errors="coerce").astype(float)
    age = age.fillna(age.median() if age.notna().any() else 0.0)
    columns = [age, rows["sex"].eq("M"), rows["view"].eq("AP")]
    return _standard(np.column_stack([np.asarray(column, np.float64) for column in columns]))


def _standard(values: Floats) -> Floats:
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1))
