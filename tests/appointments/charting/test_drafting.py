"""Drafts: one writer, each save upon what was seen, taking over, and what is still unsigned."""

import json
from datetime import timedelta
from typing import Any

import pytest

from appointments.charting import amending, drafting, listing, signing
from appointments.charting.device_data import device_data
from appointments.charting.last_used import last_used
from appointments.charting.log import Log, document_of, log_of
from appointments.charting.refusals import DraftElsewhere, StaleLog
from appointments.charting.sheets import sheet_of
from appointments.models import Addendum, Appointment, Cartridge, TreatmentRecord
from appointments.refusals import LogSigned, NotYet
from appointments.views import log_form
from clinic.access import Forbidden
from clinic.models import AuditEntry, Modality, Site, Staff
from patients.models import Patient
from tests.appointments.charting.conftest import MINUTE, Sign, treated
from tests.appointments.charting.logs import a_log
from tests.appointments.charting.test_reporting import report

pytestmark = pytest.mark.django_db


def test_a_draft_keeps_whatever_was_typed_and_is_saved_upon_what_was_seen(
    visits: list[Appointment], provider: Staff, clinical_lead: Staff, front_desk: Staff
) -> None:
    visit = visits[0]
    with pytest.raises(NotYet):
        drafting.save(
            appointment=visit, log=Log(), by=provider, now=visit.starts_at, expected_version=0
        )
    now = treated(visit, front_desk, done=False)
    typed = log_of({"session": {"pain": "about four"}, "zones": {"face": {"depth": "1,5"}}})
    with pytest.raises(Forbidden):
        drafting.save(appointment=visit, log=typed, by=front_desk, now=now, expected_version=0)
    record = drafting.save(appointment=visit, log=typed, by=provider, now=now, expected_version=0)
    assert record.document == {
        "session": {"pain": "about four"},
        "zones": {"face": {"depth": 1.5}},
    }
    assert (record.version, record.treated, record.outcome) == (1, ["face"], "")
    again = drafting.save(appointment=visit, log=typed, by=provider, now=now, expected_version=0)
    assert again.version == 1
    other = a_log(pain=9)
    for wrong in (0, 2):
        with pytest.raises(StaleLog):
            drafting.save(
                appointment=visit, log=other, by=provider, now=now, expected_version=wrong
            )
    assert AuditEntry.objects.get(action="record.draft").by == provider
    with pytest.raises(DraftElsewhere, match="Sam Okafor is writing this log"):
        drafting.save(appointment=visit, log=typed, by=clinical_lead, now=now, expected_version=1)
    drafting.take_over(appointment=visit, by=clinical_lead, now=now)
    with pytest.raises(DraftElsewhere, match="Dr Novak"):
        drafting.save(appointment=visit, log=typed, by=provider, now=now, expected_version=2)
    saved = drafting.save(
        appointment=visit, log=a_log(), by=clinical_lead, now=now, expected_version=2
    )
    assert TreatmentRecord.objects.get().document == document_of(a_log()) == saved.document
    assert AuditEntry.objects.get(action="record.take_over").before == {"drafted_by": provider.pk}
    # Saves of one sitting are one entry, and who comes back later is seen to.
    for version, minutes, sittings in ((3, 20, 1), (4, 49, 1), (5, 79, 2), (6, 80, 2)):
        later = now + minutes * MINUTE
        drafting.save(
            appointment=visit,
            log=a_log(pain=version),
            by=clinical_lead,
            now=later,
            expected_version=version,
        )
        assert AuditEntry.objects.filter(action="record.draft").count() == sittings


def test_what_was_treated_is_a_fact_of_the_plan_and_every_other_save_is_not(
    visits: list[Appointment], provider: Staff, front_desk: Staff, patient: Patient
) -> None:
    now = treated(visits[0], front_desk, done=False)
    drafting.save(appointment=visits[0], log=a_log(), by=provider, now=now, expected_version=0)
    patient.refresh_from_db()
    seen = patient.revision
    drafting.save(
        appointment=visits[0], log=a_log(pain=5), by=provider, now=now, expected_version=1
    )
    patient.refresh_from_db()
    assert patient.revision == seen
    part = a_log(outcome="partial", note="Too painful")
    drafting.save(appointment=visits[0], log=part, by=provider, now=now, expected_version=2)
    patient.refresh_from_db()
    assert patient.revision > seen


def test_copying_takes_last_times_settings_as_they_were_corrected(
    visits: list[Appointment], sign: Sign, provider: Staff, front_desk: Staff
) -> None:
    sign(visits[0], a_log(depth=1.2, pain=7))
    now = treated(visits[1], front_desk, done=False)
    record = drafting.save(
        appointment=visits[1], log=Log(), by=provider, now=now, expected_version=0, copy=True
    )
    log = log_of(record.document)
    assert log.zones["face"] == {"depth": 1.2, "energy": 20, "passes": 2}
    assert "pain" not in log.session and "cartridge_lot" not in log.session
    assert sheet_of(visits[1]).was["zones.face.depth"] == 1.2


