"""The house of the demo: two sites in two zones, eight people, rooms, devices, protocols.

All numbers are of the range that is kept free for fiction (555-01xx), all addresses lie in the
`example` domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import make_password

from appointments.absences import blocks
from appointments.models import BlockKind
from clinic import demo_logins
from clinic.models import (
    Closure,
    Credential,
    Modality,
    OpeningHours,
    ProtocolVersion,
    ProviderHours,
    Resource,
    ResourceKind,
    Role,
    Site,
    SiteRole,
    Staff,
    TravelTime,
)
from clinic.protocols import loading
from clinic.protocols.schema import Protocol, Text
from clinic.wall_time import instant, local
from config.demo_data.holidays import holidays

HARBOUR, SUNSET = "harbour", "sunset"
SITES = (HARBOUR, SUNSET)

_WEEK = {
    **dict.fromkeys(range(5), (9 * 60, 19 * 60)),
    5: (9 * 60, 18 * 60),
    6: (10 * 60, 17 * 60),
}
_MON, _TUE, _WED, _THU, _FRI, _SAT, _SUN = range(7)
_EVERY_DAY = frozenset(range(7))

# (e-mail name, name, roles by site)
_STAFF = (
    ("frontdesk", "Ana Reyes", {HARBOUR: Role.FRONT_DESK, SUNSET: Role.FRONT_DESK}),
    ("desk.sunset", "Priya Shah", {SUNSET: Role.FRONT_DESK}),
    ("manager", "Mia Lindgren", {HARBOUR: Role.MANAGER, SUNSET: Role.MANAGER}),
    ("lead", "Dr Helena Novak", {HARBOUR: Role.CLINICAL_LEAD, SUNSET: Role.CLINICAL_LEAD}),
    ("provider", "Sam Okafor", {HARBOUR: Role.PROVIDER}),
    ("mei", "Mei Tanaka", {HARBOUR: Role.PROVIDER}),
    ("leo", "Leo Vargas", {SUNSET: Role.PROVIDER}),
    ("rosa", "Rosa Delgado", {SUNSET: Role.PROVIDER}),
)
# Who treats where on which weekdays; at each site two or more every day.
_WORKING: Mapping[str, Mapping[str, frozenset[int]]] = {
    "provider": {HARBOUR: _EVERY_DAY - {_SUN}},
    "mei": {HARBOUR: _EVERY_DAY - {_MON}},
    "leo": {SUNSET: _EVERY_DAY - {_SAT}},
    "rosa": {SUNSET: _EVERY_DAY - {_WED}},
    "lead": {
        HARBOUR: frozenset({_SUN, _MON, _TUE}),
        SUNSET: frozenset({_WED, _FRI, _SAT}),
    },
}
_ROOMS = {"treatment": 3, "laser": 2, "consult": 2}
_SERVICES = (
    ("toxin", Text("Toxin treatment", "Tratamiento con toxina"), "TX", 30, "treatment", 10),
    ("facial", Text("Facial", "Limpieza facial"), "FA", 45, "treatment", 10),
    ("call", Text("Video call", "Videollamada"), "CA", 15, "consult", 0),
)
_HOURS_BETWEEN_THE_COASTS = 9
# Of the provider whose credential runs out soon, so that a manager sees the warning.
_EXPIRING = ("mei", "ipl", timedelta(days=12))


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider with the weekdays at one site, and the last day of credentials that end."""

    resource: Resource
    weekdays: frozenset[int]
    until: Mapping[str, date]

    def may(self, modality: str, on: date) -> bool:
        return on.weekday() in self.weekdays and on <= self.until.get(modality, date.max)


@dataclass(slots=True)
class Place:
    """One site with everything that a visit there can hold."""

    site: Site
    providers: list[Provider] = field(default_factory=list)
    rooms: dict[str, list[Resource]] = field(default_factory=dict)
    devices: dict[str, list[Resource]] = field(default_factory=dict)
    closed: frozenset[date] = frozenset()

    def open_on(self, on: date) -> tuple[int, int] | None:
        """Opening hours in minutes of the wall clock."""
        return None if on in self.closed else _WEEK[on.weekday()]


@dataclass(slots=True)
class House:
    staff: dict[str, Staff]
    places: dict[str, Place]
    versions: dict[str, ProtocolVersion]

    def protocol(self, name: str) -> Protocol:
        return loading.get(self.versions[name])

    def front_desk(self, slug: str) -> Staff:
        return self.staff["desk.sunset" if slug == SUNSET else "frontdesk"]


def furnish(*, since: datetime, now: datetime) -> House:
    """Build the house as it stood at `since`, with absences around `now` (both UTC)."""
    sites = {site.slug: site for site in _sites(since, now)}
    TravelTime.objects.create(
        site=sites[HARBOUR], other=sites[SUNSET], minutes=_HOURS_BETWEEN_THE_COASTS * 60
    )
    staff = _staff(sites)
    loading.load_library(by=staff["lead"], now=since)
    versions = {
        version.protocol: loading.approve(version=version, by=staff["lead"], now=since, demo=True)
        for version in ProtocolVersion.objects.filter(status=ProtocolVersion.Status.DRAFT)
    }
    for slug, name, code, minutes, room_kind, clean_up in _SERVICES:
        versions[slug] = loading.create_service(
            id=slug,
            name=name,
            code=code,
            minutes=minutes,
            room_kind=room_kind,
            clean_up_minutes=clean_up,
            by=staff["manager"],
            now=since,
        )
    house = House(staff, {slug: Place(site) for slug, site in sites.items()}, versions)
    _closures(house, since=since, now=now)
    _providers(house, since=since, now=now)
    _rooms_and_devices(house)
    return house


