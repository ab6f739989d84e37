"""How well replies of patients are read, on the labelled corpus, and how long one takes.

For recall the floor is what was found of what is right, for precision what was rightly found of
what was found, so that a ratio of 1 is perfect. Reading is measured beside splitting the same
replies into words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.figures import Figure, Grid, milliseconds, p95
from reminders.inbound.grammar import Label, read
from reminders.inbound.normalising import tokens
from tests.reminders.inbound import corpus

GROUP = "replies"
# By label: the most that 1/recall and 1/precision may be. Nothing grave may be missed.
TARGETS = {
    Label.SYMPTOM_URGENT: (1.0, 1.05),
    Label.OPTOUT: (1.0, 1.01),
    Label.SYMPTOM_REVIEW: (1.03, 1.05),
    Label.CONFIRM: (1.05, 1.0),
    Label.CHANGE: (1.05, 1.05),
}


def figures(step: Callable[[str], None]) -> Iterator[Figure | Grid]:
    step("reading the corpus")
    listed = corpus.replies()
    for label, (most_missed, most_wrong) in TARGETS.items():
        score = corpus.score(label, listed)
        found, right = score.right - len(score.missed), score.found - len(score.wrong)
        yield Figure(GROUP, f"recall of {label}", score.right, "replies", found, most_missed)
        yield Figure(GROUP, f"precision of {label}", score.found, "replies", right, most_wrong)
    step("timing")
    texts = [reply.text for reply in listed]
    split = partial(tokens, spellings={}, keywords=())
    floor = [each for text in texts for each in milliseconds(partial(split, text), times=1)]
    taken = [each for text in texts for each in milliseconds(partial(read, text), times=1)]
    yield Figure(GROUP, "reading one reply, p95", p95(taken), "ms", p95(floor), 60)
    yield _confusion()


def _confusion() -> Grid:
    """What is right (rows) and what was found (columns), the gravest label of each reply."""
    counts = corpus.confusion(corpus.replies())
    numbered = dict(enumerate(corpus.GRAVEST_FIRST, start=1))
    rows = [
        [f"{number} {right}", *(str(counts[right, found] or "·") for found in numbered.values())]
        for number, right in numbered.items()
    ]
    return Grid(GROUP, "right label by found label", ["right", *map(str, numbered)], rows)
