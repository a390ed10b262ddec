"""One reader's sitting: what the page shows next, and what it does with a key. Knows no HTTP.

Blind: the page learns nothing of other readers, of the score that made a label suspect (unless the
settings say so), or of how many labels are thought wrong.
"""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from thorax.errors import BadInput
from thorax.findings import display
from thorax.review.answers import ANSWERS, Answers
from thorax.review.queue import Item


@dataclass
class Session:
    """A reader's queue and answers.

    Attributes:
        items: in the reader's order.
        answers: the reader's.
        show_scores: whether the page shows the model's score.
    """

    items: list[Item]
    answers: Answers
    show_scores: bool = False

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._by_key = {item.key: number for number, item in enumerate(self.items)}

    def state(self) -> dict[str, Any]:
        """Progress and the next label without an answer; `item` is None at the end."""
        done = sum(self._answered(item) for item in self.items)
        number = next((n for n, item in enumerate(self.items) if not self._answered(item)), None)
        return {
            "reader": self.answers.reader,
            "done": done,
            "total": len(self.items),
            "undo": bool(self.answers.said),
            "item": None if number is None else self._shown(number),
        }

    def answer(self, image: str, finding: str, answer: str) -> dict[str, Any]:
        """Note an answer; returns the state after it.

        Raises:
            BadInput: no such label is in the queue, or no such answer.
        """
        with self._lock:
            number = self._by_key.get((image, finding))
            if number is None:
                raise BadInput(f"{display(finding)} on {image} is not in the queue")
            for known in ANSWERS:
                if answer == known:
                    self.answers.give(self.items[number], known)
                    return self.state()
            raise BadInput(f"{answer!r} is no answer; they are {', '.join(ANSWERS)}")

    def undo(self) -> dict[str, Any]:
        """Take back the newest answer; its label is asked again."""
        with self._lock:
            self.answers.undo()
            return self.state()

    def picture(self, number: int) -> Path:
        """The file of an image."""
        return self.items[number].picture

    def heatmap(self, number: int) -> Path | None:
        """The file of a heatmap."""
        return self.items[number].heatmap

    def _answered(self, item: Item) -> bool:
        said = self.answers.said.get(item.key)
        return said is not None and said.given == item.given

    def _shown(self, number: int) -> dict[str, Any]:
        item = self.items[number]
        shown: dict[str, Any] = {
            "image": item.image,
            "finding": item.finding,
            "name": display(item.finding),
            "given": item.given,
            "picture": f"picture/{number}",
            "heatmap": f"heatmap/{number}" if item.heatmap else None,
            "report": item.report,
            "state": item.state,
            "sentence": item.sentence,
            "cue": item.cue,
        }
        if self.show_scores:
            shown |= {"quality": item.quality, "probability": item.probability}
        return shown
