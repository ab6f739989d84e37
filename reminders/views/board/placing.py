"""Putting a visit down on the board: dropped, or at a free start that was pressed.

It moves at once or not at all. A refusal answers with every conflict, three places that are free,
and what a reason would let pass; the board stays as it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from appointments.claiming import taking
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.lifecycle import MoveRefused
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused, StaleVersion
from appointments.visits import conflicts, moving
from clinic import access
from clinic.access import Capability
from clinic.hours import format_when, local
from clinic.models import Resource, Staff
from clinic.reader_language import reader_language
from clinic.views.row_id import row_id
from reminders.views import rippling
from reminders.views.board.asking import asked
from reminders.views.board.board import shown
from reminders.views.book_series import draft as drafts
from reminders.views.book_series import plan_rows
from reminders.views.visit_acts import both_values, expected_version, seen_visit, undo_address


@require_POST
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """`place` is a whole place, else `start` an instant and `onto` the resource of the column it
    was dropped on; what is not named is kept where it is free."""
    visit, by, now = seen_visit(request, pk), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.BOOK, visit.site)
    version = expected_version(request)
    reason = request.POST.get("override_reason", "").strip()[:200]
    wish: VisitWish | None = None
    try:
        wish = _wish(request, visit, now)
        done = moving.move(
            appointment=visit,
            starts_at=wish.starts_at,
            provider_id=wish.provider_id,
            room_id=wish.room_id,
            device_id=wish.device_id,
            by=by,
            now=now,
            expected_version=version,
            override_reason=reason,
            overlap="over" in request.POST,
        )
    except ValueError:
        return _refused(request, visit, None, gettext("Choose a free start of the board."), now)
    except StaleVersion:
        return _refused(request, visit, None, both_values(visit, version), now)
    except (Refused, MoveRefused) as refusal:
        return _refused(request, visit, wish, refusal.sentence, now, refusal)
    at = format_when(done.starts_at, visit.site.zone, reader_language(), seen_at=now)
    messages.success(
        request,
        gettext("%(patient)s: session %(session)s moved to %(at)s.")
        % {"patient": visit.series.patient.display_name, "session": visit.session, "at": at},
        extra_tags=undo_address(done, _back(request)),
    )
    if request.headers.get("HX-Request"):
        return _drawn(request, visit, now)
    return HttpResponseRedirect(_back(request), status=303)


def _wish(request: HttpRequest, visit: Appointment, now: datetime) -> VisitWish:
    """Raises ValueError for what no board offers, and as `taking.wish_for_move` does."""
    if whole := request.POST.get("place"):
        return drafts.wish(whole)
    starts_at = drafts.instant(request.POST.get("start", ""))
    named: dict[str, int | None] = {PROVIDER: None, ROOM: None, DEVICE: None}
    onto = Resource.objects.filter(pk=row_id(request.POST.get("onto", ""))).first()
    if onto is not None and onto.kind in named:
        named[onto.kind] = onto.pk
    return taking.wish_for_move(visit, starts_at, named, now=now)


def _refused(
    request: HttpRequest,
    visit: Appointment,
    wish: VisitWish | None,
    sentence: str,
    now: datetime,
    refusal: Refused | MoveRefused | None = None,
) -> HttpResponse:
    """The panel with all that is in the way, beside the board as it stands."""
    by = cast(Staff, request.user)
    found = conflicts.of_move(appointment=visit, wish=wish, now=now) if wish else None
    follows = isinstance(refusal, rippling.FOLLOWABLE)
    refused: dict[str, Any] = {
        "visit": visit,
        "sentence": sentence,
        "causes": found.causes if found else (),
        "seen": _seen(by, found),
        "nearest": plan_rows.choices(found.nearest) if found else (),
        "at": local(wish.starts_at, visit.site.zone).replace(tzinfo=None) if wish else None,
        "place": drafts.written(wish) if wish else "",
        "overridable": bool(getattr(refusal, "overridable", False))
        and access.can(by, Capability.OVERRIDE_INTERVAL, visit.site),
        "overlappable": bool(getattr(refusal, "overlappable", False))
        and access.can(by, Capability.OVERLAP, visit.site),
        "follows": follows,
        "who_may": access.roles_with(Capability.OVERRIDE_INTERVAL),
    }
    if request.headers.get("HX-Request"):
        context = {"site": visit.site, "refused": refused, "here": _back(request)}
        answer = render(request, "reminders/board/_refused.html", context, status=409)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#panel", "outerHTML"
        answer["HX-Push-Url"] = "false"
        return answer
    context = _context(request, visit, now) | {"refused": refused}
    return render(request, "reminders/board/board.html", context, status=409)


def _seen(by: Staff, found: conflicts.Conflicts | None) -> set[int]:
    """The visits in the way whose patients may be named to the reader."""
    visits = [each.visit.pk for each in found.causes if each.visit] if found else []
    return set(Appointment.objects.seen_by(by).filter(pk__in=visits).values_list("pk", flat=True))


def _drawn(request: HttpRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """The board and its panel as they are now, with the toast."""
    context = _context(request, visit, now) | {"moved": True}
    answer = render(request, "reminders/board/_board.html", context)
    answer["HX-Push-Url"] = _back(request)
    return answer


def _context(request: HttpRequest, visit: Appointment, now: datetime) -> dict[str, Any]:
    # The links of the page are made from the address that asked, not from this one.
    request.GET = QueryDict(_back(request).partition("?")[2])
    wanted = asked(request.GET, today=local(now, visit.site.zone).date())
    return shown(request, visit.site, wanted, now)


def _back(request: HttpRequest) -> str:
    """The board that asked, without the visit in hand."""
    wanted = request.POST.get("next", "")
    if not (wanted.startswith(reverse("board")) and url_has_allowed_host_and_scheme(wanted, None)):
        return reverse("board")
    path, _, query = wanted.partition("?")
    left = QueryDict(query, mutable=True)
    left.pop("pick", None)
    return f"{path}?{left.urlencode()}" if left else path
