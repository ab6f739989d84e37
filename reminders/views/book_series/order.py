"""From what was chosen to the rows behind it, for every step of the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext

from appointments.finding.plans import Preference
from clinic import access
from clinic.access import Capability
from clinic.models import ProtocolVersion, Resource, ResourceKind, Site, Staff
from clinic.protocols import loading as protocols
from clinic.protocols.schema import Protocol
from clinic.reader_language import reader_language
from clinic.views.current_site import current_site
from patients.models import Patient
from reminders.views.book_series.draft import Draft

Missing = list[tuple[str, str]]


def booking_at(request: HttpRequest) -> tuple[Site, Staff]:
    """The site of the page and who books. Raises Forbidden unless they may."""
    site, by = current_site(request), cast(Staff, request.user)
    access.require(by, Capability.BOOK, site)
    return site, by


def to_dates(site: Site, draft: Draft, *, look: str = "") -> HttpResponseRedirect:
    """The plan of a draft, at its own address; `look` opens one session's day."""
    query = f"site={site.slug}&{draft.query}"
    if look:
        query += f"&look={look}"
    return HttpResponseRedirect(f"{reverse('book-series-dates')}?{query}", status=303)


def providers(site: Site) -> QuerySet[Resource]:
    """Who works at a site."""
    here = Resource.objects.filter(kind=ResourceKind.PROVIDER, is_active=True, hours__site=site)
    return here.distinct().order_by("name")


def free_of(draft: Draft, site: Site) -> Resource | None:
    """Whose free time the booking began with; None when it is nobody of the site."""
    if draft.free_time is None:
        return None
    here = Q(hours__site=site) | Q(hours_exceptions__site=site) | Q(site=site)
    found = Resource.objects.exclude(kind=ResourceKind.PATIENT).filter(here, is_active=True)
    return found.filter(pk=draft.free_time.resource).distinct().first()


@dataclass(frozen=True, slots=True)
class Order:
    """A draft whose patient, treatment and wishes were found."""

    draft: Draft
    site: Site
    patient: Patient
    version: ProtocolVersion
    protocol: Protocol
    provider: Resource | None
    preference: Preference
    free_of: Resource | None


def order(draft: Draft, site: Site, by: Staff) -> Order | Missing:
    """The rows of a draft, or what is missing as (field, sentence). 404 for what is not theirs."""
    missing: Missing = []
    if draft.patient_id is None:
        missing.append(("find-patient", gettext("Choose a patient.")))
    if draft.version_id is None:
        missing.append(("treatment", gettext("Choose a treatment.")))
    elif not draft.areas:
        missing.append((f"areas_{draft.version_id}", gettext("Choose at least one area.")))
    preference = Preference()
    try:
        preference = draft.preference
    except ValueError:
        missing.append(("latest", gettext("The latest start must not lie before the earliest.")))
    if missing:
        return missing
    patient = get_object_or_404(Patient.objects.seen_by(by), pk=draft.patient_id)
    version = get_object_or_404(
        ProtocolVersion.objects.select_related("modality"),
        pk=draft.version_id,
        status=ProtocolVersion.Status.APPROVED,
    )
    protocol = protocols.get(version)
    if not set(draft.areas) <= set(protocol.applicability.areas):
        return [
            (
                f"areas_{version.pk}",
                gettext("Choose areas of %(protocol)s.")
                % {"protocol": protocol.name.get(reader_language())},
            )
        ]
    provider = providers(site).filter(pk=draft.provider_id).first() if draft.provider_id else None
    sessions = draft.sessions or protocol.sessions_for(draft.areas).typical
    whose = free_of(draft, site)
    draft = replace(draft, sessions=sessions, free_time=draft.free_time if whose else None)
    return Order(draft, site, patient, version, protocol, provider, preference, whose)
