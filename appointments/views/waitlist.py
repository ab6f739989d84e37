"""/waitlist/: openings beside those who match them, offers, and everybody who waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from appointments.claiming import gaps
from appointments.lifecycle import MoveRefused
from appointments.models import Gap, Invitation, Offer, SchedulingSettings, WaitlistEntry
from appointments.refusals import Refused
from appointments.views import waitlist_rows
from appointments.views.waitlist_rows import GapRow
from appointments.waitlist import entries, matching, offering, overtaken
from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists
from clinic.views.row_id import row_id

MOST_GAPS, MOST_ENTRIES = 50, 100


@require_safe
def waitlist_page(request: HttpRequest) -> HttpResponse:
    """The openings; of the one in `?gap=` (else the first free one) those who match."""
    site, staff, now = current_site(request), cast(Staff, request.user), timezone.now()
    access.require(staff, Capability.SEE_PATIENTS, site)
    open_gaps = Gap.objects.open().filter(site=site, ends_at__gt=now)
    rows = waitlist_rows.gap_rows(
        open_gaps.select_related("site", "provider", "room", "device")[:MOST_GAPS], now=now
    )
    waiting = overtaken.still_waiting(site=site, now=now)
    entries = waiting.select_related(
        "patient", "site", "series", "appointment", "provider", "protocol_version__modality"
    )
    chosen = _chosen(rows, request.GET.get("gap", ""))
    shown = entries[:MOST_ENTRIES]
    lists(request, (each.patient_id for each in shown), site_id=site.pk)
    context = {
        "site": site,
        "rows": rows,
        "chosen": chosen,
        "waiting": [waitlist_rows.entry_row(each) for each in shown],
        "count": waiting.count(),
        "may_book": access.can(staff, Capability.BOOK, site),
        **(_panel(chosen, now=now) if chosen else {}),
    }
    return render(request, "appointments/waitlist/waitlist.html", context)


def _chosen(rows: list[GapRow], wanted: str) -> GapRow | None:
    asked = next((row for row in rows if str(row.gap.pk) == wanted), None)
    free = next((row for row in rows if not row.is_taken), None)
    return asked or free or next(iter(rows), None)


def _panel(row: GapRow, *, now: datetime) -> dict[str, Any]:
    """Of the chosen gap: whom it is offered to, else who matches."""
    if row.offer is not None:
        asked = waitlist_rows.invitations(row.offer)
        return {"asked": [(each, waitlist_rows.what(each.entry)) for each in asked]}
    if row.is_taken:
        return {}
    found = matching.matches_of(gap=row.gap, now=now)
    return {
        "wait": waitlist_rows.wait_of(row.gap.site, now=now),
        "offer_minutes": SchedulingSettings.of(row.gap.site).offer_minutes,
        "matches": [(each, waitlist_rows.what(each.entry)) for each in found.matches],
        "others": [(each, waitlist_rows.what(each.entry)) for each in found.others],
    }


@require_POST
def offer(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a gap to everybody who was ticked."""
    gap = _gap(request, pk)
    chosen = _entries(request).filter(pk__in=_numbers(request.POST.getlist("entry")))

    def act() -> str:
        made = offering.offer(gap=gap, entries=list(chosen), by=_staff(request), now=_now())
        count = made.invitations.count()
        until = waitlist_rows.said_when(made.expires_at, gap.site)
        said = ngettext(
            "Offered to %(count)s patient, kept until %(until)s.",
            "Offered to %(count)s patients, kept until %(until)s.",
            count,
        ) % {"count": count, "until": until}
        return f"{said} {waitlist_rows.wait_of(gap.site, now=made.made_at)}".strip()

    return _done(request, act, gap)


@require_POST
def book(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a gap to one entry at once, on the patient's behalf."""
    gap = _gap(request, pk)
    entry = get_object_or_404(_entries(request), pk=row_id(request.POST.get("book", "")))

    def act() -> str:
        visit = offering.book(gap=gap, entry=entry, by=_staff(request), now=_now())
        at = waitlist_rows.said_when(visit.starts_at, visit.site)
        return gettext("%(patient)s comes on %(at)s.") % {
            "patient": entry.patient.display_name,
            "at": at,
        }

    return _done(request, act, gap)


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    gap = _gap(request, pk)

    def act() -> str:
        gaps.dismiss(gap=gap, by=_staff(request), now=_now())
        at = waitlist_rows.said_when(gap.starts_at, gap.site)
        return gettext("The place on %(at)s is offered to nobody.") % {"at": at}

    return _done(request, act, None, undo=reverse("gap-reopen", args=[pk]), site=gap.site)


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    gap = _gap(request, pk)

    def act() -> str:
        gaps.reopen(gap=gap, by=_staff(request), now=_now())
        return gettext("The place is open again.")

    return _done(request, act, gap)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an offer back."""
    made = get_object_or_404(
        Offer.objects.seen_by(_staff(request)).select_related("gap__site"), pk=pk
    )

    def act() -> str:
        offering.withdraw(offer=made, by=_staff(request), now=_now())
        return gettext("The offer is taken back. All who were asked stay on the list.")

    return _done(request, act, made.gap)


@require_POST
def answer(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    """Write down what the patient said on the phone: `accept` or `decline`."""
    seen = Invitation.objects.seen_by(_staff(request))
    invitation = get_object_or_404(seen.select_related("offer__gap__site", "entry__patient"), pk=pk)
    name = invitation.entry.patient.display_name

    def act() -> str:
        if answer == "decline":
            offering.decline(invitation=invitation, by=_staff(request), now=_now())
            return gettext("%(name)s does not want this place and stays on the list.") % {
                "name": name
            }
        visit = offering.accept(invitation=invitation, by=_staff(request), now=_now())
        return gettext("%(name)s comes on %(site)s.") % {
            "name": name,
            "site": waitlist_rows.said_when(visit.starts_at, visit.site),
        }

    return _done(request, act, invitation.offer.gap)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a patient off the list."""
    entry = get_object_or_404(_entries(request).select_related("site"), pk=pk)

    def act() -> str:
        entries.withdraw(entry=entry, by=_staff(request), now=_now())
        return gettext("%(patient)s is off the wait-list.") % {
            "patient": entry.patient.display_name
        }

    return _done(request, act, None, site=entry.site)


def _done(
    request: HttpRequest,
    act: Callable[[], str],
    gap: Gap | None,
    *,
    undo: str = "",
    site: Site | None = None,
) -> HttpResponse:
    """Act, say what was done or why not, and go back to the list at that gap."""
    try:
        said = act()
    except (Refused, MoveRefused) as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, said, extra_tags=undo)
    here = gap.site if gap is not None else site
    query = {"site": here.slug} if here is not None else {}
    if gap is not None:
        query["gap"] = str(gap.pk)
    return HttpResponseRedirect(f"{reverse('waitlist')}?{urlencode(query)}", status=303)


def _staff(request: HttpRequest) -> Staff:
    return cast(Staff, request.user)


def _now() -> datetime:
    return timezone.now()


def _gap(request: HttpRequest, pk: int) -> Gap:
    return get_object_or_404(
        Gap.objects.seen_by(_staff(request)).select_related("site", "provider", "room", "device"),
        pk=pk,
    )


def _entries(request: HttpRequest) -> Any:
    return WaitlistEntry.objects.seen_by(_staff(request)).select_related("patient")


def _numbers(texts: list[str]) -> list[int]:
    return [found for text in texts if (found := row_id(text))]
