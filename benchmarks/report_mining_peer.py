"""NegEx as negspacy has it, on a blank spaCy pipeline: run by an interpreter that has both.

Reads JSON from stdin, writes JSON to stdout, and imports nothing of this project, which depends on
neither. Started by `report_mining.py --negspacy-python`.

    in:   {"phrases": {finding: [[word, ...], ...]}, "texts": {report: text}}
    out:  {"found": {report: [finding, ...]}, "seconds": processor time of reading the texts,
           "versions": "spaCy ..., negspacy ..."}

A word is `effusion`, `atelecta*`, `small/large` or `...` (up to four words) as in phrase files.
"""

import importlib.metadata
import json
import re
import sys
import time
from typing import Any

import spacy
from negspacy.negation import Negex  # noqa: F401  # registers the pipe

GAP = [{"IS_PUNCT": False, "OP": "?"}] * 4


def main() -> None:
    asked = json.load(sys.stdin)
    pipeline = build(asked["phrases"])
    started = time.process_time()
    found = {report: sorted(positives(pipeline, text)) for report, text in asked["texts"].items()}
    seconds = time.process_time() - started
    versions = ", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("spacy", "negspacy"))
    json.dump({"found": found, "seconds": seconds, "versions": versions}, sys.stdout)


def build(phrases: dict[str, list[list[str]]]) -> Any:
    """Sentences, the phrases as entities, NegEx with its clinical terms."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": finding, "pattern": [token for word in words for token in tokens(word)]}
            for finding, lines in phrases.items()
            for words in lines
        ]
    )
    pipeline.add_pipe("negex", config={"ent_types": list(phrases)})
    return pipeline


def tokens(word: str) -> list[dict[str, Any]]:
    """The token patterns of one word of a phrase line; spaCy parts words at hyphens."""
    if word == "...":
        return GAP
    options = word.lower().split("/")
    if len(options) > 1 or "*" in word:
        either = "|".join(re.escape(option).replace(r"\*", r"\w*") for option in options)
        return [{"LOWER": {"REGEX": f"^(?:{either})$"}}]
    return [{"LOWER": part} for part in re.split(r"(-)", word.lower()) if part]


def positives(pipeline: Any, text: str) -> set[str]:
    return {entity.label_ for entity in pipeline(text).ents if not entity._.negex}


if __name__ == "__main__":
    main()
