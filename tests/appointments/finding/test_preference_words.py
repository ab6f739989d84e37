"""What suits a patient, as it is typed: read exactly, or refused with what to write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.finding import preference_words
from appointments.finding.plans import EVERY_DAY, Preference
from appointments.finding.preference_words import PreferenceUnreadable
from clinic.wall_time import MINUTES_A_DAY

NOON = 12 * 60
ANY_TIME = (0, MINUTES_A_DAY)


@pytest.mark.parametrize(
    ("text", "weekdays", "times"),
    [
        ("thu,fri 14:00-18:00", {3, 4}, (840, 1080)),
        ("14:00-18:00 thu, fri", {3, 4}, (840, 1080)),
        ("  Thursday , FRIDAYS  14-18 ", {3, 4}, (840, 1080)),
        ("mornings", EVERY_DAY, (0, NOON)),
        ("afternoons", EVERY_DAY, (NOON, 17 * 60)),
        ("evenings mon", {0}, (17 * 60, MINUTES_A_DAY)),
        ("mon-fri", {0, 1, 2, 3, 4}, ANY_TIME),
        ("mon – fri", {0, 1, 2, 3, 4}, ANY_TIME),
        ("fri-mon", {4, 5, 6, 0}, ANY_TIME),
        ("tue-tue", {1}, ANY_TIME),
        ("weekdays 9:30 - 12:00", {0, 1, 2, 3, 4}, (570, NOON)),
        ("weekends,mon", {5, 6, 0}, ANY_TIME),
        ("any", EVERY_DAY, ANY_TIME),
        ("00:00-24:00", EVERY_DAY, ANY_TIME),
        ("10:00-10:00", EVERY_DAY, (600, 600)),
    ],
)
def test_days_and_one_time_are_read_in_any_order(
    text: str, weekdays: set[int] | frozenset[int], times: tuple[int, int]
) -> None:
    read = preference_words.read(text)
    assert read.weekdays == frozenset(weekdays)
    assert (read.earliest, read.latest) == times
    assert not read.strict
    assert preference_words.read(text, strict=True).strict


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no preference"),
        (" , ,\t", "There is no preference"),
        ("soon", "'soon' is no day and no time"),
        ("thu;fri", "'thu;fri' is no day and no time"),
        ("mon-", "'mon-' is no day and no time"),
        ("-fri", "'-fri' is no day and no time"),
        ("mon-fri-sun", "is no day and no time"),
        ("mon-14:00", "is no day and no time"),
        ("weekdays-fri", "is no day and no time"),
        ("14:00", "'14:00' is no day and no time"),
        ("14:0-18:00", "is no day and no time"),
        ("٠٩:٠٠-١٢:٠٠", "is no day and no time"),  # digits of another script
        ("1４:00-18:00", "is no day and no time"),
        ("18:00-14:00", "ends before it begins"),
        ("09:60-10:00", "no time of day"),
        ("20:00-25:00", "no time of day"),
        ("23:00-24:01", "no time of day"),
        ("mornings evenings", "Give one time of day"),
        ("mon 9-12 tue 14-18", "Give one time of day"),
        ("mon\x00", "'mon\\?' is no day and no time"),
        ("\x1b[31mmon", "'\\?\\[31mmon' is no day and no time"),
        ("\u202enom", "'\\?nom' is no day and no time"),
        ("'; DROP TABLE patients; --", "is no day and no time"),
        ("{0.__class__}", "is no day and no time"),
        ("mon" * 40, "at most 100 letters"),
        ("," * 1_000_000, "at most 100 letters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(PreferenceUnreadable, match=said) as refused:
        preference_words.read(text)
    assert refused.value.sentence.isprintable() and len(refused.value.sentence) < 200
    assert (refused.value.code, refused.value.field) == ("preference_unreadable", "prefer")


@st.composite
def preferences(draw: st.DrawFn) -> Preference:
    weekdays = draw(st.frozensets(st.integers(0, 6), min_size=1))
    times = st.integers(0, MINUTES_A_DAY)
    earliest, latest = sorted((draw(times), draw(times)))
    return Preference(weekdays, earliest, latest, draw(st.booleans()))


@given(preferences())
def test_a_preference_is_read_as_it_was_written(preference: Preference) -> None:
    words = preference_words.write(preference)
    assert preference_words.read(words, strict=preference.strict) == preference


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = preference_words.read(text)
    except PreferenceUnreadable:
        return
    assert read.weekdays and 0 <= read.earliest <= read.latest <= MINUTES_A_DAY
