"""What a version changes, for the protocol and for who is under way; asking changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from appointments.models import TreatmentSeries
from appointments.visits import ending, migrating
from clinic import reader_language
from clinic.durations import parse
from clinic.models import AuditEntry, ProtocolVersion, Staff
from clinic.models.audit import LISTED
from clinic.protocols import loading, reading
from clinic.protocols.schema import Channel, Intent, Late, Protocol
from patients.models import Patient
from reminders.catalogue import MessageState
from reminders.journeys import replanning, republishing
from reminders.models import Message
from reminders.views import protocol_changes
from tests.reminders.views.conftest import SignIn

pytestmark = pytest.mark.django_db

Draft = Callable[..., ProtocolVersion]


@pytest.fixture
def draft(house: ProtocolVersion, now: datetime) -> Draft:
    def make(protocol: Protocol, version: str = "99.0.0") -> ProtocolVersion:
        changed = replace(protocol, version=version)
        return ProtocolVersion.objects.create(
            protocol=house.protocol,
            version=version,
            kind=house.kind,
            name=house.name,
            modality=house.modality,
            document=reading.to_document(changed),
            digest=reading.digest(changed),
            created_at=now,
        )

    return make


def later(protocol: Protocol, step: str) -> Protocol:
    """The same, with one step a day later."""
    steps = tuple(
        replace(each, after=replace(each.after, days=each.after.days + 1))
        if each.id == step and each.after is not None
        else each
        for each in protocol.steps
    )
    return replace(protocol, steps=steps)


def without(protocol: Protocol, step: str) -> Protocol:
    return replace(protocol, steps=tuple(each for each in protocol.steps if each.id != step))


def test_the_same_protocol_touches_nobody(
    series: TreatmentSeries, microneedling: Protocol, draft: Draft, now: datetime
) -> None:
    found = republishing.under_way(version=draft(microneedling), now=now).effect
    assert (found.patients, found.looked_at, found.touched, found.messages) == (1, 1, 0, 0)


def with_step(protocol: Protocol, id: str, **changes: Any) -> Protocol:
    """The same, with one step changed; a new one is like the last check-in."""
    known = {step.id: step for step in protocol.steps}
    known[id] = replace(known.get(id) or replace(known["post.check7d"], id=id), **changes)
    return replace(protocol, steps=tuple(known.values()))


def of_face(protocol: Protocol, **changes: Any) -> Protocol:
    areas = protocol.applicability.areas
    face = replace(areas["face"], **changes)
    applicability = replace(protocol.applicability, areas={**areas, "face": face})
    return replace(protocol, applicability=applicability)


CHANGES: dict[str, Callable[[Protocol], Protocol]] = {
    "removed": lambda given: without(given, "post.check7d"),
    "removed from what is said together": lambda given: without(given, "pre.hydrate"),
    "added": lambda given: with_step(given, "post.check40d", after=parse("P40D"), topic="other"),
    "shifted": lambda given: later(given, "post.check7d"),
    "longer": lambda given: of_face(given, chair=parse("PT90M")),
}


def planned(series: TreatmentSeries) -> dict[frozenset[tuple[object, ...]], tuple[object, ...]]:
    """What the ledger holds to be sent: by what it says, when and about what."""
    rows = Message.objects.filter(patient=series.patient, state=MessageState.SCHEDULED)
    return {
        frozenset(each.items.values_list("anchor", "schedule_version", "step", "channel")): (
            each.due_at,
            each.expires_at,
            each.steps,
        )
        for each in rows
    }


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_counted_is_what_migrating_changes(
    change: str,
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
    clinical_lead: Staff,
    front_desk: Staff,
    now: datetime,
) -> None:
    replanning.sync_stale(now=now)
    version = draft(CHANGES[change](microneedling))
    found = republishing.under_way(version=version, now=now)
    before = planned(series)
    # Asking changed nothing.
    assert replanning.sync_stale(now=now) == replanning.sync_stale(now=now)
    assert planned(series) == before

    version = loading.approve(version=version, by=clinical_lead, now=now)
    migrating.migrate(series=series, version=version, by=front_desk, now=now)
    replanning.sync_stale(now=now)
    after = planned(series)
    old = [said for said in before if said not in after]
    new = [said for said in after if said not in before]
    becomes = [said for said in new if any(said & each for each in old)]
    changed = sum(before[said] != after[said] for said in before.keys() & after.keys())
    gone = [said for said in old if not any(said & each for each in new)]
    counted = (found.effect.added, found.effect.changed, found.effect.gone)
    assert counted == (len(new) - len(becomes), changed + len(becomes), len(gone))
    assert found.effect.messages >= 3 and found.effect.touched == 1
    assert (found.by_version, found.left_out) == (((microneedling.version, 1),), 0)


def test_other_words_count_for_who_reads_them(
    series: TreatmentSeries, microneedling: Protocol, draft: Draft, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    step = next(each for each in microneedling.steps if each.id == "post.check7d")
    english, spanish = (replace(step.text, **{each: "Otherwise."}) for each in ("en", "es"))
    reworded = draft(with_step(microneedling, step.id, text=english))
    scheduled = Message.objects.filter(steps__contains=[step.id], state=MessageState.SCHEDULED)
    found = republishing.under_way(version=reworded, now=now).effect
    assert (found.touched, found.changed, found.messages) == (1,) + (scheduled.count(),) * 2
    # The patient reads English.
    other = draft(with_step(microneedling, step.id, text=spanish), "99.0.1")
    assert republishing.under_way(version=other, now=now).effect.messages == 0
    # What is overdue and still of use counts, as it would leave at once.
    first = scheduled.earliest("due_at")
    late = first.due_at + (first.expires_at - first.due_at) / 2
    assert republishing.under_way(version=reworded, now=late).effect == found


def test_a_series_of_an_area_that_is_no_longer_treated_cannot_go_over(
    series: TreatmentSeries, microneedling: Protocol, draft: Draft, now: datetime
) -> None:
    areas = {k: v for k, v in microneedling.applicability.areas.items() if k != "face"}
    other = replace(microneedling.applicability, areas=areas)
    found = republishing.under_way(
        version=draft(replace(microneedling, applicability=other)), now=now
    )
    assert (found.series, found.going_over, found.effect.patients) == (1, 0, 0)


def test_who_is_through_or_goes_by_it_already_is_not_counted(
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
    front_desk: Staff,
    house: ProtocolVersion,
    now: datetime,
) -> None:
    assert republishing.under_way(version=house, now=now).series == 0
    ending.end_series(series=series, reason="Moved away", by=front_desk, now=now)
    assert republishing.under_way(version=draft(microneedling), now=now).series == 0


def test_no_more_are_looked_at_than_a_page_has_patience_for(
    series: TreatmentSeries, microneedling: Protocol, draft: Draft, now: datetime
) -> None:
    found = republishing.under_way(version=draft(microneedling), now=now, most=0).effect
    assert (found.patients, found.looked_at) == (1, 0)


# --- The page -------------------------------------------------------------------------------------


def test_the_page_shows_both_values_and_the_effect(
    sign_in: SignIn,
    clinical_lead: Staff,
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
) -> None:
    draft(with_step(microneedling, "post.check7d", after=parse("P8D")))
    client = sign_in(clinical_lead)
    at = "/protocols/rf_microneedling/99.0.0/changes/"
    page = client.get(at).content.decode()
    assert "What patients hear" in page and "7 days" in page and "8 days" in page
    assert f'hx-get="{at}?effect=1"' in page
    whole = client.get(f"{at}?effect=1").content.decode()
    assert "it would change <b>" in whole and "<b>1 series</b>" in whole
    part = client.get(f"{at}?effect=1", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "it would change <b>" in part


def test_an_approved_version_is_compared_with_the_one_before_it(
    sign_in: SignIn,
    clinical_lead: Staff,
    house: ProtocolVersion,
    microneedling: Protocol,
    draft: Draft,
    now: datetime,
) -> None:
    version = draft(with_step(microneedling, "post.check7d", after=parse("P8D")))
    loading.approve(version=version, by=clinical_lead, now=now)
    page = sign_in(clinical_lead).get("/protocols/rf_microneedling/99.0.0/changes/")
    assert "There is no other version" not in page.content.decode()
    assert f"beside {house.version} (retired)" in page.content.decode()


def test_what_was_chosen_is_told_in_the_words_of_its_choice(
    sign_in: SignIn, clinical_lead: Staff, microneedling: Protocol, draft: Draft
) -> None:
    by_mail = {Channel.EMAIL: Intent.SHORT_REMINDER}
    draft(with_step(microneedling, "post.check7d", channels=by_mail, late=Late.ESCALATE))
    page = sign_in(clinical_lead).get("/protocols/rf_microneedling/99.0.0/changes/").text
    assert (
        "<b>a short reminder</b>" in page and "<b>a clinician decides when booked later</b>" in page
    )
    assert "short_reminder" not in page and "ask_confirm" not in page


def test_an_approved_version_leads_to_each_series_that_still_goes_by_another(
    sign_in: SignIn,
    clinical_lead: Staff,
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = draft(with_step(microneedling, "post.check7d", after=parse("P8D")))
    client, at = sign_in(clinical_lead), "/protocols/rf_microneedling/99.0.0/changes/"
    migrate = f'href="/series/{series.pk}/migrate/"'
    assert migrate not in client.get(at).text
    loading.approve(version=version, by=clinical_lead, now=now)
    page = client.get(at).text
    assert migrate in page and series.patient.display_name in page
    looked = AuditEntry.objects.get(action=LISTED, by=clinical_lead)
    assert looked.after == {"patients": [series.patient_id]}
    assert client.get(f"/series/{series.pk}/migrate/").status_code == 200
    monkeypatch.setattr(protocol_changes, "MOST_LISTED", 0)
    assert "And 1 more" in client.get(at).text
    TreatmentSeries.objects.update(protocol_version=version)
    assert "Still on another version" not in client.get(at).text


def test_no_version_is_offered_to_who_cannot_go_over_to_it(
    sign_in: SignIn,
    clinical_lead: Staff,
    front_desk: Staff,
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
    now: datetime,
) -> None:
    version = draft(with_step(microneedling, "post.check7d", after=parse("P8D")))
    client, at = sign_in(clinical_lead), "/protocols/rf_microneedling/99.0.0/changes/"
    loading.approve(version=version, by=clinical_lead, now=now)
    assert "Still on another version" in client.get(at).text
    TreatmentSeries.objects.update(areas=["knee"])
    assert "Still on another version" not in client.get(at).text
    refused = client.get(f"/series/{series.pk}/migrate/")
    assert refused.status_code == 403 and "knee" in refused.text
    TreatmentSeries.objects.update(areas=["face"])
    Patient.objects.update(deceased_at=now)
    assert "Still on another version" not in client.get(at).text


def test_rows_are_called_what_they_are_to_the_reader(
    sign_in: SignIn, clinical_lead: Staff, microneedling: Protocol, draft: Draft
) -> None:
    step = next(each for each in microneedling.steps if each.id == "post.check7d")
    spacing = tuple(
        replace(each, min_gap=parse("P29D")) if each.other == "any_device" else each
        for each in microneedling.spacing
    )
    changed = with_step(microneedling, "post.check7d", after=parse("P8D"))
    draft(replace(changed, spacing=spacing))
    at = "/protocols/rf_microneedling/99.0.0/changes/"
    english = sign_in(clinical_lead).get(at).content.decode()
    assert f"{step.title.en} · " in english and "Any device · " in english
    reader_language.choose(clinical_lead, "es")
    spanish = sign_in(clinical_lead).get(at).content.decode()
    assert "<b>8 días</b>" in spanish
    assert f"{step.title.es} · " in spanish and "Cualquier aparato · " in spanish
    for page in (english, spanish):
        assert "post.check7d" not in page and "any_device" not in page


def test_the_protocol_s_page_leads_there(
    sign_in: SignIn, clinical_lead: Staff, microneedling: Protocol, draft: Draft
) -> None:
    draft(microneedling)
    page = sign_in(clinical_lead).get("/protocols/rf_microneedling/99.0.0/").content.decode()
    assert 'href="/protocols/rf_microneedling/99.0.0/changes/"' in page
    changes = sign_in(clinical_lead).get("/protocols/rf_microneedling/99.0.0/changes/")
    assert "Both say the same" in changes.content.decode()


def test_the_front_desk_reads_but_does_not_count_and_nobody_signs_in(
    desk: Client, microneedling: Protocol, draft: Draft, series: TreatmentSeries
) -> None:
    draft(microneedling)
    at = "/protocols/rf_microneedling/99.0.0/changes/"
    assert "it would change <b>" not in desk.get(f"{at}?effect=1").content.decode()
    assert Client().get(at).status_code == 302
    assert desk.get("/protocols/rf_microneedling/77.0.0/changes/").status_code == 404


def test_an_only_version_has_nothing_to_be_compared_with(
    desk: Client, house: ProtocolVersion
) -> None:
    page = desk.get(f"/protocols/{house.protocol}/{house.version}/changes/").content.decode()
    assert "There is no other version" in page
