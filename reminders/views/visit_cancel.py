"""Cancelling a visit: why, whose wish it was, and whether the later ones of its series go too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from appointments.lifecycle import MoveRefused
from appointments.models import Appointment
from appointments.refusals import Refused, StaleVersion
from appointments.visits import cancelling
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from reminders.views import rippling
from reminders.views.visit import visit_page
from reminders.views.visit_acts import both_values, expected_version, seen_visit, undo_address


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel with a reason; `by_patient` when the patient asked for it. With `tell` "no" no message
    says so, with `later` the later visits of the series go as well, of which `seen` are the
    versions that were shown."""
    shown, by = seen_visit(request, pk), cast(Staff, request.user)
    access.require(by, Capability.BOOK, shown.site)
    if request.method != "POST":
        return visit_page(request, shown, cancel_form={"reason": ""})
    version = expected_version(request)
    typed: dict[str, Any] = {
        "reason": request.POST.get("reason", "").strip()[:200],
        "by_patient": request.POST.get("by_patient") == "on",
        "untold": request.POST.get("tell") == "no",
        "later": request.POST.get("later") == "on",
    }
    seen = rippling.versions_in(request.POST.getlist("seen"))
    if not typed["reason"]:
        # The form that comes back is of the visit as it is now: whoever saw another one is told.
        changed = _changed(shown, version, seen if typed["later"] else None)
        missing = gettext("Write why the visit is cancelled; it is kept in its history.")
        typed["problem"] = " ".join([*changed, missing])
        return visit_page(request, shown, cancel_form=typed, status=422)
    act = partial(cancelling.cancel_with_later, seen=seen) if typed["later"] else cancelling.cancel
    try:
        done = act(
            appointment=shown,
            by=by,
            now=timezone.now(),
            reason=typed["reason"],
            by_patient=typed["by_patient"],
            tell_patient=not typed["untold"],
            expected_version=version,
        )
    except StaleVersion:
        fresh = seen_visit(request, pk)
        changed = _changed(fresh, version, seen if typed["later"] else None)
        typed["problem"] = " ".join(changed or [both_values(fresh, version)])
        return visit_page(request, fresh, cancel_form=typed, status=409)
    except (Refused, MoveRefused) as refusal:
        typed["problem"] = refusal.sentence
        return visit_page(request, shown, cancel_form=typed, status=409)
    visits = done if isinstance(done, list) else [done]
    back = reverse("visit", args=[pk])
    undo = undo_address(visits[0], back)
    if len(visits) > 1:
        undo = rippling.undo_address(pk, visits, back)
    said = ngettext(
        "%(patient)s: visit cancelled.", "%(patient)s: %(count)s visits cancelled.", len(visits)
    )
    messages.success(
        request,
        said % {"patient": shown.series.patient.display_name, "count": len(visits)},
        extra_tags=undo,
    )
    return HttpResponseRedirect(back, status=303)


def _changed(visit: Appointment, version: int | None, seen: Mapping[int, int] | None) -> list[str]:
    """What became of the visit since that `version`, and of each later one of its series that is
    not as it was `seen`, where those go too."""
    own = [both_values(visit, version)] if version not in (None, visit.version) else []
    return [*own, *(_changed_later(visit, seen) if seen is not None else [])]


def _changed_later(visit: Appointment, seen: Mapping[int, int]) -> list[str]:
    """What became of each later visit of the series that is not as it was `seen`."""
    now = {each.pk: each.version for each in cancelling.later_of(visit)}
    changed = {pk for pk, _ in now.items() ^ seen.items()}
    rows = visit.series.appointments.filter(pk__in=changed).select_related("site")
    return [
        f"{gettext('Session %(session)s') % {'session': each.session}}: "
        f"{both_values(each, seen.get(each.pk))}"
        for each in rows.order_by("session", "id")
    ]
