"""/patients/<id>/: who the patient is and the whole journey, each row with its why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from appointments.charting import courses
from clinic import access
from clinic.access import Capability
from clinic.models import Staff
from clinic.views.current_site import current_site
from clinic.views.looking import lists, shows
from clinic.views.row_id import row_id
from clinic.wall_time import local
from patients.forms import CONSENTS
from patients.models import ContactConsent, ContactPoint, Patient, Purpose
from reminders.channels import agreements
from reminders.models import ArchivedMessage, Suppression
from reminders.views import forms_panel, patient_course, patient_screening, timeline
from reminders.views.patient_list import progress_of, remember
from reminders.views.records import asking
from reminders.views.timeline import Kind

ALL = "all"
WORDS = {
    ALL: _("All"),
    Kind.VISITS: _("Visits"),
    Kind.MESSAGES: _("Messages"),
    Kind.TASKS: _("Tasks"),
    Kind.PHOTOS: _("Photos"),
    Kind.FORMS: _("Forms"),
    Kind.LOG: _("Logs"),
    Kind.AUDIT: _("Audit"),
}
# Nobody presses “more” so often.
MOST_TIMES = 100


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One purpose on one channel: the consent that is open, else the one that was closed last."""

    purpose: str
    channel: str
    latest: ContactConsent | None

    @property
    def is_open(self) -> bool:
        return self.latest is not None and self.latest.closed_at is None

    @property
    def is_unheeded(self) -> bool:
        """Agreed to, and yet no e-mail names a treatment."""
        names_treatment = self.purpose == Purpose.PHI_DETAIL and self.is_open
        return names_treatment and not agreements.mail_may_name_treatment()


@dataclass(frozen=True, slots=True)
class Contact:
    """A number or address, and why it must not be written to, if so."""

    point: ContactPoint
    suppressed: Suppression | None


@require_GET
def patient_page(request: HttpRequest, patient_id: int) -> HttpResponse:
    """`?show=` is one kind of row, else all of them; `?more=2` shows more, asked for twice."""
    staff, now = cast(Staff, request.user), timezone.now()
    seen = Patient.objects.seen_by(staff).prefetch_related("sites")
    patient = seen.filter(pk=patient_id).first()
    if patient is None:
        return redirect("patient", asking.merged_into(request, patient_id).pk)
    shows(request, patient, patient_id=patient.pk)
    remember(request, patient.pk)
    site = current_site(request)
    kinds = _kinds(staff, patient)
    show = request.GET.get("show", ALL)
    show = show if show in kinds else ALL
    more = min(row_id(request.GET.get("more", "")), MOST_TIMES)
    visits, every = timeline.visits_of(patient), courses.all_series(patient.pk)
    under_way = [each for each in reversed(every) if each.closed_at is None]
    panels = forms_panel.of_patient(patient, every, access.capabilities(staff, site), now=now)
    journey = timeline.timeline(
        patient=patient,
        visits=visits,
        forms=panels["forms"]["history"],
        staff=staff,
        now=now,
        kinds=timeline.TOGETHER if show == ALL else (Kind(show),),
        more=more,
    )
    record = asking.panel(patient, staff, now=now)
    lists(request, (each.pk for each, _ in record["alike"]), site_id=None)
    context = {
        "patient": patient,
        "site": site,
        "now": now,
        "age": patient.age_on(local(now, site.zone).date()),
        "contacts": _contacts(patient),
        "consents": _consents(patient),
        "back": request.path,
        "progress": progress_of(under_way, visits),
        "timeline": journey,
        "tabs": [(each, WORDS[each], journey.counts.get(each)) for each in kinds],
        "more": more + 1,
        "archived": ArchivedMessage.objects.filter(patient=patient).count(),
        "show": show,
        "is_being_planned": patient.planned_revision != patient.revision,
        "may_edit": asking.may(staff, Capability.EDIT_PATIENTS, patient),
        **panels,
        **patient_course.context(patient, every, staff, now),
        **patient_screening.context(patient, every, visits, now),
        "may_book": access.can(staff, Capability.BOOK, site) and patient.erased_at is None,
        "record": record,
    }
    return render(request, "reminders/patient_page/patient_page.html", context)


def _kinds(staff: Staff, patient: Patient) -> list[str]:
    """What of the journey `staff` may choose to see alone."""
    may_audit = asking.may(staff, Capability.SEE_AUDIT, patient)
    return [each for each in WORDS if each != Kind.AUDIT or may_audit]


def _contacts(patient: Patient) -> list[Contact]:
    points = list(patient.contact_points.filter(retired_at=None, guardian=None))
    stops = {
        each.address: each
        for each in Suppression.objects.filter(
            address__in=[point.value for point in points], lifted_at=None
        ).select_related("by")
    }
    return [Contact(point, stops.get(point.value)) for point in points]


def _consents(patient: Patient) -> Sequence[ConsentLine]:
    given = patient.consents.select_related("opened_by", "closed_by").order_by("opened_at", "id")
    latest = {(each.purpose, each.channel): each for each in given}
    return [ConsentLine(*pair, latest.get(pair)) for pair in CONSENTS]
