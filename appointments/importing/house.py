"""What the rows of a file are read against: the site's treatments, people, rooms and devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

import phonenumbers

from appointments.finding.needs import need_of
from appointments.finding.ticks import TICK_SECONDS
from appointments.importing.dates import Order
from appointments.importing.nearest import Lookup
from appointments.importing.rows import House, Treatment
from appointments.models import Import
from clinic.models import (
    HoursException,
    ProtocolVersion,
    ProviderHours,
    Resource,
    ResourceKind,
    Site,
)
from clinic.protocols import loading as protocols
from clinic.saying import noop
from patients import contacts, registration


def of(source: Import, *, now: datetime) -> House:
    """What reading needs of the site of an import, in a few queries."""
    site = source.site
    resources = list(Resource.objects.filter(is_active=True).exclude(kind=ResourceKind.PATIENT))
    here = _working_at(site)

    def named(what: str, kind: str, is_here: Callable[[Resource], bool]) -> Lookup[int]:
        rows = [each for each in resources if each.kind == kind and is_here(each)]
        return Lookup(what, ((each.name, each.pk) for each in rows))

    return House(
        zone=site.zone,
        now=now,
        order=Order(source.date_order) if source.date_order else None,
        phone=partial(contacts.as_e164, region=region_of(site)),
        email=contacts.as_address,
        person=partial(_checked, now=now),
        treatments=Lookup(noop("treatment"), _treatments()),
        providers=named(noop("provider"), ResourceKind.PROVIDER, lambda each: each.pk in here),
        rooms=named(noop("room"), ResourceKind.ROOM, lambda each: each.site_id == site.pk),
        devices=named(noop("device"), ResourceKind.DEVICE, lambda each: each.site_id == site.pk),
    )


def region_of(site: Site) -> str:
    """The country whose numbers are written without a code here: that of the site's own number."""
    try:
        number = phonenumbers.parse(site.phone, contacts.HOME_REGION)
    except phonenumbers.NumberParseException:
        return contacts.HOME_REGION
    return phonenumbers.region_code_for_number(number) or (
        phonenumbers.region_code_for_country_code(number.country_code or 1)
    )


def _working_at(site: Site) -> set[int]:
    hours = ProviderHours.objects.filter(site=site).values_list("provider", flat=True)
    days = HoursException.objects.filter(site=site).values_list("provider", flat=True)
    return {pk for pk in (*hours, *days) if pk is not None}


def _treatments() -> list[tuple[str, Treatment]]:
    """Every protocol in use, by its id and by its names."""
    found = []
    for version in ProtocolVersion.objects.filter(status=ProtocolVersion.Status.APPROVED):
        protocol = protocols.get(version)
        areas = protocol.applicability.areas
        treatment = Treatment(
            version=version.pk,
            slug=protocol.id,
            areas=Lookup(
                noop("area"),
                (
                    (name, slug)
                    for slug, area in areas.items()
                    for name in (area.name.en, area.name.es, slug)
                ),
            ),
            only_area=next(iter(areas)) if len(areas) == 1 else "",
            minutes=lambda areas, protocol=protocol: (  # type: ignore[misc]
                need_of(protocol, areas).body * TICK_SECONDS // 60
            ),
        )
        names = dict.fromkeys((protocol.name.en, protocol.name.es, protocol.id))
        found += [(name, treatment) for name in names]
    return found


def _checked(person: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
    """The rules of the front desk for a whole patient. Raises RegistrationRefused."""
    return registration.as_columns(columns_of(person), now=now)


def columns_of(person: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a patient, of the values of a row."""
    return {
        "legal_given": person["given"],
        "legal_family": person["family"],
        "preferred_name": person.get("preferred", ""),
        "birth_date": date.fromisoformat(person["birth_date"]),
        "language": person.get("language") or "en",
        "zone": person.get("zone", ""),
        "quiet_from": None,
        "quiet_until": None,
        "notes": person.get("notes", ""),
    }
