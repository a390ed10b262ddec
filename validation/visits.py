"""Whether a patient's rows fit together: follow-ups, ages, sex. Counted, for `statistics`.

NIH's 2020 table has none of these faults (`docs/log.md`); its file names do not follow its
follow-ups, which `names` judges.
"""

import numpy as np
import pandas as pd

from validation import cells, statistic
from validation.statistic import Statistic


def statistics(entries: pd.DataFrame, named: int) -> tuple[Statistic, ...]:
    """Three counts over `entries` (text columns `image, patient, follow_up, age_years, sex`)."""
    people = pd.DataFrame(
        {
            "image": entries["image"],
            "patient": entries["patient"],
            "follow_up": cells.numbers(entries["follow_up"]),
            "age_years": cells.numbers(entries["age_years"]),
        }
    )
    people["code"] = pd.factorize(people["patient"])[0]
    return (
        _repeated(people, named),
        _younger(people, named),
        _two_sexes(people.assign(sex=entries["sex"].astype("str")), named),
    )


def _repeated(people: pd.DataFrame, named: int) -> Statistic:
    numbered = people[people["follow_up"].notna()]
    key = numbered["code"].to_numpy(np.float64) * 1e6 + numbered["follow_up"].to_numpy()
    again = numbered[pd.Series(key, index=numbered.index).duplicated()]
    return Statistic(
        "a patient's follow-ups have numbers of their own",
        "repeated_follow_ups",
        len(again),
        "warning",
        "two images with one number have no order in time, or are one image twice",
        high=0,
        rows=statistic.rows(again[["image", "patient", "follow_up"]], named),
    )


def _younger(people: pd.DataFrame, named: int) -> Statistic:
    known = people[people["follow_up"].notna() & people["age_years"].notna()]
    order = known.iloc[np.lexsort((known["follow_up"], known["code"]))]
    same = np.diff(order["code"].to_numpy()) == 0
    younger = order[1:][same & (np.diff(order["age_years"].to_numpy()) < 0)]
    return Statistic(
        "nobody is younger at a later follow-up",
        "younger_follow_ups",
        len(younger),
        "warning",
        "the follow-ups are not in order of time, or the row is another patient's",
        high=0,
        rows=statistic.rows(younger[["image", "patient", "follow_up", "age_years"]], named),
    )


def _two_sexes(people: pd.DataFrame, named: int) -> Statistic:
    given = people[people["sex"] != ""]
    pairs = given.drop_duplicates(["code", "sex"])
    torn = pairs[pairs["code"].duplicated()]
    return Statistic(
        "a patient has one sex",
        "patients_of_two_sexes",
        torn["code"].nunique(),
        "warning",
        "the rows of two patients may stand under one number",
        high=0,
        rows=statistic.rows(torn[["image", "patient", "sex"]], named),
    )
