"""What the board answers once a visit was changed from it, or was refused to be.

A refusal answers with every conflict, three places that are free, and what a reason would let
pass; the board stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from appointments.finding.ticks import TICK
from appointments.lifecycle import MoveRefused
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused
from appointments.visits import conflicts
from clinic import access
from clinic.access import Capability
from clinic.models import Resource, Staff
from clinic.wall_time import local
from reminders.views import rippling
from reminders.views.board.asking import asked
from reminders.views.board.board import shown
from reminders.views.book_series import draft as drafts
from reminders.views.book_series import plan_rows
from reminders.views.visit_acts import undo_address


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: a place, None when it cannot be read; and `body`, the length in ticks
    where that was to change. `address` is where the panel asks again, `onto` whose column it was
    dropped on."""

    address: str
    wish: VisitWish | None
    body: int | None = None
    onto: Resource | None = None


def changed(
    request: HttpRequest, done: Appointment, said: str, now: datetime, back: str
) -> HttpResponse:
    """The board as it is now, with the toast and its Undo; without htmx, the way `back`."""
    messages.success(request, said, extra_tags=undo_address(done, back))
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(back, status=303)
    context = _context(request, done, now) | {"moved": True}
    answer = render(request, "reminders/board/_board.html", context)
    answer["HX-Push-Url"] = board_asking(request)
    return answer


def refused(
    request: HttpRequest,
    visit: Appointment,
    wanted: Wanted,
    sentence: str,
    now: datetime,
    refusal: Refused | MoveRefused | None = None,
) -> HttpResponse:
    """The panel with all that is in the way, beside the board as it stands."""
    by, wish = cast(Staff, request.user), wanted.wish
    found = (
        conflicts.of_move(appointment=visit, wish=wish, now=now, body=wanted.body, onto=wanted.onto)
        if wish
        else None
    )
    about: dict[str, Any] = {
        "visit": visit,
        "address": wanted.address,
        "sentence": sentence,
        "causes": found.causes if found else (),
        "seen": _seen(by, found),
        "nearest": plan_rows.choices(found.nearest) if found else (),
        "at": local(wish.starts_at, visit.site.zone).replace(tzinfo=None) if wish else None,
        "place": drafts.written(wish) if wish else "",
        "minutes": _minutes(wanted.body) if wanted.body else None,
        "longest": _minutes(found.longest) if found and found.longest else None,
        "longest_until": wish.starts_at + found.longest * TICK
        if wish and found and found.longest
        else None,
        "overridable": bool(getattr(refusal, "overridable", False))
        and access.can(by, Capability.OVERRIDE_INTERVAL, visit.site),
        "overlappable": bool(getattr(refusal, "overlappable", False))
        and access.can(by, Capability.OVERLAP, visit.site),
        "follows": isinstance(refusal, rippling.FOLLOWABLE),
        "who_may": access.roles_with(Capability.OVERRIDE_INTERVAL),
    }
    if request.headers.get("HX-Request"):
        context = {"site": visit.site, "refused": about, "here": board_asking(request)}
        answer = render(request, "reminders/board/_refused.html", context, status=409)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#panel", "outerHTML"
        answer["HX-Push-Url"] = "false"
        return answer
    context = _context(request, visit, now) | {"refused": about}
    return render(request, "reminders/board/board.html", context, status=409)


def board_asking(request: HttpRequest) -> str:
    """The board that asked, without the visit in hand."""
    wanted = request.POST.get("next", "")
    if not (wanted.startswith(reverse("board")) and url_has_allowed_host_and_scheme(wanted, None)):
        return reverse("board")
    path, _, query = wanted.partition("?")
    left = QueryDict(query, mutable=True)
    left.pop("pick", None)
    return f"{path}?{left.urlencode()}" if left else path


def _minutes(body: int) -> int:
    return int(body * TICK.total_seconds()) // 60


def _seen(by: Staff, found: conflicts.Conflicts | None) -> set[int]:
    """The visits in the way whose patients may be named to the reader."""
    visits = [each.visit.pk for each in found.causes if each.visit] if found else []
    return set(Appointment.objects.seen_by(by).filter(pk__in=visits).values_list("pk", flat=True))


def _context(request: HttpRequest, visit: Appointment, now: datetime) -> dict[str, Any]:
    # The links of the page are made from the address that asked, not from this one.
    request.GET = QueryDict(board_asking(request).partition("?")[2])
    today = local(now, visit.site.zone).date()
    return shown(request, visit.site, asked(request.GET, today=today), now)
