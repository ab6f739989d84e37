"""Another length for a visit of the board: its lower edge dropped, or the minutes written.

With a place, the visit goes there with that length: how the panel offers room for all of it.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from appointments.finding import lengths
from appointments.lifecycle import MoveRefused
from appointments.proposing.places import VisitWish
from appointments.refusals import Refused, StaleVersion, WrongLength
from appointments.visits import resizing
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.saying_times import format_when
from clinic.wall_time import local
from reminders.views.board.answering import Wanted, changed, refused
from reminders.views.book_series import draft as drafts
from reminders.views.visit_acts import both_values, expected_version, seen_visit, way_back


@require_POST
def length(request: HttpRequest, pk: int) -> HttpResponse:
    """`minutes` is how long the visit shall last from its start on, or from that of `place`."""
    visit, by, now = seen_visit(request, pk), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.BOOK, visit.site)
    version, wanted = expected_version(request), Wanted(request.path, None)
    place: VisitWish | None = None
    try:
        minutes = int(request.POST.get("minutes", ""))
        if written := request.POST.get("place"):
            place = drafts.wish(written)
        body = lengths.wished(minutes, present=0 if place else visit.body)
        wanted = Wanted(request.path, place or resizing.present(visit), body)
        done = resizing.change_length(
            appointment=visit,
            minutes=minutes,
            place=place,
            by=by,
            now=now,
            expected_version=version,
            override_reason=request.POST.get("override_reason", "").strip()[:200],
            overlap="over" in request.POST,
        )
    except WrongLength as refusal:
        return refused(request, visit, wanted, refusal.sentence, now)
    except ValueError:
        sentence = gettext("Write how many minutes, such as 75.")
        return refused(request, visit, wanted, sentence, now)
    except StaleVersion:
        return refused(request, visit, wanted, both_values(visit, version), now)
    except (Refused, MoveRefused) as refusal:
        return refused(request, visit, wanted, refusal.sentence, now, refusal)
    about = {
        "patient": visit.series.patient.display_name,
        "session": visit.session,
        "minutes": minutes,
        "until": f"{local(done.ends_at, visit.site.zone):%H:%M}",
        "at": format_when(done.starts_at, visit.site.zone, reader_language(), seen_at=now),
    }
    said = (
        gettext("%(patient)s: session %(session)s moved to %(at)s, for %(minutes)s min.")
        if place
        else gettext("%(patient)s: session %(session)s lasts %(minutes)s min now, until %(until)s.")
    )
    return changed(request, done, said % about, now, way_back(request, visit))
