"""/p/<token>/photos/: photos that a patient sends, behind their birth date. GET changes nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from appointments import links
from appointments.models import Photo, PhotoSource
from appointments.photos import adding, preparing
from appointments.photos.adding import NoPhotoConsent, PhotoKnown, TooManyWaiting
from appointments.photos.preparing import PictureRefused
from appointments.views.photos import content_of
from clinic.body_limits import takes_up_to
from clinic.models import ConsentPurpose
from patients.models import Patient
from patients.signing import asking
from reminders.patient_pages.language import language_of
from reminders.patient_pages.self_service import for_patients, is_proved, site_of
from reminders.wording.photo_words import PHOTO_WORDS

MOST_AT_ONCE = 6


@takes_up_to(MOST_AT_ONCE * preparing.MOST_BYTES)
@for_patients
@require_http_methods(["GET", "HEAD", "POST"])
def photos(request: HttpRequest, token: str) -> HttpResponse:
    """POST keeps what was sent; a file that is refused is named, the others are kept."""
    now = timezone.now()
    link = links.open(token, now=now)
    site = site_of(link, link.appointment)
    if not is_proved(request, link) or site is None:
        return HttpResponseRedirect("../")
    patient = link.patient
    language = language_of(request, patient)
    words = PHOTO_WORDS[language]
    problems: list[str] = []
    kept, is_full = 0, False
    if request.method == "POST":
        files = request.FILES.getlist("files")
        problems = [words["none"]] if not files else []
        for number, file in enumerate(files[:MOST_AT_ONCE], 1):
            try:
                adding.receive(
                    patient=patient,
                    site=site,
                    content=content_of(file),
                    now=now,
                    appointment=link.appointment,
                )
                kept += 1
            except (PictureRefused, NoPhotoConsent, PhotoKnown, TooManyWaiting) as refused:
                problems.append(_said(refused, number, words))
                is_full = is_full or isinstance(refused, TooManyWaiting)
        # Who is told to send more later is not asked to send the others now.
        if (others := len(files[MOST_AT_ONCE:])) and not is_full:
            problems.append(words["too_many"].format(MOST_AT_ONCE, others))
        if not problems:
            return HttpResponseRedirect(f"{request.path}?sent={kept}", status=303)
    context = {
        "language": language,
        "words": words,
        "site": site,
        "may_send": asking.agrees(patient.pk, ConsentPurpose.PHOTOS_RECORD, now=now),
        "problems": problems,
        "sent": (sent := kept if problems else _sent(request, patient)),
        "thanks": words["thanks"].format(sent),
        "hint": words["hint"].format(MOST_AT_ONCE, preparing.MOST_BYTES // 1024 // 1024),
    }
    return render(request, "reminders/care/photos.html", context, status=422 if problems else 200)


def _said(refused: Exception, number: int, words: dict[str, str]) -> str:
    reason = getattr(refused, "reason", "") or getattr(refused, "code", "")
    return words["file"].format(number, words[reason])


def _sent(request: HttpRequest, patient: Patient) -> int:
    """How many were just sent; nobody is thanked for more than there are."""
    count = request.GET.get("sent", "")
    there = Photo.objects.standing().filter(patient=patient, source=PhotoSource.PATIENT).count()
    return min(int(count[:2]), there) if count.isdigit() else 0
