"""Where the patient is instead: the visit that a start collides with, travel included, in words.

Reads only. Whether there is a collision is known before anybody asks here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from appointments.finding import ticks
from appointments.lifecycle import State
from appointments.models import Appointment
from appointments.refusals import PatientElsewhere
from clinic import travel
from clinic.models import Site
from clinic.periods import Period
from clinic.saying import gettext, language
from clinic.saying_times import when
from patients.models import Patient

ONE_DAY = timedelta(days=1)


def refusal(
    *, patient: Patient, site: Site, body: Period, among: QuerySet[Appointment], now: datetime
) -> PatientElsewhere:
    """For a visit whose `body` at `site` collides with one of the patient's `among`."""
    minutes_to = travel.minutes_from(site)
    visits = (
        among.filter(
            series__patient=patient,
            starts_at__lt=body.ends_at + ONE_DAY,
            ends_at__gt=body.starts_at - ONE_DAY,
        )
        .exclude(state__in=(State.CANCELLED, State.NO_SHOW))
        .select_related("site")
        .order_by("starts_at")
    )
    for visit in visits:
        way = timedelta(minutes=minutes_to.get(visit.site_id, 0))
        if visit.starts_at - way < body.ends_at and visit.ends_at + way > body.starts_at:
            return _told(visit, site, body, way, now)
    at = when(body.starts_at, site.zone, language())
    return PatientElsewhere(
        gettext("The patient is not free at %(at)s. Choose another start.") % {"at": at},
        start=body.starts_at,
    )


def _told(
    visit: Appointment, site: Site, body: Period, way: timedelta, now: datetime
) -> PatientElsewhere:
    """The way out lies after the visit when the wished start does, else before it."""
    first = ticks.at(ticks.ceil(visit.ends_at + way))
    last = ticks.at(ticks.floor(visit.starts_at - way - (body.ends_at - body.starts_at)))
    is_after = body.starts_at >= visit.starts_at
    here = visit.site_id == site.pk
    minutes = way // timedelta(minutes=1)

    def on_clock(at: datetime) -> str:
        """With its zone where the other site's clock shows another time."""
        there = when(at, visit.site.zone, language()).time != when(at, site.zone, language()).time
        return str(when(at, site.zone, language(), with_zone=there))

    if here:
        said = gettext("The patient has another visit from %(starts_at)s to %(time)s") % {
            "starts_at": on_clock(visit.starts_at),
            "time": when(visit.ends_at, site.zone, language()).time,
        }
        on_the_way = ""
    elif is_after:
        said = gettext("The patient is at %(site)s until %(ends_at)s") % {
            "site": visit.site.name,
            "ends_at": on_clock(visit.ends_at),
        }
        on_the_way = (
            gettext(" and needs %(minutes)s minutes to get here") % {"minutes": minutes}
            if minutes
            else ""
        )
    else:
        said = gettext("The patient is due at %(site)s at %(starts_at)s") % {
            "site": visit.site.name,
            "starts_at": on_clock(visit.starts_at),
        }
        on_the_way = (
            gettext(" and needs %(minutes)s minutes to get there") % {"minutes": minutes}
            if minutes
            else ""
        )
    way_out = (
        gettext("%(time)s is the first start after it")
        % {"time": when(first, site.zone, language()).time}
        if is_after
        else gettext("%(time)s is the last start before it")
        % {"time": when(last, site.zone, language()).time}
    )
    also = gettext(", or move that visit") if here else ""
    return PatientElsewhere(
        f"{said}{on_the_way}: {way_out}{also}.",
        start=body.starts_at,
        instead=[at for at in (last, first) if at >= now],
    )
