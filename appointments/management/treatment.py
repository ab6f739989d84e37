"""The options of commands that ask when a treatment fits: who, with what, where, by whom.

Read strictly: what does not fit is a CommandError that says what to write. Patients are named by
their ids only.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone

from appointments.claiming import checking
from appointments.refusals import Refused
from clinic import wall_time
from clinic.api_fields import FIRST_YEAR, LAST_YEAR
from clinic.models import ProtocolVersion, Resource, ResourceKind, Site
from clinic.protocols import loading as protocols
from patients.models import Patient


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--patient", required=True, help="the patient's id")
    parser.add_argument(
        "--protocol", required=True, help="a protocol's id, such as rf_microneedling"
    )
    parser.add_argument("--site", help="the site's slug; default: the patient's only one")
    parser.add_argument(
        "--area",
        nargs="+",
        action="extend",
        default=[],
        help="default: as in the patient's last series of it, else the one that takes longest",
    )
    parser.add_argument("--provider", default="", help="id or name; default: whoever fits")
    parser.add_argument(
        "--now", default="", help="plan as if it were this time; wall time of the site, or with Z"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, as the API answers")


def asked(options: Mapping[str, Any], tell: Callable[[str], object]) -> dict[str, Any]:
    """What every proposal is asked with: patient, site, version, areas, provider and now.

    `tell` is told what was chosen for want of a word. Raises CommandError.
    """
    patient = _patient(str(options["patient"]))
    site = _site(patient, options["site"])
    version = _version(options["protocol"])
    areas = _areas(version, options["area"]) or _usual_areas(patient, version)
    if not options["area"]:
        tell(f"No --area is named, so this is for {area_names(version, areas)}.")
    return {
        "patient": patient,
        "site": site,
        "version": version,
        "areas": areas,
        "provider": _provider(site, options["provider"]),
        "now": moment(options["now"], site.zone, "--now") or timezone.now(),
    }


def area_names(version: ProtocolVersion, areas: Sequence[str]) -> str:
    """In English, as they are printed."""
    known = protocols.get(version).applicability.areas
    return ", ".join(known[area].name.en for area in areas)


def moment(text: str, zone: str, option: str) -> datetime | None:
    """An instant, from wall time of `zone` or a time with its offset; None when none is given."""
    if not text:
        return None
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{option}: '{text}' is not a time; write 2027-03-12T10:00, or with Z for UTC."
        ) from None
    _in_range(written.year, option)
    if written.tzinfo is not None:
        return written.astimezone(timezone.get_default_timezone())
    try:
        return wall_time.resolve(written, zone)
    except (wall_time.WallTimeMissing, wall_time.WallTimeRepeats) as refused:
        raise CommandError(f"{option}: {refused.sentence} Or write it with its offset.") from None


def day(text: str, option: str) -> date | None:
    """A local date of the site; None when none is given."""
    if not text:
        return None
    try:
        written = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: '{text}' is not a date; write 2027-03-12.") from None
    _in_range(written.year, option)
    return written


def count(number: int, most: int, option: str) -> int:
    """A number from 1 to `most`."""
    if not 1 <= number <= most:
        raise CommandError(f"{option}: between 1 and {most}.")
    return number


def _in_range(year: int, option: str) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CommandError(f"{option}: a year between {FIRST_YEAR} and {LAST_YEAR}.")


def _patient(text: str) -> Patient:
    pk = int(text) if text.isdecimal() and len(text) < 19 else 0
    patient = Patient.objects.filter(pk=pk).first()
    if patient is None:
        raise CommandError(
            f"--patient: there is no patient '{text}'. Write the id in the address of their page."
        )
    return patient


def _site(patient: Patient, slug: str | None) -> Site:
    sites = {site.slug: site for site in patient.sites.order_by("slug")}
    if slug is None and len(sites) == 1:
        return next(iter(sites.values()))
    if slug in sites:
        return sites[slug]
    known = ", ".join(sites) or "none"
    if slug is None:
        raise CommandError(f"--site: the patient has several; choose one of {known}.")
    raise CommandError(f"--site: the patient is not at '{slug}'. Their sites: {known}.")


def _version(name: str) -> ProtocolVersion:
    versions = ProtocolVersion.objects.select_related("modality")
    found = versions.filter(protocol=name, status=ProtocolVersion.Status.APPROVED).first()
    if found is not None:
        return found
    if versions.filter(protocol=name).exists():
        raise CommandError(
            f"--protocol: no version of {name} is approved. Ask the clinical lead to approve one."
        )
    approved = versions.filter(status=ProtocolVersion.Status.APPROVED).order_by("protocol")
    known = ", ".join(approved.values_list("protocol", flat=True)) or "none yet"
    raise CommandError(f"--protocol: there is no '{name}'. Approved are: {known}.")


def _areas(version: ProtocolVersion, wanted: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(wanted))
    try:
        if chosen:
            checking.treatment_fits(protocols.get(version), chosen, 1)
    except Refused as refused:
        raise CommandError(f"--area: {refused.sentence}") from None
    return chosen


def _usual_areas(patient: Patient, version: ProtocolVersion) -> list[str]:
    """Those of the patient's last series of the protocol; else the one that takes longest, since
    where it fits every other one does."""
    known = protocols.get(version).applicability.areas
    series = patient.series.filter(protocol_version__protocol=version.protocol)
    last = series.order_by("-booked_at", "-pk").first()
    if last is not None and set(last.areas) <= set(known):
        return list(last.areas)
    return [max(known, key=lambda area: known[area].chair.minutes)]


def _provider(site: Site, text: str) -> Resource | None:
    if not text:
        return None
    here = Resource.objects.filter(
        Q(hours__site=site) | Q(hours_exceptions__site=site),
        kind=ResourceKind.PROVIDER,
        is_active=True,
    )
    rows = list(here.distinct().order_by("name", "pk"))
    folded = text.strip().casefold()
    found = [row for row in rows if str(row.pk) == text or row.name.casefold() == folded]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{row.pk} {row.name}" for row in found or rows) or "nobody"
    if found:
        raise CommandError(f"--provider: several have that name; choose by id of {known}.")
    raise CommandError(f"--provider: '{text}' does not work at {site.name}. There are: {known}.")
