"""Every way in which a typed place can be wrong has its own sentence, its field and a way out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.utils.translation import override

from appointments.finding import out_of_hours
from appointments.finding.availability import Facts
from appointments.finding.needs import PATIENT, PROVIDER, ROOM, Need, Window
from appointments.finding.working_time import ProviderTime, SiteTime
from appointments.models import TreatmentSeries
from appointments.proposing.places import VisitWish
from appointments.refusals import (
    CredentialExpired,
    IntervalTooLong,
    IntervalTooShort,
    NotAligned,
    OutsideHours,
    WrongResource,
)
from clinic.models import (
    Closure,
    Credential,
    HoursException,
    Modality,
    ProtocolVersion,
    ProviderHours,
    Resource,
    ResourceKind,
    Site,
    Staff,
)
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, Book, Wish, at
from tests.appointments.proposing.conftest import DAY, NEW_YORK, offered
from tests.personas import a_patient

pytestmark = pytest.mark.django_db


# --- Hours, closures, exceptions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "said", "instead"),
    [
        (
            "08:00",
            "Harbour Skin Clinic is open 09:00-18:00 on Thu 4 Mar; this visit would hold Sam Okafor"
            " 07:55-09:40. It can start from 09:05 to 16:10.",
            ["09:05"],
        ),
        (
            "16:15",
            "Harbour Skin Clinic is open 09:00-18:00 on Thu 4 Mar; this visit would hold Room 1"
            " 16:10-18:05. It can start from 09:05 to 16:10.",
            ["16:10"],
        ),
    ],
)
def test_outside_hours_says_the_hours_what_would_be_held_and_when_it_can_start(
    book: Book, wish: Wish, wall: str, said: str, instead: list[str]
) -> None:
    with pytest.raises(OutsideHours) as refusal:
        book(wish(FIRST, wall))
    assert refusal.value.sentence == said
    assert offered(refusal.value) == instead
    book(wish(FIRST, instead[0]))


def test_over_a_lunch_break_the_start_before_and_the_one_after_are_offered(
    book: Book, wish: Wish, treatment_provider: Resource, site: Site
) -> None:
    treatment_provider.hours.update(ends=12 * 60)
    ProviderHours.objects.bulk_create(
        ProviderHours(
            provider=treatment_provider, site=site, weekday=day, starts=13 * 60, ends=18 * 60
        )
        for day in range(6)
    )
    with pytest.raises(OutsideHours) as refusal:
        book(wish(FIRST, "11:00"))
    assert "works 09:00-12:00 and 13:00-18:00 on Thu 4 Mar" in refusal.value.sentence
    assert "from 09:05 to 10:20 or from 13:05 to 16:10" in refusal.value.sentence
    assert offered(refusal.value) == ["10:20", "13:05"]


Change = Callable[[Site, Resource], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda site, _: Closure.objects.create(
                site=site, first_day=FIRST, last_day=FIRST, reason="Staff day"
            ),
            "Harbour Skin Clinic is closed on Thu 4 Mar (Staff day). Choose another date or"
            " provider.",
        ),
        (
            lambda site, _: HoursException.objects.create(
                site=site, day=FIRST, starts=600, ends=840, reason="stocktaking"
            ),
            "Harbour Skin Clinic is open 10:00-14:00 on Thu 4 Mar (stocktaking); this visit would"
            " hold Sam Okafor 09:55-11:40. It can start from 10:05 to 12:10.",
        ),
        (
            lambda site, _: HoursException.objects.create(site=site, day=FIRST, reason="Storm"),
            "Harbour Skin Clinic is closed on Thu 4 Mar (Storm). Choose another date or provider.",
        ),
        (
            lambda site, sam: HoursException.objects.create(site=site, provider=sam, day=FIRST),
            "Sam Okafor does not work on Thu 4 Mar. Choose another date or provider.",
        ),
        (
            lambda site, sam: HoursException.objects.create(
                site=site, provider=sam, day=FIRST, reason="Conference"
            ),
            "Sam Okafor does not work on Thu 4 Mar (Conference). Choose another date or provider.",
        ),
        (
            lambda site, sam: HoursException.objects.create(
                site=site, provider=sam, day=FIRST, starts=9 * 60, ends=10 * 60
            ),
            "Sam Okafor works 09:00-10:00 on Thu 4 Mar; this visit would hold Sam Okafor"
            " 09:55-11:40, and no start of that day fits. Choose another date or provider.",
        ),
    ],
)
def test_a_day_that_is_not_as_usual_says_why(
    change: Change,
    said: str,
    book: Book,
    wish: Wish,
    site: Site,
    treatment_provider: Resource,
) -> None:
    change(site, treatment_provider)
    with pytest.raises(OutsideHours) as refusal:
        book(wish(FIRST))
    assert refusal.value.sentence == said


def test_to_five_with_forty_five_minutes_and_ten_of_clean_up_the_last_start_is_five_past_four() -> (
    None
):
    week = tuple((day, 9 * 60, 17 * 60) for day in range(5))
    facts = Facts(
        site=SiteTime("Harbour", NEW_YORK, week),
        need=Need(9, {PROVIDER: Window(0, 0), ROOM: Window(0, 2), PATIENT: Window(0, 0)}),
        pools={PROVIDER: (1,), ROOM: (2,), PATIENT: (3,)},
        providers={1: ProviderTime(week, ((date(2020, 1, 1), None),))},
        busy={},
        not_before=at(FIRST, "00:00"),
        first_day=FIRST,
        last_day=FIRST,
    )
    chosen, names = {PROVIDER: 1, ROOM: 2}, {1: "Sam", 2: "Room 1"}

    def told(wall: str) -> OutsideHours | None:
        return out_of_hours.hours(facts, chosen, names, at(FIRST, wall))

    assert told("16:05") is None
    late = told("16:10")
    assert late is not None and late.sentence == (
        "Harbour is open 09:00-17:00 on Thu 4 Mar; this visit would hold Room 1 16:10-17:05."
        " It can start from 09:00 to 16:05."
    )
    assert offered(late) == ["16:05"]


# --- Credentials, intervals, alignment ------------------------------------------------------------


@pytest.mark.parametrize(
    ("valid", "said", "earliest", "latest"),
    [
        (
            [(date(2025, 1, 1), FIRST - DAY)],
            "ended on Wed 3 Mar; this visit would be on Thu 4 Mar. Choose an earlier date or"
            " another provider.",
            *(None, FIRST - DAY),
        ),
        (
            [(FIRST + DAY, None)],
            "begins on Fri 5 Mar; this visit would be on Thu 4 Mar. Choose a later date or another"
            " provider.",
            *(FIRST + DAY, None),
        ),
        (
            [(date(2024, 1, 1), date(2026, 12, 31)), (date(2027, 3, 20), None)],
            "ended on Thu 31 Dec 2026 and begins again on Sat 20 Mar; this visit would be on Thu"
            " 4 Mar. Choose an earlier date or a later date or another provider.",
            *(date(2027, 3, 20), date(2026, 12, 31)),
        ),
    ],
)
def test_a_credential_says_when_it_ended_and_begins(
    valid: list[tuple[date, date | None]],
    said: str,
    earliest: date | None,
    latest: date | None,
    book: Book,
    wish: Wish,
    treatment_provider: Resource,
    modality: Modality,
) -> None:
    treatment_provider.credentials.all().delete()
    for first, last in valid:
        Credential.objects.create(
            provider=treatment_provider, modality=modality, valid_from=first, valid_until=last
        )
    with pytest.raises(CredentialExpired) as refusal:
        book(wish(FIRST))
    assert refusal.value.sentence == f"Sam Okafor's credential for RF microneedling {said}"
    assert (refusal.value.earliest, refusal.value.latest) == (earliest, latest)


@pytest.mark.parametrize("valid_until", [FIRST, None])
def test_on_its_last_day_a_credential_still_holds(
    valid_until: date | None, book: Book, wish: Wish, treatment_provider: Resource
) -> None:
    treatment_provider.credentials.update(valid_until=valid_until)
    assert book(wish(FIRST)).appointments.count() == 1


def test_an_interval_is_refused_when_it_is_one_day_short_or_one_day_long(
    book: Book, wish: Wish
) -> None:
    with pytest.raises(IntervalTooShort, match="at least 21") as short:
        book(wish(FIRST), wish(FIRST + 20 * DAY))
    assert short.value.earliest == FIRST + 21 * DAY
    with pytest.raises(IntervalTooLong, match="at most 42") as long:
        book(wish(FIRST), wish(FIRST + 43 * DAY))
    assert long.value.latest == FIRST + 42 * DAY
    assert book(wish(FIRST), wish(FIRST + 21 * DAY)).appointments.count() == 2


@pytest.mark.parametrize(
    ("wall", "instead"), [("10:03", ["10:00", "10:05"]), ("09:59", ["09:55", "10:00"])]
)
def test_a_start_off_the_five_minutes_is_answered_with_both_neighbours(
    wall: str, instead: list[str], book: Book, wish: Wish
) -> None:
    with pytest.raises(NotAligned) as refusal:
        book(wish(FIRST, wall))
    assert refusal.value.sentence == (
        f"A visit starts on full five minutes. Choose {' or '.join(instead)}."
    )
    assert offered(refusal.value) == instead


# --- Rooms, devices, providers --------------------------------------------------------------------


def test_a_resource_that_does_not_suit_says_why_and_those_of_other_sites_are_not_told_of(
    book: Book,
    wish: Wish,
    site: Site,
    other_site: Site,
    room: Resource,
    modality: Modality,
    patient: Patient,
    outsider: Staff,
) -> None:
    laser = Modality.objects.create(slug="laser", name="Fractional laser", code="FL")

    def made(kind: ResourceKind, name: str, **fields: Any) -> int:
        return Resource.objects.create(kind=kind, name=name, **{"site": site, **fields}).pk

    cases = [
        ("room", made(ResourceKind.ROOM, "Cave", room_kind="laser"),
         "Cave is a laser room; RF microneedling needs a treatment room."),
        ("room", made(ResourceKind.ROOM, "Attic", room_kind="treatment", is_active=False),
         "Attic is out of use."),
        ("room", made(ResourceKind.DEVICE, "Needle 2", modality=modality),
         "Needle 2 is a device, not a room."),
        ("room", patient.resource_id, "This room is not at Harbour Skin Clinic."),
        ("device", made(ResourceKind.DEVICE, "Alex", modality=laser),
         "Alex is for Fractional laser, not for RF microneedling."),
        ("device", made(ResourceKind.DEVICE, "Away", modality=modality, site=other_site),
         "This device is not at Harbour Skin Clinic."),
        ("device", None, "RF microneedling needs a device."),
        ("device", 2**62, "This device is not at Harbour Skin Clinic."),
        ("provider", made(ResourceKind.PROVIDER, "Olga", site=other_site),
         "This provider is not at Harbour Skin Clinic."),
    ]  # fmt: skip
    untrained = made(ResourceKind.PROVIDER, "Ines Roth")
    ProviderHours.objects.create(
        provider_id=untrained, site=site, weekday=3, starts=9 * 60, ends=18 * 60
    )
    cases.append(("provider", untrained, "Ines Roth has no credential for RF microneedling."))
    own = made(ResourceKind.ROOM, "Sala 2", room_kind="own_kind")
    with override("es"), pytest.raises(WrongResource) as told:
        book(replace(wish(FIRST), room_id=own))
    assert "own kind" in told.value.sentence and "tipo tratamiento" in told.value.sentence
    for kind, pk, said in cases:
        place = wish(FIRST)
        ids = {
            "provider": place.provider_id,
            "room": place.room_id,
            "device": place.device_id,
            kind: pk,
        }
        with pytest.raises(WrongResource) as refusal:
            book(VisitWish(place.starts_at, ids["provider"], ids["room"], ids["device"]))  # type: ignore[arg-type]
        assert refusal.value.sentence.startswith(said)
        assert "hoose" in refusal.value.sentence
        assert refusal.value.field == kind


# --- Which of several -----------------------------------------------------------------------------


@CLOCK
@pytest.mark.parametrize(
    ("changes", "code", "status", "field"),
    [
        ({"starts_at": {"wall": "2027-03-14T02:30"}}, "wall_time_missing", 400, "starts_at"),
        ({"starts_at": {"wall": "2027-04-01T20:00"}}, "outside_hours", 400, "starts_at"),
        ({"starts_at": {"wall": "2027-04-01T10:01"}}, "not_aligned", 400, "starts_at"),
        ({"starts_at": {"wall": "2027-03-11T10:00"}}, "interval_too_short", 400, "starts_at"),
        ({"starts_at": {"wall": "2027-04-30T10:00"}}, "interval_too_long", 400, "starts_at"),
        ({"room": 2**40}, "wrong_resource", 400, "room"),
        ({"starts_at": {"wall": "2027-04-02T10:00"}}, "slot_taken", 409, "starts_at"),
    ],
)
def test_the_field_of_an_error_names_which_of_the_visits_is_meant(
    changes: dict[str, Any],
    code: str,
    status: int,
    field: str,
    book: Book,
    wish: Wish,
    patient: Patient,
    house: ProtocolVersion,
    site: Site,
    front_desk: Staff,
    now: datetime,
) -> None:
    place = wish(FIRST)
    held = {"provider": place.provider_id, "room": place.room_id, "device": place.device_id}
    other = a_patient(
        site, front_desk, now, given="Noor", phone="+12125550166", email="n@p.example"
    )
    book(wish(date(2027, 4, 2)), patient=other)
    visits = [
        {"starts_at": {"wall": "2027-03-04T10:00"}, **held},
        {"starts_at": {"wall": "2027-04-01T10:00"}, **held, **changes},
    ]
    treatment = {"patient": patient.pk, "site": site.pk, "protocol": house.pk, "areas": ["face"]}
    body = {**treatment, "visits": visits}
    refused(api(front_desk).post("/api/v1/series/", body), status, code, f"visits.1.{field}")
    if not code.startswith("interval"):
        refused(api(front_desk).post("/api/v1/holds/", body), status, code, f"visits.1.{field}")
    assert not TreatmentSeries.objects.filter(patient=patient).exists()
