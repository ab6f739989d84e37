"""Patterns of words as clinicians write them in the word lists, and where they stand in a reply.

    fever                   the word
    hot|warm|{burnt} skin   one of these words, or of the group `burnt`, and then "skin"
    swoll*                  any word that begins so
    stop ~ texts            up to three other words of the same clause between the two
    {skin} & white|grey     one of the group and one of these, within six words, in any order
    these now|.             "these" and then "now", or nothing more of the same clause

Pure. Refuses to know what a pattern stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reminders.inbound.normalising import BREAK

GAP = 3
NEAR = 6
END = "."


@dataclass(frozen=True, slots=True)
class Element:
    """Any of these words, or one that begins so; with neither it is the gap `~`."""

    words: frozenset[str]
    beginnings: tuple[str, ...]

    @property
    def is_gap(self) -> bool:
        return not self.words and not self.beginnings

    def meets(self, meant: frozenset[str]) -> bool:
        if not self.words.isdisjoint(meant):
            return True
        return bool(self.beginnings) and any(word.startswith(self.beginnings) for word in meant)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`sides` are sequences that must stand near each other; one side, as a rule."""

    written: str
    sides: tuple[tuple[Element, ...], ...]

    def can_stand_in(self, said: frozenset[str]) -> bool:
        """Whether a reply of these words, in any order, has the first word of each side."""
        return all(side[0].meets(said) for side in self.sides)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pattern stands: the positions of its words, in their order there."""

    at: tuple[int, ...]

    @property
    def start(self) -> int:
        return self.at[0]

    @property
    def end(self) -> int:
        return self.at[-1] + 1

    def holds(self, other: Place) -> bool:
        return self.start <= other.start and other.end <= self.end


# A word of the reply as all that it may stand for: itself, and what it may be a slip of.
Meant = frozenset[str]


def compiled(written: str, groups: Mapping[str, str]) -> Pattern:
    """The pattern that somebody wrote. Raises KeyError for a group that there is not."""
    return Pattern(
        written,
        tuple(
            tuple(_element(part, groups) for part in side.split()) for side in written.split(" & ")
        ),
    )


def places(pattern: Pattern, words: Sequence[Meant]) -> list[Place]:
    """Every place where the pattern stands in these words (and marks, see `normalising`)."""
    words = [*words, frozenset({BREAK})]
    first, *others = [
        [Place(at) for start in range(len(words)) if (at := _from(side, words, start))]
        for side in pattern.sides
    ]
    for more in others:
        first = [
            Place(tuple(sorted(one.at + other.at)))
            for one in first
            for other in more
            if _between(one, other, words) <= NEAR
        ]
    return first


def one_edit(word: str, wanted: str) -> bool:
    """One letter wrong, left out or too many, or two swapped."""
    if len(word) < len(wanted):
        word, wanted = wanted, word
    at = next((n for n, letter in enumerate(wanted) if letter != word[n]), len(wanted))
    if len(word) > len(wanted):
        return word[at + 1 :] == wanted[at:]
    swapped = word[at : at + 2] == wanted[at : at + 2][::-1]
    return word[at + 1 :] == wanted[at + 1 :] or (swapped and word[at + 2 :] == wanted[at + 2 :])


def _element(part: str, groups: Mapping[str, str]) -> Element:
    if part == "~":
        return Element(frozenset(), ())
    choices = "|".join(
        groups[choice[1:-1]] if choice.startswith("{") else choice for choice in part.split("|")
    ).split("|")
    return Element(
        frozenset(
            BREAK if choice == END else choice for choice in choices if not choice.endswith("*")
        ),
        tuple(choice[:-1] for choice in choices if choice.endswith("*")),
    )


def _from(side: Sequence[Element], words: Sequence[Meant], at: int) -> tuple[int, ...]:
    """The positions of the side when it stands at `at`; empty when it does not."""
    if at >= len(words) or not side[0].meets(words[at]):
        return ()
    if len(side) == 1:
        return (at,)
    has_gap = side[1].is_gap
    rest = side[2:] if has_gap else side[1:]
    for skipped in range(GAP + 1 if has_gap else 1):
        if skipped and any(BREAK in meant for meant in words[at + skipped : at + skipped + 1]):
            return ()
        if following := _from(rest, words, at + 1 + skipped):
            return (at, *following)
    return ()


def _between(one: Place, other: Place, words: Sequence[Meant]) -> int:
    """How many words stand between the two; too many when they overlap."""
    first, second = sorted((one, other), key=lambda place: place.start)
    if second.start < first.end:
        return len(words)
    return sum(BREAK not in meant for meant in words[first.end : second.start])
