"""A patient books the touch-up that a message proposed: one of a few times, by one press."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments import links, proposing
from appointments.by_link import times
from appointments.by_link.refusals import NotByLink, Why
from appointments.by_link.times import Times
from appointments.by_link.windows import Window
from appointments.charting.course import touch_up_window
from appointments.claiming import allocating
from appointments.claiming.allocating import Lost
from appointments.clearance import Treatment
from appointments.lifecycle import OPEN, Move, State
from appointments.models import Appointment, PatientLink, TreatmentSeries
from appointments.models.record import NOT_WHOLE
from appointments.refusals import SlotTaken, busy
from appointments.visits import booking
from clinic.models import ProtocolVersion
from clinic.protocols import loading as protocols
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class Due:
    """A touch-up that is due after `last`, the last visit of a series, and its times."""

    last: Appointment
    treatment: Treatment
    times: Times

    def first(self) -> Sequence[datetime]:
        """A few times like that of the last visit, near the day on which it is due."""
        like = local(self.last.starts_at, self.last.site.zone)
        near = self.times.window.earliest
        return [choice.at for choice in self.times.first(like=like, near=near)]


def due(link: PatientLink, *, now: datetime) -> Due:
    """The touch-up of a link and its times; no time need be free.

    Raises:
        NotByLink: NOT_DUE when its time is over or has not come, BOOKED when the patient has a
            visit of this treatment to come.
    """
    last = _last_treated(link)
    treatment = _treatment(last) if last is not None else None
    if last is None or treatment is None:
        raise NotByLink(Why.NOT_DUE)
    if booked_since(last) is not None:
        raise NotByLink(Why.BOOKED)
    return Due(last, treatment, times.to_book(treatment, _window(last, treatment, now), now=now))


def booked_since(last: Appointment) -> Appointment | None:
    """The next visit to come of the treatment of `last`, however it was booked."""
    to_come = Appointment.objects.filter(
        series__patient=last.series.patient_id,
        protocol_version__protocol=last.protocol_version.protocol,
        state__in=OPEN,
    )
    return to_come.select_related("site", "series").order_by("starts_at", "id").first()


def take(*, link: PatientLink, starts_at: datetime, now: datetime) -> Appointment:
    """Book the touch-up at one of its times; the visit. Pressing twice books once.

    Raises:
        SlotTaken: when somebody else was faster.
        NotByLink, Refused: when none is due, or a rule or an answer speaks against it.
    """
    patient = link.patient
    try:
        with allocating.guarded():
            # Whoever presses at the same moment waits here, and finds what was booked.
            allocating.lock([patient.resource_id])
            stored = PatientLink.objects.select_related("acted__appointment").get(pk=link.pk)
            if stored.acted is not None and stored.acted.move == Move.BOOK:
                link.acted = stored.acted
                return stored.acted.appointment
            found = due(link, now=now)
            treatment = found.treatment
            if starts_at not in found.times.starts:
                raise _taken(starts_at)
            place = proposing.place_at(
                patient=patient,
                site=treatment.site,
                version=treatment.version,
                areas=treatment.areas,
                starts_at=starts_at,
                now=now,
                usual=_usual(found.last),
            )
            if place is None:
                raise _taken(starts_at)
            series = booking.book_series(
                patient=patient,
                site=treatment.site,
                version=treatment.version,
                areas=treatment.areas,
                visits=[place.wish],
                by=None,
                now=now,
            )
            visit = series.appointments.select_related("site").get()
            links.acted(link, visit)
            return visit
    except Lost:
        raise busy() from None


def _last_treated(link: PatientLink) -> Appointment | None:
    """The session of the link's series from which the touch-up counts."""
    assert link.appointment is not None  # the constraint of links
    done = link.appointment.series.appointments.filter(state=State.DONE)
    treated = done.exclude(record__outcome__in=NOT_WHOLE, record__treated__len=0)
    return (
        treated.select_related("site", "series__site", "series__patient", "protocol_version")
        .order_by("starts_at", "id")
        .last()
    )


def _treatment(last: Appointment) -> Treatment | None:
    """The same treatment by the version that is booked today; None when there is none any more."""
    version = ProtocolVersion.objects.filter(
        protocol=last.protocol_version.protocol, status=ProtocolVersion.Status.APPROVED
    ).first()
    series: TreatmentSeries = last.series
    if version is None or not set(series.areas) <= set(protocols.get(version).applicability.areas):
        return None
    return Treatment(series.patient, series.site, version, series.areas)


def _window(last: Appointment, treatment: Treatment, now: datetime) -> Window:
    zone = treatment.site.zone
    found = touch_up_window(
        local(last.starts_at, zone).date(), treatment.protocol.series.maintenance
    )
    soonest = local(now + times.notice_of(treatment.site), zone).date()
    if found is None or soonest > found.closes:
        raise NotByLink(Why.NOT_DUE)
    earliest = max(found.opens, soonest)
    return Window(earliest, found.closes, earliest, found.closes)


def _usual(last: Appointment) -> dict[str, int]:
    held = last.allocations.filter(active=True)
    return dict(held.values_list("resource__kind", "resource_id"))


def _taken(starts_at: datetime) -> SlotTaken:
    return SlotTaken(
        "This time was just taken.", resource_kind="", resource_name="", start=starts_at
    )
