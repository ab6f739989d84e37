"""What a reply means: on the labelled corpus, and in the hard cases of the design by themselves."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.inbound.grammar import Label, Question, read
from tests.reminders.inbound import corpus

CONFIRM, CHECKIN = Question.CONFIRM, Question.CHECKIN


def labels(text: str, question: Question | None = None, **known: Any) -> set[str]:
    return {str(label) for label in read(text, question=question, **known).labels}


# --- The corpus -----------------------------------------------------------------------------------


def test_the_corpus_is_large_in_both_languages_and_holds_every_label() -> None:
    listed = corpus.replies()
    by_language = {reply.language for reply in listed}
    assert by_language == {"en", "es", "mixed"}
    for language in ("en", "es"):
        assert sum(reply.language == language for reply in listed) >= 300
    assert sum(reply.is_held_out for reply in listed) >= 150
    for label in Label:
        assert any(reply.has(label) for reply in listed)
    assert len({(reply.context, reply.text.casefold()) for reply in listed}) > 1_100


@pytest.mark.parametrize("label", [Label.OPTOUT, Label.SYMPTOM_URGENT])
def test_no_opt_out_and_no_urgent_symptom_of_the_corpus_is_missed(label: Label) -> None:
    missed = corpus.score(label, corpus.replies()).missed
    assert [reply.text for reply in missed] == []


# What a label may cost in hands and in trust: a visit must not be confirmed by mistake, while a
# clinician may read a few replies too many.
@pytest.mark.parametrize(
    ("label", "least_recall", "least_precision"),
    [
        (Label.OPTOUT, 1.0, 0.99),
        (Label.SYMPTOM_URGENT, 1.0, 0.95),
        (Label.SYMPTOM_REVIEW, 0.97, 0.95),
        (Label.CONFIRM, 0.95, 1.0),
        (Label.CHANGE, 0.95, 0.95),
        (Label.WRONG_NUMBER, 0.95, 0.95),
        (Label.HELP, 1.0, 1.0),
        (Label.START, 1.0, 1.0),
        (Label.ANSWER, 1.0, 0.9),
        (Label.FREE_TEXT, 0.95, 0.95),
    ],
)
def test_each_label_is_found_and_rarely_found_wrongly(
    label: Label, least_recall: float, least_precision: float
) -> None:
    score = corpus.score(label, corpus.replies())
    assert score.recall >= least_recall, [reply.text for reply in score.missed]
    assert score.precision >= least_precision, [reply.text for reply in score.wrong]


def test_a_symptom_wins_over_fine() -> None:
    """Edge case 20: a late, kind and ambiguous answer."""
    for text, label in (
        ("it's fine but bubbles?", Label.SYMPTOM_REVIEW),
        ("all fine, only some pus", Label.SYMPTOM_URGENT),
        ("todo bien pero burbujas?", Label.SYMPTOM_REVIEW),
    ):
        assert label in labels(text, CHECKIN), text


def test_nothing_with_a_symptom_or_an_opt_out_confirms_a_visit() -> None:
    for reply in corpus.replies():
        found = read(reply.text, question=CONFIRM, names=corpus.NAMES).labels
        if found & {Label.OPTOUT, Label.SYMPTOM_URGENT, Label.SYMPTOM_REVIEW}:
            assert Label.CONFIRM not in found, reply.text


# --- The hard cases -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Stop.", "STOP ALL", "please stop texting me", "Alto", "S.T.O.P"])
def test_opt_outs_of_the_design(text: str) -> None:
    assert "optout" in labels(text)


def test_a_plea_for_the_appointment_is_no_opt_out() -> None:
    assert labels("please don't stop my appointment") == {"free_text"}


@pytest.mark.parametrize("text", ["CANCEL", "cancel.", "Cancelar", "cancelar por favor"])
def test_a_bare_cancel_ends_the_texts_and_may_have_meant_the_visit(text: str) -> None:
    reading = read(text, question=CONFIRM)
    assert reading.labels == {Label.OPTOUT} and reading.may_mean_visit


def test_cancelling_the_visit_in_words_is_a_change_and_no_opt_out() -> None:
    for text in ("cancel my appointment", "cancelar mi cita", "I need to cancel"):
        reading = read(text, question=CONFIRM)
        assert reading.labels == {Label.CHANGE} and not reading.may_mean_visit


def test_the_providers_own_opt_out_counts_whatever_the_words_say() -> None:
    assert labels("Yes", CONFIRM, is_flagged=True) == {"optout", "confirm"}


def test_digits_answer_the_open_question_and_nothing_else() -> None:
    assert labels("1", CONFIRM) == {"confirm"}
    assert labels("2", CONFIRM) == {"change"}
    assert labels("3", CONFIRM) == labels("1") == labels("2") == {"free_text"}
    assert [read(digit, question=CHECKIN).answer for digit in "1234"] == [1, 2, 3, None]
    assert labels("1", CHECKIN) == {"answer"}
    assert labels("3", CHECKIN) == {"answer", "symptom_review"}


def test_yes_confirms_a_question_restarts_a_silenced_number_and_else_means_nothing() -> None:
    assert labels("YES", CONFIRM) == {"confirm"}
    assert labels("YES", CONFIRM, is_opted_out=True) == {"confirm"}
    assert labels("YES", is_opted_out=True) == {"start"}
    assert labels("YES") == {"free_text"}


def test_left_over_words_confirm_nothing() -> None:
    assert labels("1 thanks!", CONFIRM) == {"confirm"}
    for text in ("1 or 2", "yes at 11", "yes if I can park", "ok?! who is this"):
        assert "confirm" not in labels(text, CONFIRM)


def test_a_negation_lowers_an_urgent_symptom_and_never_hides_it() -> None:
    assert labels("I have a fever") == {"symptom_urgent"}
    for text in ("no fever or chills", "I don't have any fever", "la piel no está blanca"):
        assert labels(text) == {"symptom_review"}
    for text in ("No, I have a fever", "no sleep, fever", "cannot breathe", "no baja la fiebre"):
        assert labels(text) == {"symptom_urgent"}


def test_one_letter_may_be_wrong_but_real_words_are_taken_at_their_word() -> None:
    for text in ("fevr", "my vison is bluryr", "fiebrre", "ampoya", "blistr"):
        assert labels(text) & {"symptom_urgent", "symptom_review"}, text
    for text in ("never", "my visit", "the color", "see you at the door", "lever"):
        assert labels(text) == {"free_text"}, text


def test_every_label_takes_effect() -> None:
    assert labels("STOP. wrong number") == {"optout", "wrong_number"}
    assert labels("No me escriban más! Tengo fiebre y quiero cambiar mi cita") == {
        "optout",
        "symptom_urgent",
        "change",
    }


def test_the_names_of_the_numbers_patients_tell_a_wrong_number() -> None:
    assert read("I'm not Zoë", names=["Zoë"]).labels == {Label.WRONG_NUMBER}
    assert read("I'm not Zoë", names=["Ana"]).labels == {Label.FREE_TEXT}


@pytest.mark.parametrize("text", ["", " ", "🙂🙂", "…", "\x00", "(((", "ok" * 4000])
def test_what_says_nothing_is_free_text(text: str) -> None:
    assert labels(text, CONFIRM) == {"free_text"}


@given(st.text(max_size=200), st.sampled_from([None, *Question]))
def test_whatever_is_written_is_read(text: str, question: Question | None) -> None:
    found = read(text, question=question).labels
    assert found
    assert Label.FREE_TEXT not in found or len(found) == 1


def urgent() -> list[corpus.Reply]:
    return [reply for reply in corpus.replies() if reply.has(Label.SYMPTOM_URGENT)]


@given(
    # Read once the test runs, for every worker imports this file.
    st.deferred(lambda: st.sampled_from(urgent())),
    st.sampled_from([str.upper, str.title, lambda text: f"Hi! {text} Thanks 🙏"]),
)
def test_how_an_urgent_symptom_is_written_changes_nothing(
    reply: corpus.Reply, written: Callable[[str], str]
) -> None:
    assert Label.SYMPTOM_URGENT in read(written(reply.text), names=corpus.NAMES).labels
