"""Until when a treatment record must be kept, by what its sites decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from appointments.lifecycle import State
from appointments.models import Appointment
from clinic import retention
from clinic.wall_time import begun_everywhere, local
from patients.models.guardian import OF_AGE


def until(ids: Sequence[int], *, now: datetime) -> date | None:
    """The day until which the treatment record of these is kept: at each site so many years after
    the last treatment there, and of who was a minor then as many after they came of age; the
    latest of all. None without treatment, or when it is over.
    """
    # What ends cannot be taken back, so it ends nowhere before its day.
    today = begun_everywhere(now)
    done = Appointment.objects.filter(series__patient__in=ids, state=State.DONE)
    last = done.order_by("site_id", "-starts_at").distinct("site_id")
    visits = list(last.select_related("site", "series__patient"))
    years = retention.years_at({visit.site_id for visit in visits}, on=today)
    days = [_kept(visit, years[visit.site_id]) for visit in visits]
    latest = max(days, default=None)
    return latest if latest is not None and latest > today else None


def _kept(visit: Appointment, years: int) -> date:
    on = local(visit.ends_at, visit.site.zone).date()
    of_age = _years_after(visit.series.patient.birth_date, OF_AGE)
    return _years_after(max(on, of_age), years)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # a leap day
        return date(day.year + years, 3, 1)
