"""The messages that the demo's clinic sent while it lived: planned, judged and written by the real
road, handed to a provider that only remembers.

Two rounds a day plan and send, and more of them lately; `tell_the_times` then gives every message
the moment at which it would have gone, by the gate's own hours. Nothing leaves the house.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

from django.db import connection

from appointments.models import Task
from clinic import hours
from config.demo_data.house import House
from patients.models import ContactKind, ContactPoint, Patient
from reminders.catalogue import Channel, MessageState, Purpose
from reminders.channels.base import (
    CannotSay,
    LookUp,
    Outcome,
    Outgoing,
    Submission,
    Unanswered,
)
from reminders.gate import QUIET_HOURS
from reminders.journeys import replanning
from reminders.ledger import receipts, reconciling
from reminders.models import Attempt, Message, Receipt
from reminders.sending import dispatch

# Evening in New York and afternoon in Los Angeles, then both in the morning: what fell due between
# two rounds may go at one of the next two, before it is too late.
EVENING, MORNING = time(2, 50), time(16, 30)
# What fell due since yesterday must not wait for one of them: somebody looks at it now.
LATELY, OFTEN = timedelta(hours=24), timedelta(hours=2)
_PROVIDERS = {Channel.SMS: "twilio", Channel.EMAIL: "smtp"}
_NOT_TEXTABLE, _UNKNOWN_NUMBER, _OUT_OF_REACH = "21614", "30005", "30003"
_UNDELIVERED_SHARE = 0.012
SECOND = timedelta(seconds=1)


class Remembered:
    """Stands for both providers: takes everything but what a landline cannot take, and loses the
    answer to one mail."""

    def __init__(self, channel: Channel, landlines: frozenset[str], silent_from: datetime) -> None:
        self.name = str(channel)
        self.provider = _PROVIDERS[channel]
        self.now = datetime.min.replace(tzinfo=UTC)
        self._landlines = landlines
        self._silent_from = silent_from
        self._was_silent = channel is not Channel.EMAIL

    def submit(self, outgoing: Outgoing) -> Submission:
        if outgoing.to in self._landlines:
            return Submission(outcome=Outcome.REFUSED, code=_NOT_TEXTABLE)
        if not self._was_silent and self.now >= self._silent_from:
            self._was_silent = True
            return Submission(outcome=Outcome.UNKNOWN, code="dropped")
        identity = outgoing.reference.replace("-", "")
        return Submission(
            outcome=Outcome.ACCEPTED,
            provider_id=f"SM{identity}" if self.name == Channel.SMS else identity,
        )

    def look_up(self, unanswered: Unanswered) -> LookUp:
        return CannotSay()

    def close(self) -> None:
        """Nothing is open."""


class Ledger:
    def __init__(self, dice: Random, *, landline_patients: list[int], now: datetime) -> None:
        points = ContactPoint.objects.filter(
            patient__in=landline_patients, kind=ContactKind.PHONE
        ).values_list("value", flat=True)
        silent_from = now - timedelta(days=2)
        self._channels = {
            channel.value: Remembered(channel, frozenset(points), silent_from)
            for channel in Channel
        }
        self._dice = dice

    def round(self, *, now: datetime) -> int:
        """Plan what is stale and send what is due at `now`; how many were dealt with."""
        for channel in self._channels.values():
            channel.now = now
        total = 0
        busy = True
        while busy:
            # Several that are late beside each other are planned anew as one, and then sent.
            planned = replanning.sync_stale(now=now, limit=500)
            tally = dispatch.send_due(now=now, channel=self._channels.__getitem__)
            total += tally["claimed"]
            busy = bool(planned or tally) or Patient.objects.stale().exists()
        self._report_failures(now)
        providers = {each.provider: each for each in self._channels.values()}
        reconciling.reconcile(now=now, channel=providers.__getitem__)
        return total

    def _report_failures(self, now: datetime) -> None:
        """Some texts did not arrive, and the provider says so."""
        taken = Message.objects.filter(
            channel=Channel.SMS, state=MessageState.ACCEPTED, accepted_at__gte=now
        )
        for message in taken.order_by("due_at", "patient", "kind"):
            if self._dice.random() < _UNDELIVERED_SHARE:
                code = self._dice.choice((_UNKNOWN_NUMBER, _OUT_OF_REACH))
                receipts.record(
                    provider="twilio",
                    reference=message.reference,
                    event_key=f"{message.provider_id}:undelivered:{code}",
                    status="undelivered",
                    code=code,
                    now=now + 5 * SECOND,
                )


def rounds(since: datetime, now: datetime) -> Iterator[datetime]:
    """The moments of all rounds before `now` (UTC), then `now`."""
    day, lately = since.date(), max(since, now - LATELY)
    while day <= lately.date():
        yield from (
            at
            for at in (datetime.combine(day, each, UTC) for each in (EVENING, MORNING))
            if since <= at < lately
        )
        day += timedelta(days=1)
    while lately < now:
        yield lately
        lately += OFTEN
    yield now


def close_tasks(house: House, *, now: datetime) -> None:
    """Staff did what was asked of them, but for the last days."""
    due = Task.objects.filter(closed_at=None, due_at__lte=now)
    for site in {place.site for place in house.places.values()}:
        due.filter(site=site).update(
            closed_at=now, closed_by=house.front_desk(site.slug), outcome="Done"
        )


# --- When it went ---------------------------------------------------------------------------------


def tell_the_times(dice: Random) -> None:
    """Give everything sent the moment at which it went, and texts their receipts.

    What went twice, because the telephone was off, keeps the moments of the rounds.
    """
    sent = list(
        Message.objects.filter(accepted_at__isnull=False)
        .select_related("patient", "site")
        .order_by("due_at", "patient", "kind")
    )
    times = {message.pk: _went_at(message) + dice.uniform(0.4, 6) * SECOND for message in sent}
    twice = set(Attempt.objects.filter(number=2).values_list("message_id", flat=True))
    again = {each.pk: each.accepted_at for each in sent if each.pk in twice and each.accepted_at}
    _shift({pk: at for pk, at in times.items() if pk not in again})
    times |= again
    _deliver([message for message in sent if message.state == MessageState.ACCEPTED], times, dice)


def _went_at(message: Message) -> datetime:
    if message.priority == 0:
        return message.due_at
    zone = (message.patient and message.patient.zone) or message.site.zone
    return hours.next_allowed(message.due_at, QUIET_HOURS[Purpose(message.purpose)], (zone,))


_SHIFTS = (
    """UPDATE reminders_message AS message
          SET accepted_at = sent.at, claimed_at = sent.at - interval '0.2 seconds',
              created_at = least(created_at, due_at), closed_at = CASE
                  WHEN closed_at IS NULL THEN NULL ELSE sent.at + interval '5 seconds' END
         FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS sent (id, at)
        WHERE message.id = sent.id""",
    """UPDATE reminders_attempt AS attempt
          SET started_at = sent.at - interval '0.2 seconds', ended_at = sent.at
         FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS sent (id, at)
        WHERE attempt.message_id = sent.id""",
    """UPDATE reminders_sentcontent AS content SET at = sent.at
         FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS sent (id, at)
        WHERE content.message_id = sent.id""",
    """UPDATE reminders_receipt AS receipt SET received_at = sent.at + interval '5 seconds'
         FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS sent (id, at)
        WHERE receipt.message_id = sent.id""",
)


def _shift(times: Mapping[int, datetime]) -> None:
    values: dict[str, Any] = {"ids": list(times), "times": list(times.values())}
    with connection.cursor() as cursor:
        for statement in _SHIFTS:
            cursor.execute(statement, values)


def _deliver(accepted: list[Message], times: Mapping[int, datetime], dice: Random) -> None:
    """Every text that was taken was sent on and delivered; mail servers report nothing."""
    made: list[Receipt] = []
    delivered: dict[int, datetime] = {}
    for message in accepted:
        if message.channel != Channel.SMS:
            continue
        delivered[message.pk] = times[message.pk] + dice.uniform(1.5, 9) * SECOND
        for status, at in (
            ("sent", times[message.pk] + SECOND),
            ("delivered", delivered[message.pk]),
        ):
            made.append(
                Receipt(
                    provider="twilio",
                    event_key=f"{message.provider_id}:{status}:",
                    message=message,
                    status=status,
                    applied=True,
                    received_at=at,
                )
            )
    Receipt.objects.bulk_create(made, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE reminders_message AS message SET state = 'delivered', delivered_at = got.at
                 FROM unnest(%s::bigint[], %s::timestamptz[]) AS got (id, at)
                WHERE message.id = got.id""",
            [list(delivered), list(delivered.values())],
        )
