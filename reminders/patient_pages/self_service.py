"""/p/<token>/: the pages that patients open from a message. GET never changes anything.

Whoever holds the link reads when and where; advice that tells the treatment is shown only to who
gave the patient's birth date, which a short-lived cookie of this one address remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments import asked_forms, links
from appointments.lifecycle import TO_COME, Move, State
from appointments.links import Closed, LinkClosed, WrongBirthDate
from appointments.models import Appointment, PatientLink, StatusChange
from appointments.refusals import Refused
from clinic import saying_times
from clinic.models import Site
from clinic.views.row_id import row_id
from patients.models import ContactKind, Patient
from patients.signing.page_words import SIGNING_WORDS
from reminders.channels import calendar
from reminders.patient_pages import asked_visit, care_page
from reminders.patient_pages.language import language_of, remember
from reminders.wording.care_words import WORDS
from reminders.wording.change_words import CHANGE_WORDS
from reminders.wording.photo_words import PHOTO_WORDS
from reminders.wording.question_words import QUESTION_WORDS

PROOF = "afterglow_care"
PROOF_LIFE = timedelta(minutes=30)
# What a new link helps against.
RENEWABLE = (Closed.MOVED, Closed.PAST, Closed.EXPIRED)
_signer = signing.TimestampSigner(salt="reminders.patient_pages.self_service")
Page = Callable[..., HttpResponse]


class BirthDateForm(forms.Form):
    """Three numbers, so that nobody has to scroll a calendar back for decades."""

    month = forms.IntegerField(min_value=1, max_value=12)
    day = forms.IntegerField(min_value=1, max_value=31)
    year = forms.IntegerField(min_value=1900, max_value=2100)

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if language == "es":
            self.order_fields(["day", "month", "year"])
        for name, field in self.fields.items():
            field.label = WORDS[language][name]
            field.widget = forms.TextInput(
                attrs={"inputmode": "numeric", "autocomplete": f"bday-{name}", "maxlength": 4}
            )

    @property
    def birth_date(self) -> date | None:
        """The date, None when there is no such day."""
        if not self.is_valid():
            return None
        try:
            return date(*(self.cleaned_data[part] for part in ("year", "month", "day")))
        except ValueError:
            return None


def for_patients(page: Page) -> Page:
    """Open to whoever holds the link, kept by no cache and no search engine; a link that is
    closed says why and leads on."""

    @login_not_required
    @never_cache
    @wraps(page)
    def guarded(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        try:
            response = page(request, token, **kwargs)
        except LinkClosed as closed:
            response = closed_page(request, token, closed)
        remember(request, response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def care(request: HttpRequest, token: str) -> HttpResponse:
    """The care page; POST proves the birth date once."""
    now = timezone.now()
    link = links.open(token, now=now)
    language = language_of(request, link.patient)
    form = BirthDateForm(request.POST or None, language=language)
    problem = ""
    if request.method == "POST":
        try:
            if (born := form.birth_date) is not None:
                links.prove_birth_date(link=link, birth_date=born, now=now)
                return _proved(request, link)
            problem = WORDS[language]["not_a_date"]
        except WrongBirthDate as wrong:
            if not wrong.tries_left:
                raise LinkClosed(Closed.REVOKED, link) from None
            problem = WORDS[language]["wrong"].format(wrong.tries_left)
    visits = care_page.visits_of(link, now=now)
    shown = visits[0] if visits else None
    proved = is_proved(request, link)
    about = asked_visit.of_link(link, now=now) if proved else None
    said = [_said(visit, link, language, now=now) for visit in visits]
    context = {
        "language": language,
        "words": WORDS[language],
        "site": site_of(link, shown),
        "change_words": CHANGE_WORDS[language],
        "visit": said[0] if said else None,
        "others": said[1:],
        "problem": problem,
        "form": form,
        "is_proved": proved,
        "scale": range(1, 6),
        "thanked": request.GET.get("thanks") == "1",
        "forms_due": _forms_due(link, now=now) if proved else 0,
        "forms_words": SIGNING_WORDS[language],
        "photo_words": PHOTO_WORDS[language],
        "has_questions": bool(asked_visit.questions_of(about, now=now)),
        "question_words": QUESTION_WORDS[language],
        "care": care_page.care_of(shown, patient_id=link.patient_id, language=language, now=now)
        if proved and shown is not None
        else None,
    }
    return render(request, "reminders/care/care.html", context, status=422 if problem else 200)


@for_patients
@require_POST
def result(request: HttpRequest, token: str) -> HttpResponse:
    """How satisfied the patient is, once at each milestone; only whoever proved to be them."""
    now = timezone.now()
    link = links.open(token, now=now)
    visits = care_page.visits_of(link, now=now)
    back = request.path.removesuffix("result/")
    if not is_proved(request, link) or not visits:
        return HttpResponseRedirect(back, status=303)
    try:
        care_page.take_result(
            visits[0],
            patient_id=link.patient_id,
            value=row_id(request.POST.get("value", "")),
            now=now,
        )
    except Refused:
        return HttpResponseRedirect(back, status=303)
    return HttpResponseRedirect(f"{back}?thanks=1", status=303)


@for_patients
@require_safe
def visits_file(request: HttpRequest, token: str) -> HttpResponse:
    """The visits still to come as a calendar file, under the names of the invitations by mail."""
    now = timezone.now()
    link = links.open(token, now=now)
    visits = [visit for visit in care_page.visits_of(link, now=now) if visit.ends_at > now]
    if not visits:
        raise LinkClosed(Closed.PAST, link)
    return calendar_file(visits, link.patient)


@for_patients
@require_safe
def booked_file(request: HttpRequest, token: str) -> HttpResponse:
    """The visit that was booked by a link to a touch-up."""
    now = timezone.now()
    link = links.open(token, now=now, purpose=PatientLink.Purpose.TOUCH_UP)
    if link.acted is None or link.acted.move != Move.BOOK:
        return HttpResponseRedirect(reverse("care-page", args=[token]))
    return calendar_file([link.acted.appointment], link.patient)


def calendar_file(visits: Sequence[Appointment], patient: Patient) -> HttpResponse:
    """`visits`, loaded with their site, as a file for the calendar of `patient`."""
    response = HttpResponse(
        _invitation(visits, patient), content_type="text/calendar; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="visits.ics"'
    return response


def _invitation(visits: Sequence[Appointment], patient: Patient) -> bytes:
    site = visits[0].site
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    email = patient.contact_points.filter(
        kind=ContactKind.EMAIL, retired_at=None, is_preferred=True
    ).first()
    return calendar.invite(
        visits=[
            calendar.Visit(
                uid=calendar.uid(visit.pk, host=host),
                sequence=visit.version,
                starts_at=visit.starts_at,
                ends_at=visit.ends_at,
                zone=visit.site.zone,
                location=visit.site.address,
            )
            for visit in visits
        ],
        organizer_name=site.name,
        organizer_email=site.email_address,
        attendee=email.value if email else site.email_address,
        method="REQUEST" if len(visits) == 1 else "",
        now=_last_change(visits),
    )


def _last_change(visits: Sequence[Appointment]) -> datetime:
    """The last act on any of them, also one that left its start alone, such as another length; so
    equal content is equal text."""
    acts = StatusChange.objects.filter(appointment__in=visits)
    last: datetime | None = acts.aggregate(last=Max("at"))["last"]
    return max([visit.scheduled_at for visit in visits] + ([last] if last else []))


def _said(visit: Appointment, link: PatientLink, language: str, *, now: datetime) -> dict[str, Any]:
    """A visit in the patient's words: no treatment, no provider."""
    patient, site = link.patient, visit.site
    abroad = bool(patient.zone) and patient.zone != site.zone
    when = saying_times.when(visit.starts_at, site.zone, language, with_zone=abroad)
    minutes = int((visit.ends_at - visit.starts_at).total_seconds()) // 60
    may_change = visit.state in TO_COME and visit.starts_at > now
    return {
        "id": visit.pk,
        "when": when,
        "minutes": WORDS[language]["minutes"].format(minutes),
        "site": site,
        "is_confirmed": visit.state == State.CONFIRMED,
        "may_change": may_change,
        "may_confirm": may_change and visit.state != State.CONFIRMED,
        "is_over": visit.ends_at <= now or visit.state in (State.DONE, State.NO_SHOW),
    }


