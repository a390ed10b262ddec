"""Labels against better labels: kappa, PPV and sensitivity by finding, with counts.

Compared are the labels in use (the manifest's targets) and the mined ones, with what the source
gives, with adjudicated answers and with a phantom's truth, wherever two of them speak of the same
image (or report) and finding. Bounds are met unless the upper end of the 95% interval lies below
them: Wilson's for shares (1927), the large-sample one for kappa (Cohen 1960). Images of one patient
count as independent, so the intervals are a little narrow.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from thorax.findings import FINDINGS, known_column, target_column
from thorax.schemas.mined_labels import (
    LABELS_BY_FIRMNESS,
    NO_REPORT,
    firmness_by_image,
    firmness_by_report,
)
from validation.checks import Check, Table
from validation.settings import AgreementConfig

_Z = 1.959964  # of a two-sided 95% interval
_COLUMNS = (
    "labels", "reference", "finding", "images", "tp", "fp", "fn", "tn",
    "kappa", "kappa_high", "ppv", "ppv_high", "sensitivity", "sensitivity_high",
)  # fmt: skip
_NAMES = tuple(name for name in _COLUMNS if not name.endswith("_high"))


@dataclass(frozen=True)
class Sources:
    """The tables that speak of labels, as text where they are CSV.

    Attributes:
        entries: `image, findings, uncertain, unknown`.
        reports: `report, images`.
        mined: `report, finding, state`.
        manifest: the manifest.
        adjudicated, truth: `image, finding, label`.
    """

    entries: pd.DataFrame
    reports: pd.DataFrame
    mined: pd.DataFrame
    manifest: pd.DataFrame
    adjudicated: pd.DataFrame
    truth: pd.DataFrame


def table(sources: Sources, config: AgreementConfig) -> Table:
    """One row per kind of labels, reference and finding, with its suite."""
    rows = [
        {"labels": labels, "reference": reference, "finding": finding, **_measures(pairs, config)}
        for labels, reference, finding, pairs in _pairs(sources)
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    numbers = list(_COLUMNS[8:])
    frame[numbers] = frame[numbers].astype(np.float64)
    lack = "" if rows else "nothing here has two sources of labels"
    return Table("agreement", frame, _NAMES, tuple(_checks(config, lack)))


def _checks(config: AgreementConfig, lack: str) -> Iterator[Check]:
    bounds = {
        "kappa": (config.kappa_min, "agree by kappa {:g}", "hardly agree beyond chance"),
        "ppv": (config.ppv_min, "are right for {:.0%} of what they call present", "cry wolf"),
        "sensitivity": (config.sensitivity_min, "find {:.0%} of what is present", "miss much"),
    }
    for measure, (low, words, fault) in bounds.items():
        yield Check(
            f"labels {words.format(low)}",
            "ExpectColumnValuesToBeBetween",
            {"column": f"{measure}_high", "min_value": low},
            "warning",
            f"surely below that, the labels {fault}; a model learns their errors, and a test on "
            "them rewards it for that",
            not_applicable=lack,
        )


def _pairs(sources: Sources) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Labels, reference, finding, and the pairs: columns `label, truth`, 0 or 1."""
    used = _used(sources.manifest)
    by_report = _labels(firmness_by_report(sources.mined))
    mined = _by_image(sources.mined, sources.reports)
    if len(mined):
        given = _given(sources.entries)
        for finding in FINDINGS:
            both = mined[[finding]].join(given[finding].rename("truth"), how="inner").dropna()
            if len(both):
                yield "mined", "given", finding, both.rename(columns={finding: "label"})
    named = pd.concat([by_report, mined[~mined.index.isin(by_report.index)]])
    for reference, answers in (("adjudicated", sources.adjudicated), ("truth", sources.truth)):
        for labels, states in (("in use", used), ("mined", named)):
            for name, group in answers.groupby("finding", sort=False):
                both = _answered(states, str(name), group)
                if len(both):
                    yield labels, reference, str(name), both


