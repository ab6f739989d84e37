"""The one-press acts of a visit: which a page offers, and what it says once one is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from urllib.parse import urlencode

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.lifecycle import Move, State, allowed
from appointments.lifecycle import offered as may_be_done
from appointments.models import Appointment, StatusChange
from appointments.visits import attendance, locking, undoing
from clinic.access import Capability
from clinic.models import Staff
from clinic.protocols.schema import Protocol
from clinic.reader_language import reader_language
from clinic.saying_times import format_when
from clinic.templatetags.ui import VISIT_STATES
from clinic.views.looking import shows
from clinic.views.row_id import row_id
from clinic.wall_time import local


@dataclass(frozen=True, slots=True)
class Act:
    """`slug` stands in the address, `label` on the button, `said` in the toast after the name."""

    move: Move
    slug: str
    label: str | Promise
    said: str | Promise
    key: str
    needs: Capability
    run: Callable[..., Appointment]


ACTS = {
    act.slug: act
    for act in (
        Act(
            Move.CONFIRM,
            "confirm",
            _("Confirm"),
            _("confirmed"),
            "y",
            Capability.BOOK,
            attendance.confirm,
        ),
        Act(
            Move.CHECK_IN,
            "check-in",
            _("Check in"),
            _("checked in"),
            "c",
            Capability.RUN_VISIT,
            attendance.check_in,
        ),
        Act(
            Move.START,
            "start",
            _("Start"),
            _("in treatment"),
            "s",
            Capability.RUN_VISIT,
            attendance.start,
        ),
        Act(
            Move.COMPLETE,
            "complete",
            _("Complete"),
            _("done"),
            "d",
            Capability.RUN_VISIT,
            attendance.complete,
        ),
        Act(
            Move.NO_SHOW,
            "no-show",
            _("No-show"),
            _("marked as no-show"),
            "x",
            Capability.RUN_VISIT,
            attendance.no_show,
        ),
        Act(
            Move.LOCK,
            "lock",
            _("Lock"),
            _("locked to its time"),
            "l",
            Capability.BOOK,
            locking.lock,
        ),
        Act(
            Move.UNLOCK,
            "unlock",
            _("Unlock"),
            _("may be moved again"),
            "l",
            Capability.BOOK,
            locking.unlock,
        ),
        Act(
            Move.UNDO,
            "undo",
            _("Undo"),
            _("back to what it was"),
            "z",
            Capability.BOOK,
            undoing.undo,
        ),
    )
}
_BY_MOVE = {act.move: act for act in ACTS.values()}


def offered(visit: Appointment, zone: str, held: frozenset[Capability], now: datetime) -> list[Act]:
    """The acts that a button may offer now, the next of the day first; undo is not among them."""
    moves = allowed(State(visit.state))
    # On the day itself whoever stands at the desk is checked in, not confirmed.
    order = [Move.CHECK_IN, Move.START, Move.COMPLETE, Move.CONFIRM, Move.NO_SHOW]
    acts = [_BY_MOVE[move] for move in order if move in moves]
    return [act for act in acts if act.needs in held and _is_time(act.move, visit, zone, now)]


def lock_of(visit: Appointment, held: frozenset[Capability]) -> Act | None:
    """The act that locks or unlocks the visit; None when neither may be done."""
    moves = may_be_done(State(visit.state), is_locked=visit.is_locked)
    acts = [_BY_MOVE[move] for move in (Move.LOCK, Move.UNLOCK) if move in moves]
    return next((act for act in acts if act.needs in held), None)


def _is_time(move: Move, visit: Appointment, zone: str, now: datetime) -> bool:
    if move is Move.CHECK_IN:
        return local(visit.starts_at, zone).date() == local(now, zone).date()
    if move is Move.NO_SHOW:
        return visit.starts_at <= now
    if move is Move.CONFIRM:
        return visit.starts_at > now
    return True


def seen_visit(request: HttpRequest, pk: int) -> Appointment:
    """The visit with what every page says of it; 404 unless the reader may see the patient."""
    staff = cast(Staff, request.user)
    found = get_object_or_404(
        Appointment.objects.seen_by(staff).select_related(
            "site",
            "series__patient",
            "series__site",
            "series__protocol_version",
            "protocol_version__modality",
        ),
        pk=pk,
    )
    shows(request, found, patient_id=found.series.patient_id)
    return found


def expected_version(request: HttpRequest) -> int | None:
    """The version that the form was made from; what cannot be read is none that a visit has."""
    text = request.POST.get("version") or request.GET.get("version")
    return row_id(text) if text else None


def way_back(request: HttpRequest, visit: Appointment) -> str:
    """The page of ours that asked, else the visit's own."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("visit", args=[visit.pk])


def undo_address(visit: Appointment, back: str) -> str:
    """Where the toast's Undo posts to take back the act that made this version."""
    query = urlencode({"version": visit.version, "next": back})
    return f"{reverse('visit-act', args=[visit.pk, 'undo'])}?{query}"


def step_titles(protocol: Protocol, steps: Sequence[str]) -> str:
    """What a message says, as the titles of its protocol steps."""
    titles = {step.id: step.title.get(reader_language()) for step in protocol.steps}
    return " · ".join(titles[step] for step in steps if step in titles)


def both_values(visit: Appointment, seen: int | None) -> str:
    """What the reader saw at version `seen`, and what somebody made of it meanwhile."""
    zone = visit.site.zone
    changes = list(visit.history.select_related("by").order_by("id"))
    last = changes[-1]
    who = last.by.name if last.by else gettext("the patient")
    at = format_when(last.at, zone, reader_language())
    known = seen is not None and 1 <= seen <= len(changes)
    was = changes[seen - 1] if seen is not None and known else last
    lengths = [_minutes_after(visit, changes, each) for each in (was, last)]
    saw, is_now = (
        _value(each, zone, length if lengths[0] != lengths[1] else None)
        for each, length in zip((was, last), lengths, strict=True)
    )
    now = gettext("it is %(starts_after)s now (%(who)s, %(at)s)") % {
        "starts_after": is_now,
        "who": who,
        "at": at,
    }
    if not known:
        return gettext("Not done: %(now)s.") % {"now": now}
    return gettext("Not done: you saw %(starts_after)s; %(now)s.") % {
        "starts_after": saw,
        "now": now,
    }


def _minutes_after(
    visit: Appointment, changes: Sequence[StatusChange], change: StatusChange
) -> int:
    """How long the visit was by a change: until what the next one found, or until now."""
    later = (each.ends_before for each in changes if each.pk > change.pk and each.ends_before)
    return int((next(later, visit.ends_at) - change.starts_after).total_seconds()) // 60


def _value(change: StatusChange, zone: str, minutes: int | None) -> str:
    length = gettext(" for %(minutes)s min") % {"minutes": minutes} if minutes is not None else ""
    at = format_when(change.starts_after, zone, reader_language())
    return f"“{VISIT_STATES[change.state_after][2]}, {at}{length}”"
