"""Putting a visit down on the board: dropped, or at a free start that was pressed.

It moves at once or not at all; what is answered then is `answering`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from appointments.claiming import taking
from appointments.finding.needs import DEVICE, PROVIDER, ROOM
from appointments.lifecycle import MoveRefused
from appointments.models import Appointment
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused, StaleVersion
from appointments.visits import moving
from clinic import access
from clinic.access import Capability
from clinic.models import Resource, Staff
from clinic.reader_language import reader_language
from clinic.saying_times import format_when
from clinic.views.row_id import row_id
from reminders.views.board.answering import Wanted, board_asking, changed, refused
from reminders.views.book_series import draft as drafts
from reminders.views.visit_acts import both_values, expected_version, seen_visit


@require_POST
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """`place` is a whole place, else `start` an instant and `onto` the resource of the column it
    was dropped on; what is not named is kept where it is free."""
    visit, by, now = seen_visit(request, pk), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.BOOK, visit.site)
    version = expected_version(request)
    reason = request.POST.get("override_reason", "").strip()[:200]
    wish: VisitWish | None = None
    before, onto = visit.resources_held(), _onto(request)
    try:
        wish = _wish(request, visit, onto, now)
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
        sentence = gettext("Choose a free start of the board.")
        return refused(request, visit, Wanted(request.path, None), sentence, now)
    except StaleVersion:
        both = both_values(visit, version)
        return refused(request, visit, Wanted(request.path, None), both, now)
    except (Refused, MoveRefused) as refusal:
        return refused(
            request, visit, Wanted(request.path, wish, onto=onto), refusal.sentence, now, refusal
        )
    return changed(request, done, _said(done, before, now), now, board_asking(request))


def _said(done: Appointment, before: Mapping[str, int], now: datetime) -> str:
    """Where the visit went, and whom and what it holds now that it did not hold `before`."""
    taken = set(done.resources_held().values()) - set(before.values())
    others = Resource.objects.filter(pk__in=taken).order_by("name").values_list("name", flat=True)
    said = gettext("%(patient)s: session %(session)s moved to %(at)s.")
    if others:
        said = gettext("%(patient)s: session %(session)s moved to %(at)s, with %(others)s.")
    return said % {
        "patient": done.series.patient.display_name,
        "session": done.session,
        "at": format_when(done.starts_at, done.site.zone, reader_language(), seen_at=now),
        "others": ", ".join(others),
    }


def _onto(request: HttpRequest) -> Resource | None:
    """Whose column it was dropped on."""
    kinds = (PROVIDER, ROOM, DEVICE)
    named = Resource.objects.filter(kind__in=kinds, pk=row_id(request.POST.get("onto", "")))
    return named.first()


def _wish(
    request: HttpRequest, visit: Appointment, onto: Resource | None, now: datetime
) -> VisitWish:
    """Raises ValueError for what no board offers, and as `taking.wish_for_move` does."""
    if whole := request.POST.get("place"):
        return drafts.wish(whole)
    starts_at = drafts.instant(request.POST.get("start", ""))
    named = {onto.kind: onto.pk} if onto else {}
    return taking.wish_for_move(visit, starts_at, named, now=now)
