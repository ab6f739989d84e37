"""The simulation says what production would do: the same plan and gate, moved by the same facts."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from clinic import hours, wall_time
from clinic.protocols import reading
from clinic.protocols.loading import LIBRARY
from clinic.protocols.schema import Protocol
from reminders import gate
from reminders.catalogue import CATALOGUE, Channel, Kind
from reminders.gate import QUIET_HOURS
from reminders.journeys import preview
from reminders.planning.facts import PatientFacts
from reminders.simulating import imagining
from reminders.simulating.chain import of_clinic
from reminders.simulating.imagining import Change, Course, Household, Person
from reminders.simulating.playing import SENT, SKIPPED, WAITED, Happened, play
from reminders.wording.lettering import Reader, Sender

ZONE = "America/New_York"
BOOKED = datetime(2027, 2, 1, 15, 0, tzinfo=UTC)
FIRST = datetime(2027, 3, 4, 15, 0, tzinfo=UTC)
ALL = frozenset({("care", "sms"), ("care", "email"), ("photos", "any"), ("marketing", "email")})
READER = Reader(first_name="Elena", language="en", zone="", detail=False)
SENDER = Sender(
    clinic_name="Clinic 0", sms_name="Clinic 0", phone="+12125550100", address="1 Harbour Street"
)
END = FIRST + timedelta(days=400)


def household(
    protocol: Protocol, *changes: Change, consents: frozenset[tuple[str, str]] = ALL
) -> Household:
    course = Course(1, protocol, ("face",), BOOKED, (FIRST,), 60, changes)
    return Household(1, imagining.site(0), (Person(ZONE, consents, course),))


def played(home: Household, *, begins: datetime = BOOKED) -> list[Happened]:
    return list(play(home, begins=begins, ends=END))


def sent(happened: list[Happened]) -> Counter[tuple[Kind, Channel]]:
    return Counter((each.kind, each.channel) for each in happened if each.decision == SENT)


def test_a_visit_that_takes_place_sends_what_the_preview_foretells(
    microneedling: Protocol,
) -> None:
    ends = FIRST + timedelta(minutes=60)
    happened = played(household(microneedling, Change(ends, 1, "done")))
    series = preview.imagined_series(
        protocol=microneedling,
        areas=("face",),
        site=imagining.site(0),
        visits=[preview.ImaginedVisit(FIRST, ends)],
        booked_at=BOOKED,
    )
    foretold = preview.calendar(
        patient=PatientFacts(id=1, is_deceased=False, series=(series,)),
        recipients={
            channel: gate.Recipient(
                consents=ALL,
                address="elena",
                suppressed="",
                zones=(ZONE,),
                live_from=BOOKED - timedelta(days=1),
            )
            for channel in Channel
        },
        reader=READER,
        sender=SENDER,
        care_url="https://clinic.example/p/c/",
        unsubscribe_url="https://clinic.example/p/u/",
    )
    told = Counter(
        (Kind(line.kind), Channel(line.channel)) for line in foretold if line.decision == "send"
    )
    assert told.total() > 10
    assert sent(happened) == told


def test_nothing_more_is_said_of_a_cancelled_visit_but_that_it_is(
    microneedling: Protocol,
) -> None:
    cancelled = FIRST - timedelta(days=10)
    happened = played(household(microneedling, Change(cancelled, 1, "cancel")))
    after = [each for each in happened if each.at > cancelled and each.decision == SENT]
    assert {each.kind for each in after} == {Kind.CANCELLED}


def test_a_move_is_told_once_by_each_channel(microneedling: Protocol) -> None:
    later = FIRST + timedelta(days=7)
    home = household(microneedling, Change(FIRST - timedelta(days=10), 1, "move", later))
    told = sent(played(home))
    assert told[Kind.APPT_MOVED, Channel.SMS] == told[Kind.APPT_MOVED, Channel.EMAIL] == 1
    finals = [
        each.at
        for each in played(home)
        if each.kind is Kind.REMINDER_FINAL and each.decision == SENT
    ]
    [final] = finals
    assert timedelta() <= final - (later - timedelta(days=1)) < timedelta(minutes=10)


def test_without_consent_nothing_is_sent_and_the_reason_is_counted(
    microneedling: Protocol,
) -> None:
    happened = played(household(microneedling, consents=frozenset()))
    assert not sent(happened)
    assert "no_consent" in {each.reason for each in happened if each.decision == SKIPPED}


def test_the_caps_of_a_number_hold_texts_back() -> None:
    counts = of_clinic(0, library=LIBRARY, first=date(2027, 3, 8), days=14, visits=6, seed=1)
    assert counts.waits["cap"] > 0
    assert counts.skips["said_by_email"] > 0


def test_what_was_due_before_the_window_is_not_sent_in_it(microneedling: Protocol) -> None:
    begins = FIRST - timedelta(days=2)
    happened = played(household(microneedling), begins=begins)
    assert not sent(happened)[Kind.BOOKING_CONFIRMED, Channel.SMS]
    assert sent(happened)[Kind.REMINDER_FINAL, Channel.SMS] == 1
    assert all(each.at >= begins for each in happened)


def test_a_clinic_sends_nothing_that_can_wait_in_quiet_hours() -> None:
    zone = imagining.site(1).zone
    first = date(2027, 3, 8)
    begins, ends = (wall_time.instant(first + timedelta(days=each), 0, zone) for each in (0, 14))
    protocols = [microneedling_of_library()]
    waited = 0
    for each in imagining.households(
        1, protocols=protocols, first=first, days=14, visits=3, seed=7
    ):
        zones = {person.zone for person in each.people}
        for one in play(each, begins=begins, ends=ends):
            waited += one.decision == WAITED
            entry = CATALOGUE[one.kind]
            if one.decision == SENT and entry.priority > 0 and len(zones) == 1:
                window = QUIET_HOURS[entry.purpose]
                [here] = zones
                assert hours.next_allowed(one.at, window, (here,)) == one.at
    assert waited


def microneedling_of_library() -> Protocol:
    file = LIBRARY / "rf_microneedling.toml"
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


def test_the_same_seed_is_the_same_clinic_and_another_is_another() -> None:
    def counts(seed: int) -> Counter[tuple[str, str]]:
        return of_clinic(
            3, library=LIBRARY, first=date(2027, 3, 8), days=3, visits=2, seed=seed
        ).sent

    assert counts(1) == counts(1) != counts(2)


def test_the_command_adds_clinics_up() -> None:
    written = StringIO()
    asked = {"clinics": 2, "days": 2, "visits": 2, "first": date(2027, 3, 8), "seed": 4}
    call_command("simulate", **asked, json=True, stdout=written)
    document = json.loads(written.getvalue())
    alone = [
        of_clinic(each, library=LIBRARY, first=date(2027, 3, 8), days=2, visits=2, seed=4)
        for each in range(2)
    ]
    assert document["figures"]["sent"] == sum(each.minutes.total() for each in alone) > 0
    assert sum(document["by_hour_utc"]) == document["figures"]["sent"]
    assert document["chain"]["first"] == "2027-03-08"


def test_the_command_wants_a_chain_with_clinics() -> None:
    with pytest.raises(CommandError, match="0 is not a whole number from 1 on"):
        call_command("simulate", "--clinics", "0")