def _answered(states: pd.DataFrame, finding: str, answers: pd.DataFrame) -> pd.DataFrame:
    columns = finding.split("|")
    if not set(columns) <= set(states.columns):
        return pd.DataFrame(columns=["label", "truth"])
    said = states[columns].reindex(answers["image"])
    known = said.notna().all(axis=1) | (said == 1).any(axis=1)  # one that is present is enough
    truth = pd.to_numeric(answers["label"], errors="coerce").to_numpy()
    both = pd.DataFrame({"label": said.max(axis=1), "truth": truth}, index=said.index)
    return both[known.to_numpy()].dropna()


def _used(manifest: pd.DataFrame) -> pd.DataFrame:
    """The manifest's targets, float [images, findings], NaN where not known."""
    manifest = manifest.drop_duplicates("image")
    columns = {
        finding: manifest[target_column(finding)]
        .astype(np.float64)
        .where(manifest[known_column(finding)])
        for finding in FINDINGS
    }
    return pd.DataFrame(columns).set_axis(manifest["image"].to_numpy())


def _labels(firmness: pd.DataFrame) -> pd.DataFrame:
    """Labels 1, 0 and NaN (uncertain) for a table of firmness."""
    labels = LABELS_BY_FIRMNESS[firmness.to_numpy()]
    return pd.DataFrame(labels, index=firmness.index, columns=firmness.columns)


def _by_image(mined: pd.DataFrame, reports: pd.DataFrame) -> pd.DataFrame:
    """Mined labels by image, [images, findings], where a report counts."""
    links = reports.assign(image=reports["images"].str.split("|")).explode("image")
    images = links["image"].drop_duplicates()
    firmness = firmness_by_image(links[["image", "report"]], mined, images)
    counts = (firmness != NO_REPORT).any(axis=1)
    index = pd.Index(images[counts].to_numpy())
    return _labels(pd.DataFrame(firmness[counts], index=index, columns=list(FINDINGS)))


def _given(entries: pd.DataFrame) -> pd.DataFrame:
    """What the source gives as 1 and 0, NaN where it gives nothing, [images, findings]."""
    entries = entries.drop_duplicates("image")
    padded = {name: "|" + entries[name].astype("str") + "|" for name in
              ("findings", "uncertain", "unknown")}  # fmt: skip
    columns = {}
    for finding in FINDINGS:
        has = {name: cell.str.contains(f"|{finding}|", regex=False) for name, cell in
               padded.items()}  # fmt: skip
        column = has["findings"].astype(np.float64)
        columns[finding] = column.where(~has["uncertain"] & ~has["unknown"])
    return pd.DataFrame(columns).set_axis(entries["image"].to_numpy())


def _measures(pairs: pd.DataFrame, config: AgreementConfig) -> dict[str, float]:
    label, truth = (pairs[name].to_numpy() == 1 for name in ("label", "truth"))
    tp, fp = int((label & truth).sum()), int((label & ~truth).sum())
    fn, tn = int((~label & truth).sum()), int((~label & ~truth).sum())
    counts = {"images": len(pairs), "tp": tp, "fp": fp, "fn": fn, "tn": tn}
    kappa, error = _kappa(tp, fp, fn, tn)
    found = {
        **counts,
        "kappa": kappa,
        "kappa_high": kappa + _Z * error if tp + fp + fn >= config.positives_min else np.nan,
    }
    for name, hits, of in (("ppv", tp, tp + fp), ("sensitivity", tp, tp + fn)):
        found[name] = hits / of if of else np.nan
        found[f"{name}_high"] = _wilson_high(hits, of) if of >= config.positives_min else np.nan
    return found


def _kappa(tp: int, fp: int, fn: int, tn: int) -> tuple[float, float]:
    """Cohen's kappa and its standard error; NaN where chance alone agrees fully."""
    total = tp + fp + fn + tn
    agreed = (tp + tn) / total
    chance = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / total**2
    if chance == 1:
        return np.nan, np.nan
    error = np.sqrt(agreed * (1 - agreed) / total) / (1 - chance)
    return (agreed - chance) / (1 - chance), float(error)


def _wilson_high(hits: int, of: int) -> float:
    share = hits / of
    middle = share + _Z**2 / (2 * of)
    spread = _Z * np.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return float((middle + spread) / (1 + _Z**2 / of))
