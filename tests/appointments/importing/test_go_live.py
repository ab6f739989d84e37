"""Nothing is said of what is over, and nothing before the site is live; the rest as ever."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import QuerySet

from appointments.models import Appointment
from appointments.views.imports_form import GoLiveForm
from appointments.visits import cancelling
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.journeys import gathering
from reminders.models import Message, MessageItem
from reminders.planning.facts import PatientFacts
from reminders.planning.plans import plan
from reminders.proving import proof
from reminders.stand_in import StandIn
from tests.appointments.importing.conftest import HEADER, VISITS, BringOver, as_file, person
from tests.appointments.importing.test_bringing_over import visit
from tests.stories.conftest import Advance, advance, providers, reachable, stand_in

__all__ = ["advance", "providers", "reachable", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)

LIVE = datetime(2027, 2, 25, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def _files(count: int) -> bytes:
    """People in the middle of a series: one session over, one in two weeks, one in six."""
    rows = []
    for number in range(count):
        who = [*person(number, f"Ana{number}", f"Lind{number}"), "yes"]
        clock = f"{9 + 3 * number}:00"
        series = {"series": f"s{number}", "sessions": "3"}
        rows += [
            [*who, *visit(f"a{number}", "2027-02-09 10:00", "done", **series)],
            [*who, *visit(f"b{number}", f"2027-03-02 {clock}", "booked", **series)],
            [*who, *visit(f"c{number}", f"2027-03-30 {clock}", "booked", **series)],
        ]
    return as_file([*HEADER, "Email consent", *VISITS], *rows)


def _items(messages: QuerySet[Message]) -> set[tuple[str, str, str]]:
    rows = MessageItem.objects.filter(message__in=messages, live=True)
    return set(rows.values_list("anchor", "step", "channel"))


def test_an_import_is_silent_until_go_live_and_then_only_what_is_due_is_said(
    bring_over: BringOver, house: ProtocolVersion, site: Site, now: datetime,
    providers: StandIn, advance: Advance,
) -> None:  # fmt: skip
    Site.objects.filter(pk=site.pk).update(live_from=LIVE)
    bring_over(_files(3))
    done = Appointment.objects.filter(state="done").values_list("pk", flat=True)
    over = [f"visit:{pk}" for pk in done]
    for day in range(5):
        advance(now + day * DAY)
    # Then nothing can be sent until two days after the go-live, so what is late is caught up.
    waiting = Message.objects.filter(due_at__lt=LIVE, state=MessageState.SCHEDULED)
    never = _items(waiting)
    assert never and not providers.texts and not providers.mails
    for day in range(2, 9):
        advance(LIVE + timedelta(hours=2) + day * DAY)
    told = Message.objects.filter(accepted_at__isnull=False)
    assert Patient.objects.filter(catch_up_at__isnull=False).exists()
    assert told.filter(kind="reminder_confirm", channel="sms").count() == 3
    assert not told.filter(kind="booking_confirmed").exists()
    assert not told.filter(due_at__lt=LIVE).exists() and not never & _items(told)
    assert not MessageItem.objects.filter(anchor__in=over).exists()
    found = {check.name: finding.named for check, finding in proof.prove(now=LIVE + 9 * DAY)}
    assert {name: named for name, named in found.items() if named} == {}


def test_a_visit_that_is_moved_or_cancelled_here_is_told_against_what_was_told_there(
    bring_over: BringOver, house: ProtocolVersion, manager: Staff, now: datetime
) -> None:
    bring_over(_files(1))
    _, second, third = Appointment.objects.order_by("session")
    cancelling.cancel(appointment=third, by=manager, now=now, reason="ill")
    facts = gathering.facts_of([second.series.patient_id])[second.series.patient_id]
    kinds = {(message.kind, message.session) for message in plan(facts).messages}
    assert ("cancelled", 3) in kinds and not {kind for kind, _ in kinds} & {"booking_confirmed"}
    assert {each.state for each in Message.objects.all()} <= {MessageState.SCHEDULED}
    assert isinstance(facts, PatientFacts)


def test_a_year_that_nobody_means_is_refused() -> None:
    form = GoLiveForm({"wall": "9999-12-31T23:59"}, site=Site(zone="America/New_York"))
    assert form.errors == {"wall": ["Choose a day between the years 2000 and 2100."]}
