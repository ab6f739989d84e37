"""What stands out about the visits of a day: who waits how long, what needs somebody's hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments import asked_forms
from appointments.absences import affected
from appointments.lifecycle import TO_COME, Move, State
from appointments.models import Appointment, StatusChange, Task
from clinic.hours import local
from clinic.models import Site
from patients import consent
from patients.models import Purpose
from patients.signing.standing import Standing
from reminders.catalogue import MessageState
from reminders.models import MessageItem

# Minutes in the waiting room after which a visit stands out, and stands out in red.
LONG, TOO_LONG = 10, 20
_LACKS = {
    "provider": _("needs another provider"),
    "room": _("needs another room"),
    "device": _("needs another device"),
    "site": _("outside opening hours"),
}
_FORM = {
    Standing.MISSING: _("form not signed"),
    Standing.OUTDATED: _("form to sign anew"),
    Standing.EXPIRED: _("form has run out"),
    Standing.WITHDRAWN: _("consent withdrawn"),
}


def flags(
    visits: Sequence[Appointment], site: Site, day: date, now: datetime
) -> dict[int, list[str]]:
    """By visit what needs somebody's hand: a message that failed, no leave to write, a task, a
    provider, room or device that is not to be had, a house that is closed, a form to sign."""
    agreed = consent.standing({visit.series.patient_id for visit in visits})
    failed = set(
        MessageItem.objects.filter(
            anchor__in=[f"visit:{visit.pk}" for visit in visits],
            live=True,
            message__state__in=(MessageState.FAILED, MessageState.UNDELIVERED),
        ).values_list("anchor", flat=True)
    )
    due = Task.objects.open().filter(
        appointment__in=[visit.pk for visit in visits], due_at__lte=now
    )
    with_task = set(due.values_list("appointment", flat=True))
    lacking = affected.lacking(visits, site, day)
    forms = asked_forms.of_visits(visits, now=now)
    words: dict[int, list[str]] = {}
    for visit in visits:
        purposes = {purpose for purpose, _ in agreed[visit.series.patient_id]}
        silent = visit.state in TO_COME and Purpose.CARE not in purposes
        found = {
            gettext("message failed"): f"visit:{visit.pk}" in failed,
            gettext("no consent"): silent,
            gettext("task due"): visit.pk in with_task,
        }
        if visit.state in affected.NOT_BEGUN:
            found |= {str(_LACKS[kind]): True for kind in lacking[visit.pk]}
            if visit.pk in forms and forms[visit.pk].is_due:
                found[str(_FORM[forms[visit.pk].standing])] = True
        words[visit.pk] = [word for word, is_so in found.items() if is_so]
        if any(each.is_deliberate for each in visit.allocations.all()):
            words[visit.pk].append(
                gettext("over another visit: %(override_reason)s")
                % {"override_reason": visit.override_reason}
            )
    return words


def of_one(visit: Appointment, now: datetime) -> list[str]:
    """The words of one visit alone."""
    day = local(visit.starts_at, visit.site.zone).date()
    return flags([visit], visit.site, day, now)[visit.pk]


def waiting(visits: Sequence[Appointment], now: datetime) -> dict[int, int]:
    arrived = [visit.pk for visit in visits if visit.state == State.ARRIVED]
    since = StatusChange.objects.filter(appointment__in=arrived, move=Move.CHECK_IN).order_by("id")
    return {
        visit: int((now - at).total_seconds()) // 60
        for visit, at in since.values_list("appointment", "at")
    }
