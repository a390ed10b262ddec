"""Wrong labels that were planted in a phantom are found: the point of the room."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.label_noise.conftest import Phantom
from thorax.label_noise import folds, gradients
from thorax.label_noise.context import Known
from thorax.label_noise.judge import Judged, judge
from thorax.label_noise.report_evidence import ReportEvidence, arrange_evidence
from thorax.label_noise.settings import LabelNoiseConfig

SETTINGS = LabelNoiseConfig()


@pytest.fixture(scope="module")
def features(phantom: Phantom) -> NDArray[np.float32]:
    return gradients.features_of(phantom, phantom.rows, SETTINGS.gradients)


def flipped_anywhere(phantom: Phantom, seed: int) -> NDArray[np.bool_]:
    """Every label is wrong with a chance of 10%, so most labels of present are wrong."""
    return np.random.default_rng(seed).random(phantom.truth.shape) < 0.1


def flipped_by_kind(phantom: Phantom, seed: int) -> NDArray[np.bool_]:
    """Of every finding 10% of the present are labelled absent, and as many absent present."""
    chance = np.random.default_rng(seed)
    planted = np.zeros(phantom.truth.shape, bool)
    for column in range(planted.shape[1]):
        present, absent = (np.flatnonzero(phantom.truth[:, column] == kind) for kind in (1, 0))
        count = max(1, round(0.1 * len(present)))
        planted[chance.choice(present, count, replace=False), column] = True
        planted[chance.choice(absent, count, replace=False), column] = True
    return planted


def judged(
    phantom: Phantom, features: NDArray[np.float32], planted: NDArray[np.bool_], *, reports: bool
) -> Judged:
    targets = np.where(planted, 1 - phantom.truth, phantom.truth).astype(np.int8)
    heard = arrange_evidence(phantom.statements, phantom.rows, targets)
    if not reports:
        heard = ReportEvidence(heard.states, np.zeros_like(heard.news))
    parts = folds.patient_folds(phantom.rows["patient"], SETTINGS.folds, seed=SETTINGS.seed)
    about = Known(phantom.rows, targets, np.ones(targets.shape, bool), parts)
    return judge(about, heard, SETTINGS, features=features, network=None)


def precision_at_planted(judged: Judged, planted: NDArray[np.bool_]) -> float:
    """Of as many top suspects as were planted, the share that was planted."""
    order = np.argsort(judged.weighed.quality.ravel(), kind="stable")
    return float(planted.ravel()[order[: planted.sum()]].mean())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_as_many_top_suspects_as_planted_70_percent_are_planted_by_images_alone(
    phantom: Phantom, features: NDArray[np.float32], seed: int
) -> None:
    planted = flipped_anywhere(phantom, seed)
    found = judged(phantom, features, planted, reports=False)
    assert precision_at_planted(found, planted) >= 0.70


@pytest.mark.parametrize("plant", [flipped_anywhere, flipped_by_kind])
def test_reports_that_are_no_source_of_the_labels_find_more_of_either_kind(
    phantom: Phantom,
    features: NDArray[np.float32],
    plant: Callable[[Phantom, int], NDArray[np.bool_]],
) -> None:
    planted = plant(phantom, 1)
    alone = precision_at_planted(judged(phantom, features, planted, reports=False), planted)
    together = precision_at_planted(judged(phantom, features, planted, reports=True), planted)
    assert together >= 0.70
    assert together > alone + 0.05


@pytest.mark.parametrize("plant", [flipped_anywhere, flipped_by_kind])
def test_mined_labels_that_were_changed_since_are_found(
    phantom: Phantom,
    features: NDArray[np.float32],
    plant: Callable[[Phantom, int], NDArray[np.bool_]],
) -> None:
    """The labels are what the reports say, but for those that were changed after mining."""
    mined = replace(
        phantom,
        rows=phantom.rows.assign(label_source="mined"),
        truth=_said_present(phantom),
    )
    planted = plant(mined, 1)
    found = judged(mined, features, planted, reports=True)
    assert precision_at_planted(found, planted) >= 0.90


def _said_present(phantom: Phantom) -> NDArray[np.int8]:
    states = arrange_evidence(phantom.statements, phantom.rows, phantom.truth).states
    return np.asarray(states == "positive", np.int8)


def test_rates_of_wrong_labels_are_estimated_where_reports_are_news(
    phantom: Phantom, features: NDArray[np.float32]
) -> None:
    planted = flipped_anywhere(phantom, 2)
    weighed = judged(phantom, features, planted, reports=True).weighed
    assert weighed.called_present.mean() == pytest.approx(
        planted[phantom.truth == 0].mean(), abs=0.02
    )
    assert weighed.called_absent.mean() == pytest.approx(
        planted[phantom.truth == 1].mean(), abs=0.08
    )


def test_labels_that_no_report_contradicts_are_mostly_left_alone(
    phantom: Phantom, features: NDArray[np.float32]
) -> None:
    clean = np.zeros(phantom.truth.shape, bool)
    weighed = judged(phantom, features, clean, reports=True).weighed
    assert (weighed.quality < 0.5).mean() < 0.02


def test_the_same_labels_are_judged_the_same(
    phantom: Phantom, features: NDArray[np.float32]
) -> None:
    planted = flipped_anywhere(phantom, 1)
    first, again = (judged(phantom, features, planted, reports=True) for _ in range(2))
    np.testing.assert_array_equal(first.weighed.quality, again.weighed.quality)