def _forms_due(link: PatientLink, *, now: datetime) -> int:
    """How many forms of a treatment the patient is asked to sign."""
    asked = asked_forms.of_patient(link.patient, now=now)
    return sum(each.is_due and each.is_treatment for each in asked)


def _proved(request: HttpRequest, link: PatientLink) -> HttpResponseRedirect:
    response = HttpResponseRedirect(request.path, status=303)
    response.set_cookie(
        PROOF,
        _signer.sign(str(link.pk)),
        max_age=PROOF_LIFE,
        path=request.path,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def is_proved(request: HttpRequest, link: PatientLink) -> bool:
    """Whether this browser gave the patient's birth date at this link not long ago."""
    try:
        signed = _signer.unsign(request.COOKIES.get(PROOF, ""), max_age=PROOF_LIFE)
    except signing.BadSignature:
        return False
    return signed == str(link.pk)


def site_of(link: PatientLink, visit: Appointment | None) -> Site | None:
    """The site to call: of the visit, else one of the patient's."""
    return visit.site if visit is not None else link.patient.sites.order_by("name").first()


def closed_page(
    request: HttpRequest, token: str, closed: LinkClosed, *, sentence: str = ""
) -> HttpResponse:
    """The page that says precisely why the link does not open, with the number to call and, where
    that helps, the way to a new link. `sentence` is what to say instead of what would be said of a
    link to visits."""
    link = closed.link
    language = language_of(request, link.patient if link else None)
    words = WORDS[language]
    context = {
        "language": language,
        "words": words,
        "title": words[f"{closed.reason}_title"],
        "sentence": sentence or words[closed.reason],
        "site": site_of(link, link.appointment) if link else None,
        "sites": [] if link else Site.objects.order_by("name"),
        "renew_url": reverse("patient-new-link", args=[token])
        if link and link.purpose == PatientLink.Purpose.CARE and closed.reason in RENEWABLE
        else "",
    }
    status = 404 if closed.reason is Closed.UNKNOWN else 410
    return render(request, "reminders/care/closed.html", context, status=status)
