"""Step 2: what the protocol asks before it is booked, unless it was answered lately."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from appointments import clearance
from appointments.clearance import Treatment, answering, beside, due_questions
from appointments.clearance.screening import screened_of
from appointments.finding.intervals import Spaced
from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.protocols.differing import Difference, differences
from clinic.protocols.schema import AskAt
from clinic.reader_language import reader_language
from clinic.views.looking import shows
from clinic.wall_time import local
from patients.models import ScreeningMoment, SkinType
from patients.screening import form as forms
from patients.screening.assessing import depends_on_skin_type
from patients.screening.questions import Question
from patients.screening.recording import AnswerRefused
from reminders.views.book_series import draft as drafts
from reminders.views.book_series.choose import choose_page
from reminders.views.book_series.draft import Draft
from reminders.views.book_series.order import Order, booking_at, order, to_dates

UNREAD = _("Some answers cannot be read yet.")


@require_http_methods(["GET", "HEAD", "POST"])
def screening(request: HttpRequest) -> HttpResponse:
    """The questions of the consult; POST writes the answers down and goes on to the dates."""
    site, by = booking_at(request)
    access.require(by, Capability.SCREEN, site)
    draft = drafts.read(request.POST or request.GET)
    found = order(draft, site, by)
    if isinstance(found, list):
        return choose_page(request, site, by, draft, found)
    fields = forms.fields(_due(found), request.POST, language=reader_language())
    problem = ""
    if request.method == "POST":
        problem = _answered(request, found, fields, by)
        if not problem:
            return to_dates(site, draft)
    shows(request, found.patient, patient_id=found.patient.pk)
    context = {
        "site": site,
        "patient": found.patient,
        "version": found.version,
        "draft": found.draft,
        "back": draft.wishes_query,
        "fields": fields,
        "problem": problem,
        "asks_skin_type": _asks_skin_type(found),
        "skin_types": SkinType.choices,
    }
    status = 422 if problem else 200
    return render(request, "reminders/book_series/screening.html", context, status=status)


def next_step(site: Site, by: Staff, draft: Draft) -> HttpResponseRedirect:
    """From the first step to the questions, or to the dates when none is due."""
    found = order(draft, site, by)
    if isinstance(found, list) or not (_due(found) or _asks_skin_type(found)):
        return to_dates(site, draft)
    query = f"site={site.slug}&{draft.query}"
    return HttpResponseRedirect(f"{reverse('book-series-screening')}?{query}", status=303)


def kept_free(order: Order) -> Sequence[Spaced]:
    """The dates that something bars. Raises Barred when that is every date."""
    return clearance.kept_free(_treatment(order), now=timezone.now())


def differences_of(order: Order) -> Sequence[Difference]:
    """Where the treatment differs from others that are under way in the same place."""
    series = beside.open_series([order.patient.pk]).get(order.patient.pk, [])
    others = beside.protocols_beside(order.protocol, order.draft.areas, series)
    return differences([order.protocol, *others])


def _answered(request: HttpRequest, found: Order, fields: list[forms.Field], by: Staff) -> str:
    """Write the answers down; what to mend when they cannot be."""
    said, is_right = forms.said_in(fields, request.POST, complete=False)
    skin = request.POST.get("skin_type", "")
    if not is_right or skin not in ("", *SkinType.values):
        return str(UNREAD)
    try:
        answering.answer(
            treatment=_treatment(found),
            said=said,
            moment=ScreeningMoment.CONSULT,
            skin_type=skin,
            no_to_the_rest=request.POST.get("rest") == "no",
            by=by,
            now=timezone.now(),
        )
    except AnswerRefused as refusal:
        return refusal.sentence
    return ""


def _treatment(order: Order) -> Treatment:
    return Treatment(order.patient, order.site, order.version, order.draft.areas)


def _due(order: Order) -> Sequence[Question]:
    (screened,) = screened_of([_treatment(order)])
    today = local(timezone.now(), order.site.zone).date()
    return due_questions.of_day(screened, today, AskAt.CONSULT)


def _asks_skin_type(order: Order) -> bool:
    return not order.patient.skin_type and depends_on_skin_type(order.protocol)
