"""How a site plans: changed by who manages it, within limits, and with effect on the plans."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from appointments import proposing
from appointments.absences import blocks
from appointments.models import BlockKind, SchedulingSettings
from appointments.proposing import tuning
from appointments.proposing.tuning import SettingsChanged, SettingsRefused
from clinic.access import Forbidden
from clinic.models import (
    AuditEntry,
    HoursException,
    ProtocolVersion,
    ProviderHours,
    Resource,
    Role,
    Site,
    Staff,
)
from patients.models import Patient
from tests.api import CLOCK, api, refused
from tests.appointments.conftest import FIRST, SECOND, at
from tests.appointments.test_constraints import refused as refused_by_database
from tests.personas import provider_resource, staff_at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_a_site_has_the_defaults_until_it_is_tuned_and_keeps_what_is_left_out(
    site: Site, manager: Staff, now: datetime
) -> None:
    assert tuning.settings_of(site=site, by=manager).other_provider == 15
    assert not SchedulingSettings.objects.exists()
    tuning.tune(site=site, changes={"other_provider": 2, "hold_minutes": 9}, by=manager, now=now)
    tuning.tune(site=site, changes={"early": 0.5, "hold_minutes": 9}, by=manager, now=now)
    row = SchedulingSettings.objects.get()
    assert (row.other_provider, row.hold_minutes, row.early, row.late) == (2, 9, 0.5, 1)
    trail = AuditEntry.objects.filter(action="settings.tune", site=site).order_by("id")
    assert [(entry.by, entry.before, entry.after) for entry in trail] == [
        (
            manager,
            {"other_provider": 15.0, "hold_minutes": 5},
            {"other_provider": 2, "hold_minutes": 9},
        ),
        (manager, {"early": 1.5}, {"early": 0.5}),
    ]


def test_who_saves_upon_old_values_is_told_what_stands_and_changes_nothing(
    site: Site, manager: Staff, now: datetime
) -> None:
    tuning.tune(site=site, changes={"early": 4, "late": 2}, by=manager, now=now)
    with pytest.raises(SettingsChanged) as told:
        tuning.tune(
            site=site,
            changes={"early": 3, "late": 2, "finish": 1},
            seen={"early": 1.5, "late": 1, "finish": 0.05},
            by=manager,
            now=now,
        )
    assert told.value.stands == {"early": 4.0}
    assert SchedulingSettings.objects.get().finish == 0.05
    tuning.tune(site=site, changes={"early": 3}, seen={"early": 4, "late": 1}, by=manager, now=now)
    assert SchedulingSettings.objects.get().early == 3


def test_what_changes_nothing_leaves_no_trail(site: Site, manager: Staff, now: datetime) -> None:
    tuning.tune(site=site, changes={"early": 1.5}, by=manager, now=now)
    tuning.tune(site=site, changes={}, by=manager, now=now)
    assert not AuditEntry.objects.filter(action="settings.tune").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hold_minutes", 0),
        ("hold_minutes", 61),
        ("offer_minutes", 24 * 60 + 1),
        ("usable_minutes", -1),
        ("early", -0.1),
        ("unchanged", 1000.1),
        ("finish", float("nan")),
        ("finish", float("inf")),
        ("site", 1),
        ("pk", 1),
    ],
)
def test_a_value_beyond_its_limits_is_refused_and_nothing_is_changed(
    site: Site, manager: Staff, now: datetime, name: str, value: float
) -> None:
    with pytest.raises(SettingsRefused) as told:
        tuning.tune(site=site, changes={"late": 3, name: value}, by=manager, now=now)
    assert told.value.field == name
    assert not SchedulingSettings.objects.exists()


def test_only_who_manages_the_site_reads_and_changes(
    site: Site, front_desk: Staff, clinical_lead: Staff, outsider: Staff, now: datetime
) -> None:
    for nobody in (front_desk, clinical_lead, outsider):
        with pytest.raises(Forbidden):
            tuning.tune(site=site, changes={"late": 3}, by=nobody, now=now)
        with pytest.raises(Forbidden):
            tuning.settings_of(site=site, by=nobody)


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("settings_hold_minutes", {"hold_minutes": 0}),
        ("settings_hold_minutes", {"hold_minutes": 61}),
        ("settings_offer_minutes", {"offer_minutes": 0}),
        ("settings_offer_minutes", {"offer_minutes": 24 * 60 + 1}),
        *(
            ("settings_points_not_negative", {name: -0.01})
            for name in tuning.LIMITS
            if name not in tuning.WHOLE
        ),
    ],
)
def test_the_database_refuses_settings_that_cannot_be(
    site: Site, constraint: str, fields: dict[str, float]
) -> None:
    SchedulingSettings.objects.create(site=site)
    refused_by_database(
        constraint, lambda: SchedulingSettings.objects.filter(site=site).update(**fields)
    )


def test_a_changed_weight_changes_which_plan_comes_first(
    site: Site,
    house: ProtocolVersion,
    patient: Patient,
    treatment_provider: Resource,
    manager: Staff,
    now: datetime,
) -> None:
    # The one is away around the ideal second date, on which alone the other one works.
    blocks.block(
        site=site,
        resources=[treatment_provider],
        kind=BlockKind.TIME_OFF,
        starts_at=at(SECOND - 3 * DAY, "00:00"),
        ends_at=at(SECOND + 6 * DAY, "00:00"),
        by=manager,
        now=now,
    )
    other = provider_resource(site, staff_at(site, Role.PROVIDER, "Kim Lee"), house.modality)
    ProviderHours.objects.filter(provider=other).delete()
    HoursException.objects.create(site=site, provider=other, day=SECOND, starts=600, ends=900)

    def best() -> list[Resource]:
        found = proposing.propose_series(
            patient=patient,
            site=site,
            version=house,
            areas=["face"],
            sessions=2,
            first_from=FIRST,
            now=now,
        )
        return [visit.provider for visit in found.visits]

    assert best() == [treatment_provider, treatment_provider]
    tuning.tune(site=site, changes={"other_provider": 0}, by=manager, now=now)
    assert best() == [treatment_provider, other]
    tuning.tune(site=site, changes={"other_provider": 15}, by=manager, now=now)
    assert best() == [treatment_provider, treatment_provider]


# --- Over the API ---------------------------------------------------------------------------------


@CLOCK
def test_a_manager_reads_and_changes_the_settings(site: Site, manager: Staff) -> None:
    address = f"/api/v1/sites/{site.pk}/scheduling/"
    shown = api(manager).get(address).json()
    assert set(shown) == {"site", *tuning.LIMITS, *tuning.TEXTS}
    assert (shown["site"], shown["other_provider"], shown["hold_minutes"]) == (site.pk, 15.0, 5)
    changed = api(manager).patch(address, {"other_provider": 0, "hold_minutes": 10}).json()
    assert changed == {**shown, "other_provider": 0.0, "hold_minutes": 10}
    assert api(manager).get(address).json() == changed
    assert AuditEntry.objects.get(action="settings.tune").at == datetime.fromisoformat(
        "2027-02-15T14:00:00Z"
    )


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"hold_minutes": 61}, "max_value", "hold_minutes"),
        ({"early": -1}, "min_value", "early"),
        ({"early": "NaN"}, "invalid", "early"),
        ({"early": "Infinity"}, "invalid", "early"),
        ({"early": None}, "null", "early"),
        ({"hold_minutes": 2.5}, "invalid", "hold_minutes"),
        ({"site": 2}, "unknown_field", "site"),
    ],
)
def test_what_a_setting_cannot_be_is_refused(
    site: Site, manager: Staff, body: dict[str, Any], code: str, field: str
) -> None:
    refused(api(manager).patch(f"/api/v1/sites/{site.pk}/scheduling/", body), 400, code, field)


def test_others_are_told_whose_it_is_and_an_outsider_finds_nothing(
    site: Site, front_desk: Staff, outsider: Staff
) -> None:
    address = f"/api/v1/sites/{site.pk}/scheduling/"
    for answer in (api(front_desk).get(address), api(front_desk).patch(address, {"late": 2})):
        assert "manager" in refused(answer, 403, "forbidden")["sentence"]
    for answer in (api(outsider).get(address), api(outsider).patch(address, {"late": 2})):
        refused(answer, 404, "not_found")
    assert not SchedulingSettings.objects.exists()


# --- In the set-up pages --------------------------------------------------------------------------


def test_they_are_read_there_and_changed_elsewhere(
    client: Client, site: Site, manager: Staff, now: datetime
) -> None:
    tuning.tune(site=site, changes={"early": 4}, by=manager, now=now)
    client.force_login(
        Staff.objects.create_superuser("root@clinic.example", "a-long-password", name="Root")
    )
    address = "/admin/appointments/schedulingsettings/"
    assert client.get(address).status_code == 200
    assert client.get(f"{address}{site.pk}/change/").status_code == 200
    assert client.get(f"{address}add/").status_code == 403
    assert client.post(f"{address}{site.pk}/change/", {"early": 9}).status_code == 403
    assert client.post(f"{address}{site.pk}/delete/", {"post": "yes"}).status_code == 403
    assert SchedulingSettings.objects.get(site=site).early == 4


def test_a_manager_without_the_set_up_right_is_turned_away(client: Client, manager: Staff) -> None:
    client.force_login(manager)
    assert client.get("/admin/appointments/schedulingsettings/").status_code == 302