def absences(house: House, *, since: datetime, now: datetime) -> None:
    """A provider's day off next week, and a device that is away for service around today."""
    harbour = house.places[HARBOUR]
    zone, today = harbour.site.zone, local(now, harbour.site.zone).date()
    day_off = today + timedelta(days=8)
    sam = next(p for p in harbour.providers if p.resource.staff == house.staff["provider"])
    blocks.block(
        site=harbour.site,
        resources=[sam.resource],
        kind=BlockKind.TIME_OFF,
        starts_at=instant(day_off, 0, zone),
        ends_at=instant(day_off, 24 * 60, zone),
        by=house.staff["manager"],
        now=since,
        reason="Day off",
    )
    blocks.block(
        site=harbour.site,
        resources=[harbour.devices["rf_microneedling"][-1]],
        kind=BlockKind.MAINTENANCE,
        starts_at=instant(today - timedelta(days=2), 8 * 60, zone),
        ends_at=instant(today + timedelta(days=5), 18 * 60, zone),
        by=house.staff["manager"],
        now=since,
        reason="Yearly service",
    )


def _sites(since: datetime, now: datetime) -> Iterator[Site]:
    for slug, name, zone, address, area, sms_name in (
        (
            HARBOUR,
            "Harbour Skin Clinic",
            "America/New_York",
            "14 Harbour Street, New York, NY",
            "212",
            "Harbour Skin",
        ),
        (
            SUNSET,
            "Sunset Skin Clinic",
            "America/Los_Angeles",
            "2200 Sunset Walk, Los Angeles, CA",
            "310",
            "Sunset Skin",
        ),
    ):
        site = Site.objects.create(
            slug=slug,
            name=name,
            zone=zone,
            address=address,
            phone=f"+1{area}5550100",
            sms_name=sms_name,
            sms_number=f"+1{area}5550101",
            canary_number=f"+1{area}5550199",
            email_address=f"{slug}@demo.example",
            reply_to=f"desk.{slug}@demo.example",
            live_from=since,
            # What is lacking stops nobody on the day that is shown, and is asked for the next ones.
            clearance_from=local(now, zone).date() + timedelta(days=1),
            notice_hold_seconds=10,
        )
        OpeningHours.objects.bulk_create(
            OpeningHours(site=site, weekday=day, opens=opens, closes=closes)
            for day, (opens, closes) in _WEEK.items()
        )
        yield site


def _staff(sites: Mapping[str, Site]) -> dict[str, Staff]:
    staff = {}
    hashed = make_password(demo_logins.PASSWORD)  # once: hashing is slow on purpose
    for key, name, roles in _STAFF:
        staff[key] = Staff.objects.create(email=f"{key}@demo.example", password=hashed, name=name)
        SiteRole.objects.bulk_create(
            SiteRole(staff=staff[key], site=sites[slug], role=role) for slug, role in roles.items()
        )
    return staff


def _closures(house: House, *, since: datetime, now: datetime) -> None:
    """The holidays from the first visit on, and a training day in five weeks, at each site. A
    holiday that is today is none: the demo shows a day of work."""
    for place in house.places.values():
        today = local(now, place.site.zone).date()
        closed = {
            day: reason
            for year in range(since.year, now.year + 2)
            for day, reason in holidays(year)
            if day != today
        }
        training = today + timedelta(days=36)
        closed[training] = closed.get(training, "Staff training")
        Closure.objects.bulk_create(
            Closure(site=place.site, first_day=day, last_day=day, reason=reason)
            for day, reason in closed.items()
        )
        place.closed = frozenset(closed)


def _providers(house: House, *, since: datetime, now: datetime) -> None:
    modalities = list(Modality.objects.order_by("slug"))
    for key, working in _WORKING.items():
        staff = house.staff[key]
        resource = Resource.objects.create(
            kind=ResourceKind.PROVIDER,
            name=staff.name,
            site=house.places[next(iter(working))].site,
            staff=staff,
        )
        until = {_EXPIRING[1]: now.date() + _EXPIRING[2]} if key == _EXPIRING[0] else {}
        Credential.objects.bulk_create(
            Credential(
                provider=resource,
                modality=modality,
                valid_from=since.date() - timedelta(days=300),
                valid_until=until.get(modality.slug, now.date() + timedelta(days=420)),
            )
            for modality in modalities
        )
        for slug, weekdays in working.items():
            place = house.places[slug]
            place.providers.append(Provider(resource, weekdays, until))
            ProviderHours.objects.bulk_create(
                ProviderHours(
                    provider=resource,
                    site=place.site,
                    weekday=day,
                    starts=_WEEK[day][0],
                    ends=_WEEK[day][1],
                )
                for day in sorted(weekdays)
            )


def _rooms_and_devices(house: House) -> None:
    for place in house.places.values():
        for kind, count in _ROOMS.items():
            place.rooms[kind] = [
                Resource.objects.create(
                    kind=ResourceKind.ROOM,
                    name=f"{kind.capitalize()} {number}",
                    site=place.site,
                    room_kind=kind,
                )
                for number in range(1, count + 1)
            ]
        for protocol, version in house.versions.items():
            if house.protocol(protocol).resources.device is not None:
                count = 2 if protocol == "rf_microneedling" else 1
                place.devices[protocol] = [_device(place, version, n) for n in range(1, count + 1)]


def _device(place: Place, version: ProtocolVersion, number: int) -> Resource:
    code = version.modality.code
    return Resource.objects.create(
        kind=ResourceKind.DEVICE,
        name=f"{version.name} {number}",
        site=place.site,
        modality=version.modality,
        serial=f"{code}-{place.site.slug[0].upper()}{number}",
    )