def test_a_cartridge_is_counted_over_the_visits_that_used_it(
    visits: list[Appointment], sign: Sign, provider: Staff, front_desk: Staff
) -> None:
    about = {"cartridge": {"code": "AX-1", "expires_on": "2027-12-31", "life": 500}}
    sign(visits[0], a_log(more=about))
    now = treated(visits[1], front_desk, done=False)
    drafting.save(
        appointment=visits[1],
        log=a_log(more={"cartridge": {"code": "AX-1"}}),
        by=provider,
        now=now,
        expected_version=0,
    )
    cartridge = Cartridge.objects.get()
    assert (cartridge.code, cartridge.lot, cartridge.life, cartridge.unit) == (
        *("AX-1", "LOT-7", 500, "pulses"),
    )
    assert [each.code for each in sheet_of(visits[1]).findings()] == ["worn"]


def test_a_corrected_lot_is_counted_and_the_signed_one_no_more(
    visits: list[Appointment], sign: Sign, provider: Staff, front_desk: Staff
) -> None:
    about = {"cartridge": {"expires_on": "2027-12-31", "life": 500}}
    sign(visits[0], a_log(cartridge_lot="LOT-1", more=about))
    sign(visits[1], a_log(cartridge_lot="LOT-2"))

    def used(lot: str) -> int:
        return sheet_of(visits[2], log=a_log(cartridge_lot=lot)).wear.used

    def amended(**corrections: Any) -> None:
        amending.amend(
            appointment=visits[0], reason="Misread", text="", by=provider,
            corrections={path.replace("_of_", "."): each for path, each in corrections.items()},
            now=visits[0].starts_at + timedelta(hours=2),
        )  # fmt: skip

    assert [used(lot) for lot in ("LOT-1", "LOT-2", "LOT-3")] == [300, 300, 0]
    amended(session_of_cartridge_lot="LOT-3")
    assert [used(lot) for lot in ("LOT-1", "LOT-2", "LOT-3")] == [0, 300, 300]
    amended(session_of_cartridge_lot="LOT-2", zones_of_face_of_pulses=280)
    assert [used(lot) for lot in ("LOT-1", "LOT-2", "LOT-3")] == [0, 580, 0]
    # Its own use is not that of another visit; both stand in what is said of the device.
    data = device_data(report(visits[0], front_desk))
    assert (data["cartridge"]["number"], data["cartridge"]["used_in_this_session"]) == (
        *("LOT-1", 300),
    )
    now = data["corrected_cartridge"]
    assert (now["number"], now["used_in_this_session"], now["used_at_other_visits"]) == (
        *("LOT-2", 280, 300),
    )
    # How long it lasts was written of the lot that was misread.
    kept = [(each["expires_on"], each["life"]) for each in (data["cartridge"], now)]
    assert kept == [("2027-12-31", 500), ("", None)]


def test_what_was_last_used_of_cartridges_is_offered_until_it_expires(
    visits: list[Appointment], sign: Sign, provider: Staff, django_assert_num_queries: Any
) -> None:
    def offered() -> tuple[tuple[str, ...], ...]:
        sheet = sheet_of(visits[2])
        with django_assert_num_queries(2 if Addendum.objects.count() == 0 else 3):
            found = last_used(sheet)
        offers = (found.offered(f"cartridge.{name}") for name in ("code", "lot", "life"))
        return tuple(tuple(value for value, _ in offer) for offer in offers)

    sign(visits[0], a_log(more={"cartridge": {"code": "AX-1"}}))
    sign(visits[1], a_log(cartridge_lot="LOT-8"))
    # The second has no number of its own.
    assert offered() == (("AX-1",), ("LOT-8", "LOT-7"), ())
    amending.amend(
        appointment=visits[1],
        reason="Misread",
        text="",
        corrections={"session.cartridge_lot": "LOT-9"},
        by=provider,
        now=visits[1].starts_at + timedelta(hours=2),
    )
    assert offered() == (("AX-1",), ("LOT-9", "LOT-7"), ())
    Cartridge.objects.create(
        site=visits[1].site, modality_id="rf_microneedling", code="LOT-9", lot="LOT-9",
        expires_on=visits[2].starts_at.date() - timedelta(days=1),
    )  # fmt: skip
    assert offered() == (("AX-1",), ("LOT-7",), ())
    first = Cartridge.objects.filter(code="AX-1")
    first.update(expires_on=visits[2].starts_at.date())
    assert offered()[0] == ("AX-1",)
    first.update(expires_on=visits[2].starts_at.date() - timedelta(days=1))
    assert offered() == ((), (), ())
    led = Modality.objects.create(slug="led_therapy", name="LED therapy", code="LD")
    first.update(expires_on=None, modality=led)
    assert offered() == ((), (), ())


