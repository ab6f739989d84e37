"""What a reply means: every label that applies, and the digit that answers an open question. Pure.

Labels do not exclude each other: "STOP, my lip is white" ends the texts and reaches a clinician.
A symptom is never read away: a negation makes an urgent one one for review, no more. Nothing is
confirmed unless the whole reply says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reminders.inbound import patterns
from reminders.inbound.normalising import BREAK, clauses, tokens
from reminders.inbound.patterns import Place
from reminders.inbound.vocabulary import Phrases, Vocabulary, vocabulary


class Label(StrEnum):
    OPTOUT = "optout"
    WRONG_NUMBER = "wrong_number"
    HELP = "help"
    START = "start"
    SYMPTOM_URGENT = "symptom_urgent"
    SYMPTOM_REVIEW = "symptom_review"
    CONFIRM = "confirm"
    CHANGE = "change"
    ANSWER = "answer"  # a digit that answers a check-in
    FREE_TEXT = "free_text"


SYMPTOMS = frozenset({Label.SYMPTOM_URGENT, Label.SYMPTOM_REVIEW})


class Question(StrEnum):
    """What the last text to a number asked, if anything is still open."""

    CONFIRM = "confirm"  # 1 it suits, 2 it does not
    CHECKIN = "checkin"  # 1 all well, 2 a question, 3 worse than expected


ALL_WELL = 1
# A check-in that is not "all well" is for a clinician to read.
UNWELL = frozenset({2, 3})
# What the word lists call the patient.
PATIENT = "thepatient"
# Shorter words have too many neighbours for a slip to be told from another word.
LEAST_LETTERS = 4
_DIGITS = {Question.CONFIRM: range(1, 3), Question.CHECKIN: range(1, 4)}


@dataclass(frozen=True, slots=True)
class Hit:
    """The words of a reply that led to a label."""

    label: Label
    words: str
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found. `answer` is the digit given to the open question. `may_mean_visit`: a bare
    CANCEL, which ends the texts by the rules of the carriers and was perhaps meant for a visit."""

    labels: frozenset[Label]
    answer: int | None = None
    may_mean_visit: bool = False
    hits: tuple[Hit, ...] = field(default=())


def read(
    text: str,
    *,
    question: Question | None = None,
    is_opted_out: bool = False,
    is_flagged: bool = False,
    names: Collection[str] = (),
) -> Reading:
    """Read one reply.

    `question` is the single open question of the number; None when there is none, or several.
    `is_opted_out`: the number does not get texts now. `is_flagged`: the provider says that it
    took this for an opt-out. `names` are the first and family names of the patients of the number.
    """
    known = vocabulary()
    called = {part: PATIENT for name in names for part in tokens(name, spellings={}, keywords=())}
    words = tokens(text, spellings={**known.spellings, **called}, keywords=known.keywords)
    hits = _hits(words, known)
    labels = _labels_of(hits)
    cancels = _is_whole(words, "cancel", known)
    if is_flagged or cancels or _opts_out(words, known):
        labels.add(Label.OPTOUT)
    if _is_whole(words, "help", known):
        labels.add(Label.HELP)
    if _is_whole(words, "start", known) or (
        is_opted_out and question is None and _is_whole(words, "start_again", known)
    ):
        labels.add(Label.START)
    answer = _digit(words, question, known)
    labels |= _answered(answer, question)
    if question is Question.CONFIRM and _is_whole(words, "confirm", known):
        labels.add(Label.CONFIRM)
    if _is_whole(words, "change", known):
        labels.add(Label.CHANGE)
    return Reading(
        labels=frozenset(labels or {Label.FREE_TEXT}),
        answer=answer,
        may_mean_visit=cancels,
        hits=tuple(hits),
    )


def _labels_of(hits: Sequence[Hit]) -> set[Label]:
    """A denied symptom is for review, anything else that is denied does not count."""
    labels = set()
    for hit in hits:
        if hit.label in SYMPTOMS:
            labels.add(Label.SYMPTOM_REVIEW if hit.is_negated else hit.label)
        elif not hit.is_negated:
            labels.add(hit.label)
    return labels


