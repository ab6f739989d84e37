"""/visits/<id>/screening/: the questions of a visit, what follows from the answers, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from appointments.clearance import Treatment, answering, due_questions, treatment_of
from appointments.clearance.screening import screened_of
from appointments.lifecycle import OPEN
from appointments.models import Appointment
from appointments.refusals import Refused
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.reader_language import reader_language
from clinic.views.looking import shows
from clinic.wall_time import local
from patients.models import ScreeningAnswer, SkinType
from patients.screening import form as forms
from patients.screening import sentences
from patients.screening.answers import current
from patients.screening.assessing import Finding, Rule, Screened, assess, depends_on_skin_type
from patients.screening.form import Field
from patients.screening.gathering import answer_of
from patients.screening.questions import SKIN_TYPE, questions_of
from patients.screening.recording import AnswerRefused


@require_http_methods(["GET", "HEAD", "POST"])
def screening(request: HttpRequest, pk: int) -> HttpResponse:
    """The questions, those that are due first; POST writes down what was answered."""
    visit, by, now = _seen(request, pk), cast(Staff, request.user), timezone.now()
    access.require(by, Capability.SCREEN, visit.site)
    if request.method != "POST":
        return _page(request, visit, now)
    treatment = treatment_of(visit)
    asked = forms.fields(questions_of(treatment.protocol), request.POST, language=reader_language())
    said, is_right = forms.said_in(asked, request.POST, complete=False)
    skin = request.POST.get("skin_type", "")
    if not is_right or skin not in ("", *SkinType.values):
        return _page(request, visit, now, problem=gettext("Some answers cannot be read yet."))
    try:
        answering.answer(
            treatment=treatment,
            said=said,
            moment=due_questions.moment_of(visit, now),
            skin_type=skin,
            no_to_the_rest=request.POST.get("rest") == "no",
            by=by,
            now=now,
        )
    except AnswerRefused as refusal:
        return _page(request, visit, now, problem=refusal.sentence, at=refusal.field)
    messages.success(request, gettext("The answers are written down."))
    return HttpResponseRedirect(reverse("visit-screening", args=[pk]), status=303)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide on one finding: to treat all the same, or not."""
    visit, now = _seen(request, pk), timezone.now()
    ids = request.POST.get("answers", "").split()
    try:
        answering.decide(
            treatment=treatment_of(visit),
            rule=request.POST.get("rule", ""),
            answers=frozenset(int(each) for each in ids if each.isdecimal() and len(each) < 19),
            proceeds=request.POST.get("decision") == "treat",
            reason=request.POST.get("reason", ""),
            by=cast(Staff, request.user),
            now=now,
        )
    except Refused as refusal:
        return _page(request, visit, now, problem=refusal.sentence, status=409)
    messages.success(request, gettext("Decided. It is kept with the answers."))
    return HttpResponseRedirect(reverse("visit-screening", args=[pk]), status=303)


def _seen(request: HttpRequest, pk: int) -> Appointment:
    visits = Appointment.objects.seen_by(cast(Staff, request.user)).select_related(
        "site", "series__patient__skin_type_by", "series__site", "protocol_version__modality"
    )
    return get_object_or_404(visits, pk=pk)


# --- What the page shows --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, and the ids that a decision on it names."""

    finding: Finding
    sentence: str
    rule: str
    evidence: tuple[str, ...]
    answers: str
    stands: bool
    move_from: date | None


@dataclass(frozen=True, slots=True)
class Known:
    """A question whose answers count, one for each area."""

    fields: list[Field]
    answers: list[tuple[str, str]]


def _page(
    request: HttpRequest,
    visit: Appointment,
    now: datetime,
    *,
    problem: str = "",
    at: str = "",
    status: int = 200,
) -> HttpResponse:
    treatment = treatment_of(visit)
    shows(request, visit, patient_id=treatment.patient.pk)
    (screened,) = screened_of([treatment])
    day, today = (local(each, visit.site.zone).date() for each in (visit.starts_at, now))
    data = request.POST if problem else {}
    due = due_questions.of_screened(visit, screened, now=now)
    fields = forms.fields(due, data, language=reader_language())
    if data:
        forms.said_in(fields, request.POST, complete=False)
    by = cast(Staff, request.user)
    context = {
        "visit": visit,
        "patient": treatment.patient,
        "site": visit.site,
        "version": visit.protocol_version,
        "treatment": screened.protocol.treatment_in_words(screened.areas, reader_language()),
        "problem": problem,
        "at": f"q_{at}" if at else "",
        "found": _found(screened, treatment, max(day, today)),
        "fields": fields,
        "known": _known(screened, {each.id for each in due}),
        "skin_types": SkinType.choices,
        "asks_skin_type": depends_on_skin_type(screened.protocol),
        "may_decide": access.can(by, Capability.DECIDE_SCREENING, visit.site),
        "who_decides": access.roles_with(Capability.DECIDE_SCREENING),
        "is_open": visit.state in OPEN,
    }
    status = status if status != 200 or not problem else 422
    return render(request, "appointments/screening/screening.html", context, status=status)


def _found(screened: Screened, treatment: Treatment, day: date) -> list[Found]:
    protocol, skin = screened.protocol, treatment.patient.skin_type
    return [
        Found(
            finding,
            sentences.sentence(finding, protocol, skin),
            sentences.rule(finding, protocol),
            sentences.evidence(finding, protocol),
            " ".join(map(str, sorted(finding.answers))),
            finding.stands_on(day),
            finding.until if finding.stands_on(day) else None,
        )
        for finding in assess(screened)
        if finding.rule != Rule.LACKING and (finding.rule != Rule.AGE or finding.stands_on(day))
    ]


def _known(screened: Screened, due: set[str]) -> list[Known]:
    asked = [
        question
        for question in questions_of(screened.protocol)
        if question.id not in due and question.id != SKIN_TYPE
    ]
    answers = ScreeningAnswer.objects.filter(pk__in=[each.id for each in screened.answers])
    who = {row.pk: row for row in answers.select_related("by")}
    known = []
    for field in forms.fields(asked, {}, language=reader_language()):
        told = current(field.question, screened.areas, screened.answers).values()
        ids = sorted({each.id for each in told if each is not None})
        known.append(Known([field], [_line(who[each]) for each in ids]))
    return known


def _line(row: ScreeningAnswer) -> tuple[str, str]:
    answer = answer_of(row)
    return sentences.said(answer), sentences.who_and_when(answer, row.by.name if row.by else "")