def test_what_was_used_after_a_visit_is_not_offered_for_its_log(
    visits: list[Appointment], sign: Sign
) -> None:
    sign(visits[0], a_log(cartridge_lot="LOT-7"))
    sign(visits[2], a_log(cartridge_lot="LOT-9"))
    assert last_used(sheet_of(visits[1])).lots == ("LOT-7",)
    assert last_used(sheet_of(visits[2])).lots == ("LOT-9", "LOT-7")


def test_products_are_offered_with_their_lots_until_they_expire_and_their_expiry_is_known(
    visits: list[Appointment], sign: Sign
) -> None:
    old, fresh = (
        {"name": name, "lot": lot, "expires_on": str((visits[number].starts_at).date())}
        for name, lot, number in (("Gel", "G-1", 1), ("Serum", "Q-2", 2))
    )
    sign(visits[0], a_log(more={"products": [old, fresh, {"name": "Water"}]}))
    used = last_used(sheet_of(visits[2]))
    assert used.offered("product.0.name") == (("Serum", ""), ("Water", ""))
    assert used.offered("product.7.lot") == (("Q-2", "Serum"),)
    assert used.offered("product.0.amount") == ()
    again = [{**each, "expires_on": ""} for each in (old, fresh)]
    sheet = sheet_of(visits[2], log=a_log(more={"products": again}))
    assert [(each.path, each.code) for each in sheet.findings()] == [
        ("products.0.expires_on", "expired")
    ]
    assert "Gel expired on" in sheet.findings()[0].sentence
    shown = [line[-1].value for line in log_form.entries(sheet).products]
    assert shown == [old["expires_on"], fresh["expires_on"], "", ""]


def test_the_expiry_of_a_lot_outlives_a_log_without_it_and_is_signed_with_the_next(
    visits: list[Appointment], sign: Sign
) -> None:
    gel = {"name": "Gel", "lot": "A", "expires_on": str(visits[1].starts_at.date())}
    chosen = {"products": [{**gel, "expires_on": ""}]}
    # The later log is signed first, when nobody has written yet when the lot expires.
    assert sign(visits[1], a_log(more=chosen)).document["products"][0]["expires_on"] == ""
    sign(visits[0], a_log(more={"products": [gel]}))
    sheet = sheet_of(visits[2], log=a_log(more=chosen))
    assert [(each.path, each.code) for each in sheet.findings()] == [
        ("products.0.expires_on", "expired")
    ]
    assert last_used(sheet).offered("product.0.name") == ()
    reasons = {"products.0.expires_on": "Nothing else was there"}
    record = sign(visits[2], a_log(more={**chosen, "reasons": reasons}))
    assert record.document["products"][0]["expires_on"] == gel["expires_on"]
    assert json.loads(record.statement)["log"] == record.document


def test_done_without_a_signed_log_is_unsigned_until_it_is_signed(
    visits: list[Appointment], site: Site, provider: Staff, clinical_lead: Staff, front_desk: Staff
) -> None:
    def open_logs(staff: Staff | None = None) -> list[int]:
        return [each.pk for each in listing.unsigned(site, staff=staff)]

    now = treated(visits[0], front_desk, done=False)
    assert open_logs() == []
    drafting.save(appointment=visits[0], log=a_log(), by=provider, now=now, expected_version=0)
    assert [each.pk for each in listing.day_of(site, provider, now)] == [visits[0].pk]
    assert listing.day_of(site, clinical_lead, now) == []
    record = TreatmentRecord.objects.get()
    with pytest.raises(NotYet):
        signing.sign(appointment=visits[0], by=provider, now=now)
    late = treated(visits[1], front_desk)
    assert open_logs() == open_logs(provider) == [visits[1].pk]
    assert open_logs(clinical_lead) == []
    signing.sign(appointment=visits[0], by=provider, now=now, complete=True)
    visits[0].refresh_from_db()
    assert visits[0].state == "done" and open_logs() == [visits[1].pk]
    with pytest.raises(LogSigned):
        drafting.save(
            appointment=visits[0],
            log=a_log(),
            by=provider,
            now=now + MINUTE,
            expected_version=record.version,
        )
    drafting.save(
        appointment=visits[1],
        log=a_log(without=("pain",)),
        by=provider,
        now=late,
        expected_version=0,
    )
    done = signing.sign_all(appointments=listing.unsigned(site), by=provider, now=late)
    assert (done.signed, [visit.pk for visit, _ in done.left]) == ((), [visits[1].pk])
    assert "Pain 0–10 is missing" in done.left[0][1]
