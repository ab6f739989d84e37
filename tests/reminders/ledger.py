"""Rows of the ledger as planning leaves them, and a channel whose answers a test chooses."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from appointments.models import Appointment, TreatmentSeries
from clinic.models import ProtocolVersion, Site, Staff
from patients.models import Patient
from reminders.catalogue import CATALOGUE, Channel, Kind
from reminders.channels.base import Absent, LookUp, Outcome, Outgoing, Submission, Unanswered
from reminders.models import Message, MessageItem
from tests.personas import a_patient

ACCEPTED = Submission(outcome=Outcome.ACCEPTED, provider_id="SM1")
MINUTE = timedelta(minutes=1)


def a_visit(
    patient: Patient,
    site: Site,
    protocol: ProtocolVersion,
    *,
    now: datetime,
    starts_at: datetime | None = None,
) -> Appointment:
    """A booked visit, four weeks from now unless told, alone in its series."""
    starts_at = starts_at or now + timedelta(weeks=4)
    series = TreatmentSeries.objects.create(
        patient=patient,
        site=site,
        protocol_version=protocol,
        areas=["face"],
        sessions=1,
        booked_at=now,
    )
    return Appointment.objects.create(
        series=series,
        site=site,
        protocol_version=protocol,
        session=1,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=90),
        booked_at=now,
        scheduled_at=now,
    )


def queued(
    visit: Appointment,
    *,
    now: datetime,
    kind: Kind = Kind.BOOKING_CONFIRMED,
    channel: Channel = Channel.SMS,
    steps: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> Message:
    """A due message about a visit whose patient and site are planned."""
    entry = CATALOGUE[kind]
    series = visit.series
    message = Message.objects.create(
        key=f"{kind}:{visit.pk}:{visit.schedule_version}:{channel}:{uuid4().hex[:8]}",
        reference=uuid4(),
        patient=series.patient,
        site=visit.site,
        series=series,
        session=visit.session,
        kind=kind,
        channel=channel,
        purpose=entry.purpose,
        priority=entry.priority,
        steps=list(steps),
        due_at=now,
        wake_at=now,
        expires_at=expires_at or now + timedelta(days=1),
        created_at=now,
    )
    for step in steps or [kind]:
        MessageItem.objects.create(
            message=message,
            anchor=f"visit:{visit.pk}",
            schedule_version=visit.schedule_version,
            step=step,
            channel=channel,
            starts_at=visit.starts_at,
        )
    planned(series.patient, visit.site)
    return message


def planned(patient: Patient, site: Site) -> None:
    """As if planning had just looked at them."""
    for row in (patient, site):
        row.refresh_from_db(fields=["revision"])
        type(row).objects.filter(pk=row.pk).update(planned_revision=row.revision)


class Recorder:
    """A channel that keeps what it is given and answers as it is told: one answer, or a function
    of what is sent; `known` is what it says when it is asked. Stands for every channel name."""

    name = "recorder"
    provider = "recorder"

    def __init__(self, answer: Submission | Callable[[Outgoing], Submission] = ACCEPTED) -> None:
        self.answer = answer
        self.sent: list[Outgoing] = []
        self.known: LookUp = Absent()
        self.asked: list[Unanswered] = []

    def submit(self, outgoing: Outgoing) -> Submission:
        self.sent.append(outgoing)
        return self.answer(outgoing) if callable(self.answer) else self.answer

    def look_up(self, unanswered: Unanswered) -> LookUp:
        self.asked.append(unanswered)
        return self.known

    def close(self) -> None:
        """Nothing is open."""

    def __call__(self, name: str) -> "Recorder":
        return self


def refused(code: str) -> Submission:
    return Submission(outcome=Outcome.REFUSED, code=code)


def some_patients(number: int, site: Site, by: Staff, now: datetime) -> list[Patient]:
    return [a_patient(site, by, now, phone=f"+1212555020{each}") for each in range(number)]


def again(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)
