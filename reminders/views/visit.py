"""One visit: where it stands, its series, what is held for it, what was and will be said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from appointments.claiming.checking import OVERLAP
from appointments.clearance.earliness import STARTED_EARLY
from appointments.lifecycle import UNDOABLE, Move, MoveRefused, State, offered
from appointments.models import Appointment, SchedulingSettings, StatusChange
from appointments.refusals import (
    IntervalTooLong,
    IntervalTooShort,
    Refused,
    StaleVersion,
    TooManySessions,
)
from appointments.visits import cancelling, holdings
from appointments.waitlist import matching
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.reader_language import reader_language
from clinic.wall_time import local
from reminders.catalogue import MessageState
from reminders.models import Message
from reminders.views import (
    forms_panel,
    visit_acts,
    visit_clearance,
    visit_preparation,
    visit_record,
)
from reminders.views.visit_acts import (
    ACTS,
    both_values,
    expected_version,
    seen_visit,
    undo_address,
    way_back,
)

MINUTE = timedelta(minutes=1)
# What stays a wish stands below what was or will be said.
UNSAID = (MessageState.WITHDRAWN, MessageState.SKIPPED)
# The way of a visit that happens as booked.
ROAD = (State.BOOKED, State.CONFIRMED, State.ARRIVED, State.IN_TREATMENT, State.DONE)


@require_GET
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    return visit_page(request, seen_visit(request, pk))


@require_POST
def act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """One press: confirm, check-in, start, complete, no-show or undo."""
    if act not in ACTS:
        raise Http404
    shown, wanted = seen_visit(request, pk), ACTS[act]
    back = way_back(request, shown)
    version = expected_version(request)
    # Only starting may be barred, and only starting takes a reason.
    reason = request.POST.get("override_reason", "") if wanted.move is Move.START else ""
    try:
        done = wanted.run(
            appointment=shown,
            by=cast(Staff, request.user),
            now=timezone.now(),
            expected_version=version,
            **({"override_reason": reason} if reason else {}),
        )
    except StaleVersion:
        messages.error(request, both_values(shown, version))
    except (Refused, MoveRefused) as refusal:
        messages.error(request, refusal.sentence)
    else:
        undo = "" if wanted.move is Move.UNDO else undo_address(done, back)
        name = shown.series.patient.display_name
        messages.success(request, f"{name}: {wanted.said}.", extra_tags=undo)
    return HttpResponseRedirect(back, status=303)


def visit_page(
    request: HttpRequest,
    shown: Appointment,
    *,
    cancel_form: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `cancel_form` opens the reason with what was typed and its `problem`."""
    now, series = timezone.now(), shown.series
    may = access.capabilities(cast(Staff, request.user), shown.site)
    held = holdings.of([shown])[shown.pk]
    moves = offered(State(shown.state), is_locked=shown.is_locked)
    moves = moves if Capability.BOOK in may else ()
    history = _history(shown)
    protocol = protocols.get(shown.protocol_version)
    said, tasks = _messages(shown, protocol), list(shown.tasks.order_by("due_at"))
    prepared = visit_preparation.context(shown, said, tasks, now)
    context = {
        "visit": shown,
        "series": series,
        "patient": series.patient,
        "site": shown.site,
        "day": local(shown.starts_at, shown.site.zone).date(),
        "version": shown.protocol_version,
        "treatment": protocol.treatment_in_words(series.areas, reader_language()),
        "road": _road(shown),
        "siblings": _siblings(shown),
        "held": held,
        "lies_over": any(each.is_deliberate for each in held),
        "breaches": _breaches(history),
        "history": history,
        "messages_of_visit": [each for each in said if each.state not in UNSAID],
        "unsaid": [each for each in said if each.state in UNSAID],
        "tasks": [task for task in tasks if task not in prepared["to_prepare"]],
        **prepared,
        "acts": visit_acts.offered(shown, shown.site.zone, may, now),
        "lock": visit_acts.lock_of(shown, may),
        "may_move": Move.MOVE in moves,
        "may_resize": Move.RESIZE in moves,
        "minutes": (shown.ends_at - shown.starts_at) // MINUTE,
        "may_cancel": Move.CANCEL in moves,
        "may_end": series.closed_at is None and Capability.BOOK in may,
        **(_of_cancelling(shown, now) if Move.CANCEL in moves else {}),
        "undoable": _undoable(history) if Capability.BOOK in may else None,
        "back": reverse("visit", args=[shown.pk]),
        "cancelling": cancel_form,
        **forms_panel.of_visit(shown, may, now=now),
        **visit_clearance.context(shown, may, now),
        **visit_record.context(shown),
    }
    return render(request, "reminders/visit/visit.html", context, status=status)


