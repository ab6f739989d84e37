"""What a newcomer sees arrive: acts of the last moments, whose notices go out one by one.

Notices have priority 0 and go at any hour, so something arrives in the middle of the night too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from appointments import proposing
from appointments.models import Appointment
from appointments.visits import booking, cancelling, moving
from clinic.wall_time import local
from config.demo_data.house import SITES, House
from config.demo_data.people import Person
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.journeys import replanning
from reminders.models import Message

_BOOKED = (("rf_microneedling", ("neck",)), ("facial", ("visit",)), ("ipl", ("hands",)))
_AGO = timedelta(seconds=15)
_FIRST, _BETWEEN = timedelta(seconds=12), timedelta(seconds=7)
_SOON = timedelta(minutes=3)


def just_now(
    house: House,
    patients: Mapping[int, Patient],
    people: Sequence[Person],
    dice: Random,
    *,
    now: datetime,
) -> None:
    """Book three series, move a visit and cancel one, a moment before `now`."""
    at = now - _AGO
    reached = [person for person in people if person.is_reached_by_both]
    newcomers = sorted(reached, key=lambda person: patients[person.number].series.count())
    for (name, areas), slug in zip(_BOOKED, (*SITES, SITES[0]), strict=True):
        person = next(person for person in newcomers if person.home == slug)
        newcomers = [other for other in newcomers if other is not person]
        _book(house, patients[person.number], slug, name, areas, at)
    upcoming = Appointment.objects.filter(
        series__patient__in=[patients[person.number].pk for person in reached],
        state__in=("booked", "confirmed"),
        starts_at__gt=now + timedelta(days=5),
        series__protocol_version__kind="service",
    ).order_by("starts_at", "pk")
    moved, cancelled = list(upcoming[:2])
    _move(house, moved, at)
    cancelling.cancel(
        appointment=cancelled,
        by=house.front_desk(cancelled.site.slug),
        now=at,
        reason="Travelling for work",
        by_patient=True,
    )
    while replanning.sync_stale(now=at):
        pass
    spread(now=now)


def spread(*, now: datetime) -> None:
    """Let what falls due about now go out one message after the other from `now` on, not all at
    once."""
    waiting = Message.objects.filter(
        state=MessageState.SCHEDULED, wake_at__lte=now + _SOON
    ).order_by("wake_at", "patient", "channel")
    for number, message in enumerate(waiting):
        message.wake_at = now + _FIRST + number * _BETWEEN
        message.save(update_fields=["wake_at"])


def _book(
    house: House,
    patient: Patient,
    slug: str,
    protocol: str,
    areas: tuple[str, ...],
    now: datetime,
) -> None:
    site, version = house.places[slug].site, house.versions[protocol]
    typical = house.protocol(protocol).series.sessions.typical
    proposal = proposing.propose_series(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        sessions=min(typical, 3),
        first_from=local(now, site.zone).date() + timedelta(days=6),
        now=now,
    )
    booking.book_series(
        patient=patient,
        site=site,
        version=version,
        areas=areas,
        visits=[visit.wish for visit in proposal.visits],
        by=house.front_desk(slug),
        now=now,
    )


def _move(house: House, visit: Appointment, now: datetime) -> None:
    series = visit.series
    places = proposing.nearest_starts(
        patient=series.patient,
        site=visit.site,
        version=series.protocol_version,
        areas=series.areas,
        near=visit.starts_at + timedelta(days=1),
        now=now,
        without=[visit.pk],
        series=series,
    )
    place = next(place for place in places if place.starts_at != visit.starts_at)
    moving.move(
        appointment=visit,
        starts_at=place.starts_at,
        provider_id=place.provider.pk,
        room_id=place.room.pk,
        by=house.front_desk(visit.site.slug),
        now=now,
        reason="Asked for another day",
    )
