"""What stands out about the visits of a day: who waits how long, what needs somebody's hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments import clearance
from appointments.absences import affected
from appointments.charting import listing
from appointments.clearance import Bar, Outcome, due_questions
from appointments.lifecycle import TO_COME, Move, State
from appointments.models import Appointment, StatusChange, Task
from appointments.visits.holdings import HeldBy
from clinic import statements
from clinic.models import Site
from clinic.wall_time import local
from patients import consent
from patients.models import Purpose
from reminders.catalogue import MessageState
from reminders.models import MessageItem

# Minutes in the waiting room after which a visit stands out, and stands out in red.
LONG, TOO_LONG = 10, 20
# What is to be asked before a visit stands out as long before it as patients are asked.
ASKED_AHEAD = timedelta(days=7)
_LACKS = {
    "provider": _("needs another provider"),
    "room": _("needs another room"),
    "device": _("needs another device"),
    "site": _("outside opening hours"),
}


@dataclass(frozen=True, slots=True)
class Flag:
    """A few words; `is_mild` when it is to be done, and nothing is wrong."""

    words: str
    is_mild: bool = False

    def __str__(self) -> str:
        return self.words


def flags(
    visits: Sequence[Appointment], held_by: HeldBy, site: Site, now: datetime
) -> dict[int, list[Flag]]:
    """By visit what needs somebody's hand, what is wrong before what is only to be done: a message
    that failed, no leave to write, a task, a provider, room or device that is not to be had, a
    house that is closed, what bars treatment, a form to sign, questions to ask, a log to sign.

    The queries grow with the days only. The visits are of one site, loaded with their series'
    patient and protocol version; `held_by` says what they hold.
    """
    said = (
        (Flag(gettext("message failed")), _with_failed(visits)),
        (Flag(gettext("no consent")), _silent(visits)),
        (Flag(gettext("task due")), _with_task(visits, now)),
        (Flag(gettext("log not signed")), set(listing.unsigned_of(visits))),
    )
    lacking = _lacking(visits, held_by, site)
    treated = _before_treatment(visits, site, now)
    found: dict[int, list[Flag]] = {}
    for visit in visits:
        of_visit = [flag for flag, those in said if visit.pk in those]
        if visit.state in affected.NOT_BEGUN:
            of_visit += [Flag(str(_LACKS[kind])) for kind in lacking[visit.pk]]
        of_visit += treated[visit.pk]
        if any(each.is_deliberate for each in held_by[visit.pk]):
            over = gettext("over another visit: %(override_reason)s")
            of_visit.append(Flag(over % {"override_reason": visit.override_reason}))
        found[visit.pk] = sorted(dict.fromkeys(of_visit), key=lambda flag: flag.is_mild)
    return found


def of_one(visit: Appointment, held_by: HeldBy, now: datetime) -> list[Flag]:
    """The flags of one visit alone."""
    return flags([visit], held_by, visit.site, now)[visit.pk]


def has_failed(found: Sequence[Flag]) -> bool:
    """Whether a message of the visit failed, by its flags."""
    return Flag(gettext("message failed")) in found


def waiting(visits: Sequence[Appointment], now: datetime) -> dict[int, int]:
    arrived = [visit.pk for visit in visits if visit.state == State.ARRIVED]
    since = StatusChange.objects.filter(appointment__in=arrived, move=Move.CHECK_IN).order_by("id")
    return {
        visit: int((now - at).total_seconds()) // 60
        for visit, at in since.values_list("appointment", "at")
    }


def _with_failed(visits: Sequence[Appointment]) -> set[int]:
    """The visits about which a message failed."""
    by_anchor = {f"visit:{visit.pk}": visit.pk for visit in visits}
    items = MessageItem.objects.filter(
        anchor__in=list(by_anchor),
        live=True,
        message__state__in=(MessageState.FAILED, MessageState.UNDELIVERED),
    )
    return {by_anchor[anchor] for anchor in items.values_list("anchor", flat=True)}


def _silent(visits: Sequence[Appointment]) -> set[int]:
    """The visits to come of patients who did not agree to be written to about them."""
    agreed = consent.standing({visit.series.patient_id for visit in visits})
    care = {
        patient
        for patient, given in agreed.items()
        if any(each == Purpose.CARE for each, _ in given)
    }
    return {
        visit.pk
        for visit in visits
        if visit.state in TO_COME and visit.series.patient_id not in care
    }


def _with_task(visits: Sequence[Appointment], now: datetime) -> set[int | None]:
    due = Task.objects.open().filter(
        appointment__in=statements.one_of([visit.pk for visit in visits]), due_at__lte=now
    )
    return set(due.values_list("appointment", flat=True))


def _lacking(visits: Sequence[Appointment], held_by: HeldBy, site: Site) -> dict[int, list[str]]:
    by_day: dict[date, list[Appointment]] = defaultdict(list)
    for visit in visits:
        by_day[local(visit.starts_at, site.zone).date()].append(visit)
    found: dict[int, list[str]] = {}
    for day, of_day in by_day.items():
        found |= affected.lacking(of_day, held_by, site, day)
    return found


def _before_treatment(
    visits: Sequence[Appointment], site: Site, now: datetime
) -> dict[int, list[Flag]]:
    """What stands between the patients and treatment on the days of their visits."""
    found: dict[int, list[Flag]] = {visit.pk: [] for visit in visits}
    expected = [visit for visit in visits if visit.state in affected.NOT_BEGUN]
    if not expected:
        return found
    for visit in expected:
        visit.site = site
    treatments = [clearance.treatment_of(visit) for visit in expected]
    standing = clearance.standing(treatments, now=now)
    soon = [visit for visit in expected if visit.starts_at < now + ASKED_AHEAD]
    questions = due_questions.of_visits(soon, now=now)
    for visit, bars in zip(expected, standing, strict=True):
        day = local(visit.starts_at, site.zone).date()
        found[visit.pk] = list(_of_bars(bars, day))
        if questions.get(visit.pk):
            found[visit.pk].append(Flag(gettext("questions to ask"), is_mild=True))
    return found


def _of_bars(bars: Sequence[Bar], day: date) -> Iterator[Flag]:
    for bar in bars:
        if bar.stands_out(day):
            yield Flag(bar.flag, is_mild=bar.outcome is Outcome.REVIEW)
