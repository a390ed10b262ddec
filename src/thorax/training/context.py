"""What else is known of an image, as further targets while the network learns.

View, sex, age and follow-up stand in every image's row, and an image without any finding is known
too. A network that also learns these from the same features needs fewer labelled images to find
what to look at (multi-task learning; Caruana, Machine Learning 1997). They are learned by a layer
of their own, which training drops: the kept network answers findings alone.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thorax.config import Config
from thorax.model.classifier import Classifier
from thorax.model.losses import Objective


class ContextConfig(Config):
    """What is learned besides the findings."""

    weight: float = Field(default=0.0, ge=0)
    """How much the mean cross entropy of the context counts beside the loss; 0: not learned."""
    ages_years: tuple[float, ...] = (45.0, 60.0)
    """Whether a patient is older than each of these."""
    follow_ups: tuple[int, ...] = (2,)
    """Whether an image has a later follow-up number than each of these."""


@dataclass(frozen=True)
class Context:
    """Context of N images: names [A], targets int8 [N, A], known bool [N, A]."""

    names: tuple[str, ...]
    targets: NDArray[np.int8]
    known: NDArray[np.bool_]


class Heads(nn.Module):
    """One layer for the context beside each member's prediction layer; none where weight is 0.

    Args:
        members: the classifiers.
        names: the context's names [A].
        settings: how much it counts.
    """

    def __init__(
        self, members: list[Classifier], names: tuple[str, ...], settings: ContextConfig
    ) -> None:
        super().__init__()
        self.weight = settings.weight
        self.objective = Objective("cel", findings=names)
        wanted = members if settings.weight > 0 else []
        self.layers = nn.ModuleList(
            nn.Linear(member.prediction.in_features, len(names)) for member in wanted
        )

    def loss(self, number: int, pooled: Tensor, labels: tuple[Tensor, Tensor]) -> Tensor:
        """The weighted loss of some rows.

        Args:
            number: which member.
            pooled: its pooled features [b, D].
            labels: targets [b, A], and the rows' `Objective.counts` of the whole batch [b, A].
        """
        if not self.weight:
            return pooled.new_zeros(())
        return self.weight * self.objective.part(self.layers[number](pooled), *labels)


def of_rows(
    rows: pd.DataFrame, targets: NDArray[np.int8], known: NDArray[np.bool_], *,
    settings: ContextConfig,
) -> Context:  # fmt: skip
    """The context of manifest rows.

    Args:
        rows: the manifest's rows, N of them.
        targets: of the findings, [N, F].
        known: of the findings, [N, F].
        settings: which ages and follow-ups divide.
    """
    if not settings.weight:
        return Context((), np.empty((len(rows), 0), np.int8), np.empty((len(rows), 0), bool))
    age, follow_up = (
        rows[name].to_numpy(float, na_value=np.nan) for name in ("age_years", "follow_up")
    )
    ill = ((targets > 0) & known).any(axis=1)
    columns = {
        "AP view": (rows["view"].eq("AP"), rows["view"].isin(("AP", "PA"))),
        "male": (rows["sex"].eq("M"), rows["sex"].isin(("M", "F"))),
        "any finding": (ill, ill | known.all(axis=1)),
    }
    for limit in settings.ages_years:
        columns[f"older than {limit:g} years"] = (age > limit, ~np.isnan(age))
    for number in settings.follow_ups:
        columns[f"follow-up beyond {number}"] = (follow_up > number, ~np.isnan(follow_up))
    answers = np.stack([np.asarray(yes, np.int8) for yes, _ in columns.values()], axis=1)
    usable = np.stack([np.asarray(there, bool) for _, there in columns.values()], axis=1)
    return Context(tuple(columns), answers * usable, usable)
