"""The picture with the report: the evidence is marked where it stands, and nothing else is."""

import cv2
import numpy as np
import pytest

from thorax import images
from thorax.tables.evidence import Evidence, beside

TEXT = "Findings: The heart is large.\nA mass of 3 cm lies in the left lung. No effusion."
SENTENCE = "A mass of 3 cm lies in the left lung."
AT = TEXT.index("mass")
MASS = Evidence("r1", TEXT, "Mass", "positive", SENTENCE, AT, AT + 4)
FILM = images.encode_png(np.full((420, 384, 3), 90, np.uint8))
BEHIND = (38, 74, 98)


def page(evidence: Evidence) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(beside(FILM, evidence), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] == 420 and picture.shape[1] > 384
    assert (picture[:, :384] == 90).all()  # the film is as it was
    return picture[:, 384:]


def marked(picture: np.ndarray) -> np.ndarray:
    return (picture == BEHIND).all(axis=2)


def test_the_sentence_that_holds_the_phrase_is_marked() -> None:
    assert MASS.span() == (TEXT.index(SENTENCE), TEXT.index(SENTENCE) + len(SENTENCE))
    mark = marked(page(MASS))
    body = mark[: 420 * 8 // 10]  # above the key at the foot
    assert body.sum() > 1000 and mark.sum() > body.sum()


def test_of_two_equal_sentences_the_one_with_the_phrase_counts() -> None:
    text = "No mass. Clear. No mass."
    start = text.rindex("mass")
    evidence = Evidence("r", text, "Mass", "negative", "No mass.", start, start + 4)
    assert evidence.span() == (start - 3, len(text))


def test_a_sentence_that_is_not_in_the_text_as_it_stands_leaves_its_phrase() -> None:
    evidence = Evidence("r", "A  mass\nlies left.", "Mass", "positive", "A mass lies left.", 3, 7)
    assert evidence.span() == (3, 7)
    assert marked(page(evidence)).any()


def test_what_is_not_mentioned_is_not_marked() -> None:
    assert not marked(page(Evidence("r1", TEXT, "Hernia", "unmentioned"))).any()


@pytest.mark.parametrize("words", [0, 400, 5000])
def test_no_text_and_a_long_one_are_drawn_too(words: int) -> None:
    text = "word " * words
    picture = page(Evidence("r1", text, "Mass", "unmentioned"))
    assert picture.std() > 0
