"""What a data version holds, in numbers that the next version is compared with: `statistics.json`.

Counts by split and finding, prevalences with standard errors by patient, log odds ratios of pairs,
and shares. Over the images that are in a split. No image and no patient is named.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from thorax.findings import FINDINGS, SPLITS, STATES, known_column, target_column


def count(
    manifest: pd.DataFrame, labels: pd.DataFrame, *, source: str, digest: str
) -> dict[str, Any]:
    """The content of `statistics.json`.

    Args:
        manifest: the manifest.
        labels: the mined labels, columns `finding, state`.
        source: the source's name.
        digest: identifies the data: of `data/source.json`.
    """
    used = manifest[manifest["split"].isin(SPLITS)]
    patterns = _patterns(used)
    split = used["split"].astype("str").to_numpy(object)
    return {
        "source": source,
        "digest": digest,
        "images": {
            **{name: int((split == name).sum()) for name in SPLITS},
            "": len(manifest) - len(used),
        },
        "patients": {name: int(used.loc[split == name, "patient"].nunique()) for name in SPLITS},
        "findings": _findings(patterns, split),
        "pairs": _pairs(patterns),
        "shares": _shares(manifest, used, labels),
    }


@dataclass(frozen=True)
class _Patterns:
    """The labels of N images of P patients as the U different ones there are.

    Attributes:
        targets, known: bool [U, F]; what is not known is not present.
        counts: sparse [P, U], how many of a patient's images have which labels.
        of_image: int [N], each image's place in U.
    """

    targets: NDArray[np.bool_]
    known: NDArray[np.bool_]
    counts: sparse.csr_matrix
    of_image: NDArray[np.int64]


def _patterns(used: pd.DataFrame) -> _Patterns:
    known = used[[known_column(finding) for finding in FINDINGS]].to_numpy(bool)
    targets = used[[target_column(finding) for finding in FINDINGS]].to_numpy(np.int8) == 1
    targets &= known
    bits = 2 ** np.arange(2 * len(FINDINGS), dtype=np.int64)
    packed = np.concatenate([targets, known], axis=1) @ bits
    _, first, place = np.unique(packed, return_index=True, return_inverse=True)
    patient = pd.factorize(used["patient"])[0]
    counts = sparse.csr_matrix((np.ones(len(used)), (patient, place)))
    return _Patterns(targets[first], known[first], counts, place)


def _findings(patterns: _Patterns, split: NDArray[np.object_]) -> dict[str, Any]:
    whole = np.asarray(patterns.counts.sum(axis=0)).ravel()
    positives, judged = whole @ patterns.targets, whole @ patterns.known
    errors = _standard_errors(patterns)
    by_split = {}
    for name in SPLITS:
        of_split = patterns.of_image[split == name]
        weights = np.bincount(of_split, minlength=len(patterns.known))
        by_split[name] = weights @ patterns.targets, weights @ patterns.known
    return {
        finding: {
            "known": int(judged[place]),
            "positives": int(positives[place]),
            "prevalence": positives[place] / judged[place] if judged[place] else None,
            "standard_error": float(errors[place]),
            "splits": {
                name: {"positives": int(has[place]), "known": int(of[place])}
                for name, (has, of) in by_split.items()
            },
        }
        for place, finding in enumerate(FINDINGS)
    }


def _standard_errors(patterns: _Patterns) -> NDArray[np.float64]:
    """Of the prevalences, clustered by patient: the ratio estimator (Cochran 1977, 6.4)."""
    of, has = patterns.counts @ patterns.known, patterns.counts @ patterns.targets
    total = np.maximum(of.sum(0), 1)
    rest = has - has.sum(0) / total * of
    patients = len(rest)
    return np.asarray(np.sqrt(patients / max(patients - 1, 1) * (rest**2).sum(0)) / total)


def _pairs(patterns: _Patterns) -> dict[str, Any]:
    """For each pair of findings: images with both, log odds ratio and its error by patient.

    Half an image is added to each of the four cells where one is empty (Haldane 1956). The error
    sums the images' influences within a patient.
    """
    whole = np.asarray(patterns.counts.sum(axis=0)).ravel()
    found = {}
    for place, finding in enumerate(FINDINGS[:-1]):
        one, other = patterns.targets[:, [place]], patterns.targets[:, place + 1 :]
        judged = patterns.known[:, [place]] & patterns.known[:, place + 1 :]
        cells = (judged & one & other, judged & one & ~other,
                 judged & ~one & other, judged & ~one & ~other)  # fmt: skip
        sizes = np.stack([whole @ cell for cell in cells])
        halved = sizes + 0.5 * (sizes == 0).any(0)
        influence = cells[0] / halved[0] - cells[1] / halved[1]
        influence += cells[3] / halved[3] - cells[2] / halved[2]
        errors = np.sqrt(((patterns.counts @ influence) ** 2).sum(0))
        log_odds = np.log(halved[0] * halved[3] / (halved[1] * halved[2]))
        for where, name in enumerate(FINDINGS[place + 1 :]):
            found[f"{finding}|{name}"] = {
                "both": int(sizes[0, where]),
                "log_odds_ratio": float(log_odds[where]),
                "standard_error": float(errors[where]),
            }
    return found


def _shares(manifest: pd.DataFrame, used: pd.DataFrame, labels: pd.DataFrame) -> dict[str, Any]:
    judged = labels[labels["finding"].isin(FINDINGS)]
    states = judged["state"].value_counts(normalize=True)
    return {
        "sex": _portions(used["sex"]),
        "view": _portions(used["view"]),
        "label_source": _portions(used["label_source"]),
        "unreadable": float((~manifest["readable"].astype(bool)).mean()) if len(manifest) else None,
        "age_years_mean": float(used["age_years"].mean()) if len(used) else None,
        "states": {state: float(states.get(state, 0.0)) for state in STATES} if len(judged) else {},
    }


def _portions(column: pd.Series) -> dict[str, float]:
    portions = column.astype("str").value_counts(normalize=True)
    return {str(name): float(share) for name, share in sorted(portions.items())}
