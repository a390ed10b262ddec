"""The measures behind agreement and drift are what they are called; versions are chosen well."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from thorax import config
from thorax.errors import BadInput
from thorax.findings import FINDINGS, NORMAL, known_column, target_column
from validation import agreement, counts, drift, history
from validation.settings import ValidationConfig

REPOSITORY = Path(__file__).parents[2]
SETTINGS = config.load("validation", ValidationConfig, REPOSITORY / "params.yaml")
NO_LABELS = pd.DataFrame(columns=["report", "finding", "state"], dtype=str)


def manifest(targets: np.ndarray, patients: np.ndarray) -> pd.DataFrame:
    """A manifest with bool targets [N, F]; a NaN is not known."""
    count = len(targets)
    table = pd.DataFrame({"image": [f"{place}.png" for place in range(count)]})
    table = table.assign(patient=patients.astype(str), split="train", sex="F", view="PA")
    table = table.assign(label_source="given", readable=True, age_years=50.0)
    for place, finding in enumerate(FINDINGS):
        known = ~np.isnan(targets[:, place])
        table[target_column(finding)] = np.nan_to_num(targets[:, place]).astype(np.int8)
        table[known_column(finding)] = known
    return table


def random_manifest(seed: int, *, patients: int, images: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    who = rng.integers(patients, size=images)
    ill = rng.random((patients, len(FINDINGS))) < 0.3
    targets = (ill[who] ^ (rng.random((images, len(FINDINGS))) < 0.1)).astype(float)
    targets[rng.random(targets.shape) < 0.2] = np.nan
    return manifest(targets, who)


def count(table: pd.DataFrame) -> dict[str, Any]:
    counted = counts.count(table, NO_LABELS, source="nih", digest="now")
    return json.loads(json.dumps(counted))


def test_prevalence_and_its_error_by_patient_are_those_of_a_plain_loop() -> None:
    table = random_manifest(1, patients=90)
    entry = count(table)["findings"]["Mass"]
    known = table[table[known_column("Mass")]]
    prevalence = known[target_column("Mass")].mean()
    assert entry["known"] == len(known)
    assert entry["prevalence"] == pytest.approx(prevalence)
    rests = [
        (group[target_column("Mass")].sum() - prevalence * len(group)) ** 2
        for _, group in known.groupby("patient")
    ]
    people = table["patient"].nunique()
    error = np.sqrt(people / (people - 1) * sum(rests)) / len(known)
    assert entry["standard_error"] == pytest.approx(error)


def test_images_of_one_patient_make_the_error_larger_than_images_of_many() -> None:
    rng = np.random.default_rng(2)
    targets = (rng.random((50, len(FINDINGS))) < 0.3).astype(float)
    few = manifest(np.repeat(targets, 10, axis=0), np.repeat(np.arange(50), 10))
    many = manifest(np.repeat(targets, 10, axis=0), np.arange(500))
    one, other = (count(table)["findings"]["Mass"]["standard_error"] for table in (few, many))
    assert one == pytest.approx(other * np.sqrt(10), rel=0.03)


def test_the_odds_ratio_of_a_pair_and_its_error_are_woolf_s_where_patients_have_one_image() -> None:
    table = random_manifest(3, patients=600).assign(patient=range(600))
    pair = count(table)["pairs"]["Mass|Nodule"]
    both = table[table[known_column("Mass")] & table[known_column("Nodule")]]
    cells = pd.crosstab(both[target_column("Mass")], both[target_column("Nodule")]).to_numpy()
    assert pair["both"] == cells[1, 1]
    ratio = cells[1, 1] * cells[0, 0] / (cells[0, 1] * cells[1, 0])
    assert pair["log_odds_ratio"] == pytest.approx(np.log(ratio))
    assert pair["standard_error"] == pytest.approx(np.sqrt((1 / cells).sum()))


def test_a_pair_that_never_occurs_has_a_finite_odds_ratio() -> None:
    targets = np.zeros((40, len(FINDINGS)))
    targets[:20, FINDINGS.index("Mass")] = 1
    targets[20:, FINDINGS.index("Nodule")] = 1
    pair = count(manifest(targets, np.arange(40)))["pairs"]["Mass|Nodule"]
    assert np.isfinite([pair["log_odds_ratio"], pair["standard_error"]]).all()


def test_statistics_name_neither_image_nor_patient() -> None:
    table = random_manifest(4, patients=90).assign(patient=lambda t: "patient-" + t["patient"])
    text = json.dumps(count(table))
    assert ".png" not in text
    assert "patient-" not in text


def test_holm_s_correction_is_that_of_its_paper_s_steps() -> None:
    corrected = drift.holm(np.array([0.04, 0.01, 0.03, 0.005]))
    assert corrected == pytest.approx([0.06, 0.03, 0.06, 0.02])


def test_resamples_of_one_population_hardly_ever_move() -> None:
    alarms = 0
    for seed in range(40):
        before, now = (count(random_manifest(seed + add, patients=200)) for add in (0, 1000))
        tables = drift.tables(now, before, SETTINGS.drift.model_copy(update={"alpha": 0.05}))
        alarms += any(table.frame["moved"].notna().any() for table in tables)
    assert alarms <= 8  # two families at 5 % each: 4 expected, and 8 or fewer in 98 of 100 tries


def test_a_version_is_compared_with_the_newest_other_one_of_its_source() -> None:
    def version(source: str, digest: str) -> dict[str, Any]:
        return {"source": source, "digest": digest}

    versions = [version("nih", "a"), version("nih", "b"), version("phantom", "c")]
    assert history.previous(versions, source="nih", digest="now") == (versions[1], "")
    assert history.previous(versions, source="nih", digest="b") == (versions[0], "")
    none, lack = history.previous(versions, source="openi", digest="now")
    assert none is None
    assert lack == "no earlier version of 'openi'; nih, phantom is other data"
    assert history.previous([], source="nih", digest="now")[0] is None


def test_a_broken_history_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text('{"versions": [{"source": "nih"}]}')
    with pytest.raises(BadInput, match=r"history\.json holds no list of versions"):
        history.read(path)
    path.write_text("{bad")
    with pytest.raises(BadInput, match=r"history\.json is not JSON \(.*\): `git checkout"):
        history.read(path)


@pytest.fixture
def sources() -> agreement.Sources:
    """60 images with reports: 20 truly have a mass; mined, given and adjudicated differ."""
    image = [f"{place}.png" for place in range(60)]
    mined = [
        (f"r{name}", finding, state)
        for place, name in enumerate(image)
        for finding, state in (
            ("Mass", "positive" if place < 24 else "negative" if place < 50 else "uncertain"),
            (NORMAL, "negative"),
        )
    ]
    targets = np.zeros((60, len(FINDINGS)))
    targets[:24, FINDINGS.index("Mass")] = 1
    given = ["Mass" if 10 <= place < 30 else "" for place in range(60)]
    entries = pd.DataFrame({"image": image, "findings": given, "uncertain": "", "unknown": ""})
    answers = pd.DataFrame({"image": image, "finding": "Mass|Nodule", "label": "0"})
    answers.loc[:19, "label"] = "1"
    return agreement.Sources(
        entries=entries,
        reports=pd.DataFrame({"report": [f"r{name}" for name in image], "images": image}),
        mined=pd.DataFrame(mined, columns=["report", "finding", "state"]),
        manifest=manifest(targets, np.arange(60)),
        adjudicated=answers,
        truth=answers.head(0),
    )


def row(sources: agreement.Sources, labels: str, reference: str) -> pd.Series:
    frame = agreement.table(sources, SETTINGS.agreement).frame
    frame = frame[frame["finding"].str.startswith("Mass")]
    (place,) = np.flatnonzero((frame["labels"] == labels) & (frame["reference"] == reference))
    return frame.iloc[place]


def test_labels_in_use_are_counted_against_adjudicated_ones(sources: agreement.Sources) -> None:
    found = row(sources, "in use", "adjudicated")
    assert found["finding"] == "Mass|Nodule"
    assert found[["tp", "fp", "fn", "tn"]].tolist() == [20, 4, 0, 36]
    labels, truth = np.arange(60) < 24, np.arange(60) < 20
    assert found["kappa"] == pytest.approx(cohen_kappa_score(labels, truth))
    assert found["ppv"] == pytest.approx(20 / 24)
    assert found["sensitivity"] == 1.0
    assert found["ppv"] < found["ppv_high"] < 1
    assert found["sensitivity_high"] == pytest.approx(1.0)


def test_mined_labels_are_counted_against_given_ones_where_they_are_firm(
    sources: agreement.Sources,
) -> None:
    found = row(sources, "mined", "given")
    assert found["images"] == 50  # ten are doubtful
    assert found[["tp", "fp", "fn", "tn"]].tolist() == [14, 10, 6, 20]


def test_answers_about_a_report_are_compared_with_what_was_mined_from_it(
    sources: agreement.Sources,
) -> None:
    answers = sources.adjudicated.assign(image="r" + sources.adjudicated["image"], finding="Mass")
    found = row(replace(sources, adjudicated=answers), "mined", "adjudicated")
    assert found[["tp", "fp", "fn", "tn"]].tolist() == [20, 4, 0, 26]


def test_few_positives_are_counted_but_not_judged(sources: agreement.Sources) -> None:
    few = sources.adjudicated.assign(label="0")
    few.loc[0, "label"] = "1"
    found = row(replace(sources, adjudicated=few), "in use", "adjudicated")
    assert found["sensitivity"] == 1.0
    assert np.isnan(found["sensitivity_high"])
