"""The message calendar of a journey before anybody is written to.

Takes the very plan, gate, letters and wordings of production, and plays the gate forward from
each message's due time. Every visit is taken to happen as booked. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appointments.lifecycle import State
from clinic import wall_time
from clinic.durations import Duration
from clinic.protocols.schema import Protocol
from clinic.retelling import retold
from reminders import gate
from reminders.caps import Had
from reminders.catalogue import REASONS, Channel
from reminders.planning.facts import PatientFacts, SeriesFacts, SiteFacts, ToFillIn, VisitFacts
from reminders.planning.merging import Wanted
from reminders.planning.plans import plan
from reminders.planning.wish import TaskWish
from reminders.wording import rendering
from reminders.wording.lettering import Reader, Sender, letter
from reminders.wording.versions import SHIPPED, Wordings

SEND, SKIP, TASK = "send", "skip", "staff_task"
# Of what leaves at the moment that it is planned for.
DUE = "due"
IMAGINED = 0  # the number of the series that is not booked yet


@dataclass(frozen=True, slots=True)
class Preview:
    """One line of the calendar. Instants are UTC; `send_at` is None for what is not sent, and
    `session` for what is about the series as a whole or about several visits.

    `decision` is "send", "skip" or "staff_task"; `items` are (session, step, channel), the names
    by which staff skip it. `is_imagined` when it is about a visit that is not booked yet.
    """

    key: str
    kind: str
    steps: tuple[str, ...]
    session: int | None
    channel: str
    purpose: str
    due_at: datetime
    send_at: datetime | None
    expires_at: datetime | None
    decision: str
    reason: str
    why: tuple[str, ...]
    subject: str
    body: str
    segments: int | None
    items: tuple[tuple[int, str, str], ...] = ()
    is_imagined: bool = True

    @property
    def at(self) -> datetime:
        """The moment by which the calendar is ordered."""
        return self.send_at or self.due_at


@dataclass(frozen=True, slots=True)
class ImaginedVisit:
    """A visit that is not booked yet (UTC), and what the patient will be asked for before it."""

    starts_at: datetime
    ends_at: datetime
    to_fill_in: ToFillIn | None = None


def imagined_series(
    *,
    protocol: Protocol,
    areas: Sequence[str],
    site: SiteFacts,
    visits: Iterable[ImaginedVisit],
    booked_at: datetime,
    skips: frozenset[tuple[int, str, str]] = frozenset(),
    conditions: Mapping[str, bool] | None = None,
) -> SeriesFacts:
    """The series as it will stand once it is booked, under numbers that no stored one has."""
    booked = tuple(
        VisitFacts(
            id=-session,
            session=session,
            site=site,
            state=State.BOOKED,
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            schedule_version=1,
            scheduled_at=booked_at,
            to_fill_in=visit.to_fill_in,
        )
        for session, visit in enumerate(visits, start=1)
    )
    return SeriesFacts(
        id=IMAGINED,
        site=site,
        protocol=protocol,
        areas=tuple(areas),
        sessions=len(booked),
        is_closed=False,
        visits=booked,
        skips=skips,
        conditions=conditions or {},
    )


def evenly_spaced(
    *, start: datetime, sessions: int, interval_days: int, minutes: int, zone: str
) -> list[ImaginedVisit]:
    """Visits at the wall time of `start`, `interval_days` local days apart."""
    starts = [
        wall_time.after(start, Duration(days=interval_days * number), zone)
        for number in range(sessions)
    ]
    return [ImaginedVisit(at, at + timedelta(minutes=minutes)) for at in starts]


def calendar(
    *,
    patient: PatientFacts,
    recipients: Mapping[Channel, gate.Recipient],
    reader: Reader,
    sender: Sender,
    care_url: str,
    unsubscribe_url: str,
    wordings: Wordings = SHIPPED,
    had: Mapping[Channel, Sequence[Had]] | None = None,
) -> list[Preview]:
    """Everything that the patient's visits will have said, in order of sending. `had` is what
    their number and address got lately, which counts for the caps."""
    wanted = plan(patient)
    lines = [
        _message(
            message,
            patient,
            recipients[message.channel],
            reader,
            sender,
            care_url,
            unsubscribe_url,
            wordings,
            (had or {}).get(message.channel, ()),
        )
        for message in wanted.messages
    ]
    lines += [_task(task) for task in wanted.tasks]
    return sorted(lines, key=lambda line: (line.at, line.key))


def _message(
    message: Wanted,
    patient: PatientFacts,
    recipient: gate.Recipient,
    reader: Reader,
    sender: Sender,
    care_url: str,
    unsubscribe_url: str,
    wordings: Wordings,
    had: Sequence[Had],
) -> Preview:
    send_at, reason, more = _decision(message, recipient, had)
    written = rendering.render(
        letter(
            kind=message.kind,
            channel=message.channel,
            items=message.items,
            patient=patient,
            reader=replace(reader, reads_at=send_at or message.due_at),
            sender=sender,
            care_url=care_url,
            unsubscribe_url=unsubscribe_url,
        ),
        wordings.of(message.kind, reader.language).wording,
    )
    return Preview(
        key=message.key,
        kind=message.kind,
        steps=message.steps,
        session=message.session,
        channel=message.channel,
        purpose=message.purpose,
        due_at=message.due_at,
        send_at=send_at,
        expires_at=message.expires_at,
        decision=SKIP if send_at is None else SEND,
        reason=reason,
        why=(*message.why, *more),
        subject=written.subject,
        body=written.text,
        segments=written.segments,
        items=_skippable(message, patient),
        is_imagined=any(item.anchor in _imagined_anchors(patient) for item in message.items),
    )


def _decision(
    message: Wanted, recipient: gate.Recipient, had: Sequence[Had]
) -> tuple[datetime | None, str, tuple[str, ...]]:
    """When the gate lets a message go, the reason for that, and further sentences."""
    if message.skip:
        return None, message.skip, (REASONS[message.skip],)
    envelope = gate.Envelope(
        purpose=message.purpose,
        channel=message.channel,
        priority=message.priority,
        due_at=message.due_at,
        expires_at=message.expires_at,
        needs=message.needs,
        kind=message.kind,
        at_any_hour=message.at_any_hour,
    )
    now, reason = message.due_at, DUE
    why: list[str] = []
    while isinstance(decision := gate.decide(envelope, recipient, now=now, had=had), gate.Wait):
        if decision.reason == gate.IN_CONVERSATION:
            # Until somebody closes it, which nobody foresees.
            return None, decision.reason, (*why, decision.why)
        now, reason = decision.until, decision.reason
        why.append(decision.why)
    if isinstance(decision, gate.Skip):
        return None, decision.reason, (*why, decision.why)
    return now, reason, tuple(why)


def _skippable(message: Wanted, patient: PatientFacts) -> tuple[tuple[int, str, str], ...]:
    sessions = {visit.anchor: visit.session for series in patient.series for visit in series.visits}
    return tuple(
        (sessions.get(item.anchor, 0), item.step, str(item.channel)) for item in message.items
    )


def _imagined_anchors(patient: PatientFacts) -> set[str]:
    imagined = [series for series in patient.series if series.id == IMAGINED]
    visits = {visit.anchor for series in imagined for visit in series.visits}
    return visits | {series.anchor for series in imagined}


def _task(task: TaskWish) -> Preview:
    return Preview(
        key=task.key,
        kind=task.kind,
        steps=(task.step,),
        session=task.session,
        channel="call",
        purpose="care",
        due_at=task.due_at,
        send_at=task.due_at,
        expires_at=None,
        decision=TASK,
        reason=DUE,
        why=task.why,
        subject=retold(task.title),
        body=retold(task.detail),
        segments=None,
        is_imagined=task.series_id == IMAGINED,
    )
