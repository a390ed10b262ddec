"""Judge every rule, then the whole: pass, fail, or insufficient evidence. Pure.

one rule   insufficient evidence   too few positives, patients or findings, or an undefined value
           pass | fail             the value or an end of its interval against the bound
the whole  fail                    any rule fails
           insufficient evidence   else, any rule that holds the model back has too little
           pass                    else
"""

from dataclasses import asdict, dataclass
from typing import Final, Literal

from thorax import validity
from thorax.findings import display
from thorax.gate.evidence import Evidence, Reading, findings_of, read
from thorax.gate.rules import METRICS, Rule

Verdict = Literal["pass", "fail", "insufficient evidence"]
_TOO_LITTLE: Final = "insufficient evidence"
# (bound from above, good) -> how the value lies to the bound
_SIDES: Final = {
    (True, True): "at most",
    (True, False): "above",
    (False, True): "at least",
    (False, False): "below",
}


@dataclass(frozen=True)
class Outcome:
    """One rule's verdict for one finding, or for all at once (`finding` is then empty).

    `value`, `low`, `high` and `bound` are numbers, or None where the rule asks for a verdict.
    `compared` is the one of the first three that was held against the bound, and `comparison` says
    which: `value`, `low end` or `high end`.
    """

    rule: str
    finding: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    bound: float | None
    compared: float | None
    comparison: str
    positives: int | None
    verdict: Verdict
    on_insufficient: str
    reason: str

    @property
    def is_ignored(self) -> bool:
        """Whether the evidence is insufficient and the rule lets that pass."""
        return self.verdict == _TOO_LITTLE and self.on_insufficient == "ignore"

    def as_dict(self) -> dict[str, object]:
        """What decision.json says of it."""
        return asdict(self)


def judge(rules: tuple[Rule, ...], evidence: Evidence) -> list[Outcome]:
    """Every rule's outcomes, in the order of the rules and findings."""
    outcomes = []
    for rule in rules:
        if METRICS[rule.metric].of == "verdict":
            judge_verdict = _VERDICTS[METRICS[rule.metric].source]
            outcomes.append(judge_verdict(rule, evidence))
        else:
            outcomes.extend(
                _judge_reading(rule, finding, read(rule, finding, evidence))
                for finding in findings_of(rule, evidence)
            )
    return outcomes


def overall(outcomes: list[Outcome]) -> Verdict:
    """The gate's verdict over all outcomes."""
    if any(outcome.verdict == "fail" for outcome in outcomes):
        return "fail"
    held = any(o.verdict == _TOO_LITTLE and not o.is_ignored for o in outcomes)
    passed = any(outcome.verdict == "pass" for outcome in outcomes)
    return "pass" if passed and not held else _TOO_LITTLE


def _judge_validation(rule: Rule, evidence: Evidence) -> Outcome:
    answer = str(evidence.validation["verdict"])
    until = evidence.validation.get("valid_until")
    verdict: Verdict = "pass" if answer == rule.verdict else "fail"
    reason = f"The label checks accepted the data{_on_waivers(evidence)}."
    if evidence.validation_ended:
        verdict = "fail"
        reason = f"The label checks' verdict rested on a waiver that ended on {until}."
    elif verdict == "fail":
        reason = f"The label checks refused the data: {_failed_checks(evidence)}."
    return _outcome(rule, "", Reading(None), verdict, reason)


def _judge_predictions(rule: Rule, evidence: Evidence) -> Outcome:
    good = str(evidence.predictions["verdict"]) == rule.verdict
    failed = [str(check["name"]) for check in validity.refusing(evidence.predictions)]
    no = f"The checks of the predictions refused them: {', '.join(failed) or 'no check is named'}."
    reason = "The checks of the predictions accepted them." if good else no
    return _outcome(rule, "", Reading(None), "pass" if good else "fail", reason)


_VERDICTS: Final = {"validation": _judge_validation, "predictions": _judge_predictions}


def _on_waivers(evidence: Evidence) -> str:
    people = [str(waiver["person"]) for waiver in validity.waivers(evidence.validation)]
    until = evidence.validation.get("valid_until")
    return f" on a waiver of {', '.join(people)} until {until}" if people else ""


def _failed_checks(evidence: Evidence) -> str:
    failed = [str(check["name"]) for check in validity.refusing(evidence.validation)]
    return ", ".join(failed) or "no check is named"


def _judge_reading(rule: Rule, finding: str, reading: Reading) -> Outcome:
    subject = _subject(rule, finding)
    kind, bound = rule.bound
    value = _compared(rule, reading)
    lack = _lack(rule, reading)
    if lack or value is None or isinstance(bound, str):
        reason = f"{subject}: {lack or reading.reason or 'it is undefined'}."
        return _outcome(rule, finding, reading, _TOO_LITTLE, _sentence(reason))
    good = value <= bound if kind == "max" else value >= bound
    side = _SIDES[kind == "max", good]
    what = f"the {end} end of {subject}" if (end := _ENDS.get(kind)) else subject
    reason = _sentence(f"{what} is {value:.4g}, {side} {bound:g}.")
    return _outcome(rule, finding, reading, "pass" if good else "fail", reason)


_ENDS: Final = {"min_low": "lower", "min_high": "upper"}


def _compared(rule: Rule, reading: Reading) -> float | None:
    """What of the reading is held against the bound."""
    kind, _ = rule.bound
    return {"min_low": reading.low, "min_high": reading.high}.get(kind, reading.value)


def _subject(rule: Rule, finding: str) -> str:
    at = f" at T {rule.threshold:g}" if rule.threshold is not None else ""
    at += f" at {rule.point}" if rule.point else ""
    of = f" of {display(finding)}" if finding else ""
    return f"{METRICS[rule.metric].title}{at}{of}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _lack(rule: Rule, reading: Reading) -> str:
    """What the reading has too little of; empty when it has enough."""
    needs = (
        (reading.positives, rule.min_positives, "positives"),
        (reading.positive_patients, rule.min_positive_patients, "patients with it"),
        (reading.findings, rule.min_findings, "findings behind the mean"),
    )
    for has, needed, what in needs:
        if needed and (has or 0) < needed:
            return f"only {has or 0} {what}, {needed} are needed"
    return ""


def _outcome(rule: Rule, finding: str, reading: Reading, verdict: Verdict, reason: str) -> Outcome:
    _, bound = rule.bound
    return Outcome(
        rule=rule.name,
        finding=finding,
        metric=rule.metric,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        bound=None if isinstance(bound, str) else bound,
        compared=_compared(rule, reading),
        comparison={"min_low": "low end", "min_high": "high end"}.get(rule.bound[0], "value"),
        positives=reading.positives,
        verdict=verdict,
        on_insufficient=rule.on_insufficient,
        reason=reason,
    )
