"""This data version against the one before: prevalence of findings, and which occur together.

Prevalence: a two-proportion z test with standard errors clustered by patient, Holm-corrected (Holm
1979) over the findings, and Cohen's h (Cohen 1988) as the size of the move. Pairs: the difference
of log odds ratios over their clustered standard errors, Holm-corrected over the pairs, and the
factor as the size. A move counts when it is both no chance and large. Two versions mostly share
patients, which the test does not use: it then finds less than it could, and cries wolf less.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thorax.findings import FINDINGS
from validation.checks import Check, Severity, Table
from validation.settings import DriftConfig

Statistics = dict[str, Any]
"""The content of a version's `statistics.json`."""


def tables(
    now: Statistics, before: Statistics | None, config: DriftConfig, *, lack: str = ""
) -> tuple[Table, Table]:
    """The tables `prevalence` (a row per finding) and `together` (a row per pair).

    Args:
        now: this version.
        before: the version to compare with; None when there is none.
        config: bounds.
        lack: why there is none.
    """
    name = str(before.get("name", "")) if before else ""
    return (
        Table("prevalence", _prevalences(now, before, config), _PREVALENCE[:6],
              _prevalence_checks(config, name, lack)),
        Table("together", _together(now, before, config), _TOGETHER[:5],
              (_together_check(config, name, lack),)),
    )  # fmt: skip


_PREVALENCE = ("finding", "before", "now", "z", "p_holm", "cohen_h", "moved")
_TOGETHER = ("pair", "odds_ratio_before", "odds_ratio_now", "z", "p_holm", "moved")


def _prevalences(now: Statistics, before: Statistics | None, config: DriftConfig) -> pd.DataFrame:
    rows = []
    for finding in FINDINGS if before else ():
        old, new = (version["findings"].get(finding) for version in (before or {}, now))
        if not old or not new or old["prevalence"] is None or new["prevalence"] is None:
            continue
        one, two = old["prevalence"], new["prevalence"]
        error = math.hypot(old["standard_error"], new["standard_error"])
        size = 2 * math.asin(math.sqrt(two)) - 2 * math.asin(math.sqrt(one))
        rows.append((finding, one, two, _z(two - one, error), np.nan, size, np.nan))
    frame = pd.DataFrame(rows, columns=list(_PREVALENCE))
    return _moved(frame, frame["cohen_h"].abs(), config)


def _together(now: Statistics, before: Statistics | None, config: DriftConfig) -> pd.DataFrame:
    rows = []
    for pair, new in now["pairs"].items() if before else ():
        old = (before or {})["pairs"].get(pair)
        if not old or min(old["both"], new["both"]) < 1:
            continue
        if max(old["both"], new["both"]) < config.pairs_min:
            continue
        one, two = old["log_odds_ratio"], new["log_odds_ratio"]
        z = _z(two - one, math.hypot(old["standard_error"], new["standard_error"]))
        rows.append((pair, math.exp(one), math.exp(two), z, np.nan, np.nan))
    frame = pd.DataFrame(rows, columns=list(_TOGETHER))
    ratio = (frame["odds_ratio_now"] / frame["odds_ratio_before"]).astype(np.float64)
    return _moved(frame, ratio.where(ratio >= 1, 1 / ratio), config)


def _moved(frame: pd.DataFrame, size: pd.Series, config: DriftConfig) -> pd.DataFrame:
    """`frame` with Holm's p, and the size of each move that is no chance; NaN for the others."""
    plain = np.array([math.erfc(abs(z) / math.sqrt(2)) for z in frame["z"]], np.float64)
    frame["p_holm"] = holm(plain)
    frame["moved"] = size.astype(np.float64).where(frame["p_holm"] <= config.alpha)
    return frame


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """p values after Holm's step-down correction, in the order given."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(p_values[order] * factors) if len(order) else p_values
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _z(difference: float, error: float) -> float:
    if difference == 0:
        return 0.0
    return difference / error if error > 0 else math.copysign(math.inf, difference)


def _prevalence_checks(config: DriftConfig, name: str, lack: str) -> tuple[Check, ...]:
    since = f"against version {name}, " if name else ""
    test = f"{since}z test clustered by patient, Holm's p up to {config.alpha:g}: "

    def check(bound: float, severity: Severity, reason: str) -> Check:
        return Check(
            f"no prevalence moved by Cohen's h of {bound:g} or more",
            "ExpectColumnValuesToBeBetween",
            {"column": "moved", "max_value": bound, "strict_max": True},
            severity,
            test + reason,
            not_applicable=lack,
        )

    far = "labels that moved so far come from another place, or from a labeler that broke"
    some = "other patients or other labelling: the model's calibration no longer fits"
    return (
        check(config.effect_critical, "critical", far),
        check(config.effect_warning, "warning", some),
    )


def _together_check(config: DriftConfig, name: str, lack: str) -> Check:
    since = f"against version {name}, " if name else ""
    return Check(
        f"no pair's odds ratio moved by a factor of {config.odds_factor:g} or more",
        "ExpectColumnValuesToBeBetween",
        {"column": "moved", "max_value": config.odds_factor, "strict_max": True},
        "warning",
        f"{since}z test of log odds ratios clustered by patient, Holm's p up to "
        f"{config.alpha:g}: findings that begin or cease to go together are labelled differently",
        not_applicable=lack,
    )