def _history(shown: Appointment) -> list[StatusChange]:
    """What was done, the last first; with `minutes` and `was_minutes` where the length changed."""
    changes = list(shown.history.select_related("by", "undoes").order_by("-id"))
    starts_at, ends_at = shown.starts_at, shown.ends_at
    for change in changes:
        change.minutes = (ends_at - starts_at) // MINUTE  # type: ignore[attr-defined]
        starts_at, ends_at = change.starts_before or starts_at, change.ends_before or ends_at
        change.was_minutes = (ends_at - starts_at) // MINUTE  # type: ignore[attr-defined]
    return changes


def _of_cancelling(shown: Appointment, now: datetime) -> dict[str, Any]:
    """What cancelling comes to: how many on the wait-list may want the place, the later visits of
    the series, and what the site asks of who cancels so late."""
    coming = shown.starts_at > now
    settings = SchedulingSettings.of(shown.site)
    late = coming and shown.starts_at < now + timedelta(hours=settings.notice_hours)
    terms = {"en": settings.late_terms_en, "es": settings.late_terms_es}
    return {
        "waiting": matching.how_many_may_suit(visit=shown, now=now) if coming else 0,
        "later": cancelling.later_of(shown),
        "is_late": late,
        "notice_hours": settings.notice_hours,
        "late_terms": (terms[reader_language()] or terms["en"]) if late else "",
    }


def _messages(shown: Appointment, protocol: Protocol) -> list[Message]:
    """Everything that was or will be said of the visit, with what it is `about`."""
    found = Message.objects.filter(items__anchor=f"visit:{shown.pk}").distinct()
    said = list(found.order_by("due_at", "id"))
    for message in said:
        message.about = visit_acts.step_titles(protocol, message.steps)  # type: ignore[attr-defined]
        message.all_why = [*message.why, *message.gate_why]  # type: ignore[attr-defined]
    return said


def _road(shown: Appointment) -> list[dict[str, Any]]:
    """The states in order, each with whether it is past or present; a dead end ends the road."""
    state = State(shown.state)
    road = list(ROAD)
    if state not in ROAD:
        road = [State.BOOKED, state]
    at = road.index(state)
    return [
        {"state": each, "is_past": number < at, "is_now": number == at}
        for number, each in enumerate(road)
    ]


def _siblings(shown: Appointment) -> list[dict[str, Any]]:
    """Every session agreed: its standing visit, or none when it is not booked."""
    standing = {each.session: each for each in shown.series.appointments.standing()}
    if shown.state == State.CANCELLED:
        standing.setdefault(shown.session, shown)
    last = max([shown.series.sessions, *standing])
    return [{"session": number, "visit": standing.get(number)} for number in range(1, last + 1)]


_BREACHED = {
    OVERLAP: _("Over another visit"),
    IntervalTooShort.code: _("Interval shorter than allowed"),
    IntervalTooLong.code: _("Interval longer than allowed"),
    STARTED_EARLY: _("Started long before its time"),
    TooManySessions.code: _("More sessions than allowed"),
}


def _breaches(history: list[StatusChange]) -> list[dict[str, Any]]:
    """What rules were breached by whom and why, the last first; `history` is newest first."""
    return [
        {"what": _BREACHED.get(code, _("A rule was breached")), "change": change}
        for change in history
        for code in change.overrides
    ]


def _undoable(history: list[StatusChange]) -> StatusChange | None:
    """The last act that was not taken back, if it can be; `history` is newest first."""
    taken_back = {change.undoes_id for change in history}
    for change in history:
        if change.move != Move.UNDO and change.pk not in taken_back:
            return change if change.move in UNDOABLE else None
    return None