def _hits(words: Sequence[str], known: Vocabulary) -> list[Hit]:
    exact = [frozenset({word}) for word in words]
    forgiving = [frozenset({word, *_slips_to(word, known)}) for word in words]
    harmless = [place for pattern in known.harmless for place in patterns.places(pattern, exact)]
    said_anywhere = frozenset().union(*forgiving)
    found = []
    for name, listed in known.patterns.items():
        label = Label(name)
        is_symptom = label in SYMPTOMS
        for pattern in listed:
            if not pattern.can_stand_in(said_anywhere):
                continue
            for place in patterns.places(pattern, forgiving if is_symptom else exact):
                if is_symptom and any(phrase.holds(place) for phrase in harmless):
                    continue
                said = " ".join(word for word in words[place.start : place.end] if word != BREAK)
                found.append(Hit(label, said, _is_negated(words, place, known)))
    return found


def _slips_to(word: str, known: Vocabulary) -> Iterator[str]:
    """The symptoms that may be meant by a word with one letter wrong."""
    if len(word) < LEAST_LETTERS or word in known.ordinary or word in known.slips:
        return
    for wanted in known.slips:
        if abs(len(word) - len(wanted)) <= 1 and patterns.one_edit(word, wanted):
            yield wanted


def _is_negated(words: Sequence[str], place: Place, known: Vocabulary) -> bool:
    """Whether the words just before one of its words deny it.

    "No signs of fever" and "redness is not spreading" do, "no, fever" does not; nor does a
    negation that is itself part of the symptom, as in "cannot see".
    """
    return any(_is_denied(words, at, place, known) for at in place.at)


def _is_denied(words: Sequence[str], at: int, place: Place, known: Vocabulary) -> bool:
    while (at := at - 1) >= 0 and at not in place.at:
        if words[at] in known.either:
            at -= 1
        elif words[at] in known.negations:
            return True
        elif words[at] not in known.bridges:
            return False
    return False


def _opts_out(words: Sequence[str], known: Vocabulary) -> bool:
    """A keyword is the whole message, or a clause of it: "Stop. My lip is swollen"."""
    if _is_whole(words, "optout", known):
        return True
    return any(
        _is_whole(clause, "keyword", known) or _is_mistyped_keyword(clause, words, known)
        for clause in clauses(words)
    )


def _is_mistyped_keyword(clause: Sequence[str], words: Sequence[str], known: Vocabulary) -> bool:
    """One word alone, one letter from a keyword and no word of its own: "sotp"."""
    return (
        len(words) == 1
        and clause[0] not in known.ordinary
        and any(patterns.one_edit(clause[0], keyword) for keyword in known.keywords)
    )


def _digit(words: Sequence[str], question: Question | None, known: Vocabulary) -> int | None:
    """The digit that the reply is, or begins with: "2 - please call me".

    The first answer, that all is well, counts only when nothing else is said.
    """
    if question is None or not words:
        return None
    first = clauses(words)[0]
    for digit in _DIGITS[question]:
        if _is_whole(words if digit == ALL_WELL else first, f"digit_{digit}", known):
            return digit
    return None


def _answered(answer: int | None, question: Question | None) -> set[Label]:
    if answer is None:
        return set()
    if question is Question.CONFIRM:
        return {Label.CONFIRM if answer == 1 else Label.CHANGE}
    return {Label.ANSWER, Label.SYMPTOM_REVIEW} if answer in UNWELL else {Label.ANSWER}


def _is_whole(words: Sequence[str], name: str, known: Vocabulary) -> bool:
    """Whether `words` are made of phrases of this name and of fillers, one of the name at least."""
    plain = [word for word in words if word != BREAK]
    said, at = False, 0
    while at < len(plain):
        if length := _longest(plain, at, known.whole[name]):
            said = True
        elif not (length := _longest(plain, at, known.fillers)):
            return False
        at += length
    return said


def _longest(words: Sequence[str], at: int, phrases: Phrases) -> int:
    for phrase in phrases:
        if tuple(words[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0
