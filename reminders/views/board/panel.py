"""The visit beside the board: where it stands, what may be done with it, what was said about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse

from appointments.charting.last_time import last_time
from appointments.lifecycle import UNDER_WAY, Move, State
from appointments.lifecycle import offered as may_be_done
from appointments.models import Appointment
from appointments.visits import holdings
from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.views.looking import shows
from clinic.wall_time import local
from patients.models import ContactKind, Patient
from reminders.catalogue import MessageState
from reminders.models import Message
from reminders.views import day_flags, visit_acts
from reminders.views.board.asking import Asked
from reminders.views.visits_shown import with_patients

MINUTE = timedelta(minutes=1)
_FAILED = (MessageState.FAILED, MessageState.UNDELIVERED)


def of(request: HttpRequest, site: Site, wanted: Asked, now: datetime) -> dict[str, Any]:
    """The panel of the visit that the address names; none for one that the reader may not see."""
    staff = cast(Staff, request.user)
    visit = _seen(staff, wanted.visit) if wanted.visit else None
    if visit is None:
        return {"visit": None, "asked": wanted, "site": site, "here": here(request)}
    shows(request, visit, patient_id=visit.series.patient_id)
    may, held = access.capabilities(staff, visit.site), holdings.of([visit])
    moves = may_be_done(State(visit.state), is_locked=visit.is_locked)
    moves = moves if Capability.BOOK in may else ()
    protocol = protocols.get(visit.protocol_version)
    siblings = _siblings(visit)
    # What was done and how it looked is for who treats, and never for a board without names.
    is_clinical = Capability.CHART in may and not wanted.initials
    return {
        "visit": visit,
        "asked": wanted,
        "site": site,
        "patient": visit.series.patient,
        "treatment": protocol.treatment_in_words(visit.series.areas, reader_language()),
        "phone": _phone(visit.series.patient),
        "held": held[visit.pk],
        "acts": visit_acts.offered(visit, visit.site.zone, may, now),
        "may_move": Move.MOVE in moves,
        "may_resize": Move.RESIZE in moves,
        "minutes": (visit.ends_at - visit.starts_at) // MINUTE,
        "may_cancel": Move.CANCEL in moves,
        "may_write_log": Capability.CHART in may
        and visit.state in UNDER_WAY
        and bool(protocol.session_log),
        "siblings": siblings,
        "next": next((each for each in siblings if each.visit.starts_at > visit.starts_at), None),
        "last": last_time(visit) if is_clinical else None,
        "flags": day_flags.of_one(visit, held, now),
        "said": _said(visit),
        "here": here(request),
    }


def _seen(staff: Staff, visit: int) -> Appointment | None:
    seen = Appointment.objects.seen_by(staff).filter(pk=visit).select_related("site")
    return with_patients(seen).first()


def _phone(patient: Patient) -> str:
    """The number at which the patient is called first; empty when there is none."""
    numbers = patient.contact_points.filter(kind=ContactKind.PHONE, retired_at=None, guardian=None)
    first = numbers.order_by("-is_preferred", "id").first()
    return first.value if first else ""


def here(request: HttpRequest) -> str:
    """This board, as an address."""
    query = request.GET.urlencode()
    return f"{reverse('board')}?{query}" if query else reverse("board")


@dataclass(frozen=True, slots=True)
class Sibling:
    """A session of the series, on its local day."""

    visit: Appointment
    day: date


def _siblings(visit: Appointment) -> list[Sibling]:
    standing = visit.series.appointments.standing().select_related("site").order_by("session")
    return [Sibling(each, local(each.starts_at, each.site.zone).date()) for each in standing]


def _said(visit: Appointment) -> dict[str, int]:
    """How many messages of the visit are planned, sent and failed."""
    found = Message.objects.filter(items__anchor=f"visit:{visit.pk}").distinct()
    return found.aggregate(
        planned=Count("pk", filter=Q(state=MessageState.SCHEDULED), distinct=True),
        sent=Count("pk", filter=Q(accepted_at__isnull=False), distinct=True),
        failed=Count("pk", filter=Q(state__in=_FAILED), distinct=True),
    )
