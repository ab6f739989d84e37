"""Consents: given, withdrawn, provable for ever, and never edited."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from clinic.access import Forbidden
from clinic.models import AuditEntry, Site, SiteRole, Staff
from patients import consent, intake
from patients.consent import ConsentRefused
from patients.models import ContactConsent, Patient
from patients.registration import StalePatient

pytestmark = pytest.mark.django_db


@pytest.fixture
def act(patient: Patient, front_desk: Staff, now: datetime) -> dict[str, Any]:
    return {"patient": patient, "by": front_desk, "now": now}


def test_a_consent_tells_who_when_how_and_to_what_wording(act: dict[str, Any]) -> None:
    given = consent.give(purpose="marketing", channel="email", source="phone", **act)
    assert given.wording == consent.WORDINGS["marketing"]
    assert (given.opened_by, given.opened_at) == (act["by"], act["now"])
    assert given.opened_source == "phone"
    entry = AuditEntry.objects.filter(action="consent.give").latest("id")
    assert entry.after["purpose"] == "marketing"
    assert entry.patient_id == act["patient"].pk


def test_giving_twice_is_one_consent_and_withdrawing_twice_one_withdrawal(
    act: dict[str, Any],
) -> None:
    first = consent.give(purpose="photos", channel="any", **act)
    assert consent.give(purpose="photos", channel="any", **act) == first
    assert consent.withdraw(purpose="photos", channel="any", **act) is True
    assert consent.withdraw(purpose="photos", channel="any", **act) is False


def test_a_consent_given_again_is_a_new_row(act: dict[str, Any]) -> None:
    consent.give(purpose="photos", channel="any", **act)
    consent.withdraw(purpose="photos", channel="any", **act)
    consent.give(purpose="photos", channel="any", **act)
    rows = ContactConsent.objects.filter(purpose="photos").order_by("id")
    assert [row.closed_at is None for row in rows] == [False, True]


def test_standing_consents_are_those_not_withdrawn(act: dict[str, Any]) -> None:
    consent.withdraw(purpose="care", channel="sms", **act)
    pk = act["patient"].pk
    assert consent.standing([pk, 0]) == {pk: {("care", "email")}, 0: frozenset()}


@pytest.mark.parametrize(("purpose", "channel"), [("care", "any"), ("photos", "sms")])
def test_a_purpose_that_is_not_sent_that_way_is_refused(
    act: dict[str, Any], purpose: str, channel: str
) -> None:
    with pytest.raises(ConsentRefused):
        consent.give(purpose=purpose, channel=channel, **act)


def test_only_those_who_may_edit_this_patient_record_consent(
    act: dict[str, Any], provider: Staff, outsider: Staff, other_site: Site
) -> None:
    SiteRole.objects.create(staff=provider, site=other_site, role="front_desk")
    for by in (provider, outsider):
        with pytest.raises(Forbidden, match="front desk, manager"):
            consent.give(purpose="photos", channel="any", **{**act, "by": by})
        with pytest.raises(Forbidden, match="front desk, manager"):
            consent.withdraw(purpose="care", channel="sms", **{**act, "by": by})


def test_the_patient_needs_nobodys_leave(act: dict[str, Any]) -> None:
    assert consent.withdraw(
        purpose="care", channel="sms", **{**act, "by": None}, source="patient_page"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"wording": "other"},
        {"purpose": "marketing"},
        {"opened_source": "import"},
        {"opened_at": datetime.fromisoformat("2020-01-01T00:00:00+00:00")},
    ],
)
def test_the_database_lets_nobody_edit_a_consent(
    act: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(DatabaseError, match="closed once"), transaction.atomic():
        ContactConsent.objects.filter(channel="sms").update(**change)


def test_the_database_lets_nobody_delete_or_reopen_a_consent(act: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ContactConsent.objects.filter(channel="sms").delete()
    consent.withdraw(purpose="care", channel="sms", **act)
    with pytest.raises(DatabaseError, match="closed once"), transaction.atomic():
        ContactConsent.objects.filter(channel="sms").update(closed_at=None, closed_source="")


def test_even_the_owner_of_the_tables_cannot_edit_a_consent(
    patient: Patient, as_owner: Callable[[str], None]
) -> None:
    with pytest.raises(DatabaseError, match="closed once"), transaction.atomic():
        as_owner("UPDATE patients_contactconsent SET wording = 'other'")


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("consent_one_open", {"purpose": "care", "channel": "sms"}),
        ("consent_channel_fits", {"purpose": "photos", "channel": "sms"}),
        ("consent_in_order", {"purpose": "photos", "channel": "any", "closed_source": "reply"}),
    ],
)
def test_the_database_refuses_a_consent_that_cannot_be(
    act: dict[str, Any], name: str, row: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        ContactConsent.objects.create(
            patient=act["patient"],
            wording="w",
            opened_at=act["now"],
            opened_source="front_desk",
            **row,
        )


def test_a_consent_cannot_end_before_it_began(act: dict[str, Any]) -> None:
    before = act["now"] - timedelta(seconds=1)
    given = ContactConsent.objects.filter(purpose="care", channel="sms")
    with pytest.raises(IntegrityError, match="consent_in_order"), transaction.atomic():
        given.update(closed_at=before, closed_source="front_desk")
    # A machine whose clock is behind must not keep a withdrawal out.
    assert consent.withdraw(purpose="care", channel="sms", **{**act, "now": before})
    assert given.get().closed_at == act["now"]


def test_a_form_moves_only_the_consents_that_were_touched_on_it(act: dict[str, Any]) -> None:
    pk = act["patient"].pk
    shown = {("care", "sms"), ("care", "email")}
    consent.withdraw(purpose="care", channel="email", **act)  # meanwhile, by somebody else
    intake.amend(
        expected_version=1,
        shown=shown,
        agreed={("care", "email"), ("photos", "any")},
        **act,
    )
    assert consent.standing([pk])[pk] == {("photos", "any")}


def test_a_stale_form_moves_no_consent(act: dict[str, Any]) -> None:
    with pytest.raises(StalePatient):
        intake.amend(expected_version=9, shown=set(), agreed={("photos", "any")}, **act)
    assert not ContactConsent.objects.filter(purpose="photos").exists()
