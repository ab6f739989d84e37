"""What a version changes, for the protocol and for who is under way; asking changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from django.test import Client

from appointments.models import TreatmentSeries
from appointments.visits import ending
from clinic.durations import parse
from clinic.models import ProtocolVersion, Staff
from clinic.protocols import reading
from clinic.protocols.schema import Protocol
from reminders.journeys import replanning, republishing
from reminders.models import Message
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
    found = republishing.effect(version=draft(microneedling), now=now)
    assert (found.patients, found.looked_at, found.touched, found.messages) == (1, 1, 0, 0)


def test_a_step_less_is_a_message_less_at_each_session(
    series: TreatmentSeries, microneedling: Protocol, draft: Draft, now: datetime
) -> None:
    replanning.sync_stale(now=now)
    step = "post.check7d"
    with_it = Message.objects.filter(steps__contains=[step]).count()
    assert with_it >= 3
    found = republishing.effect(version=draft(without(microneedling, step)), now=now)
    assert (found.touched, found.gone + found.added) == (1, with_it)
    # What is overdue and still of use counts, as it would leave at once.
    first = Message.objects.filter(steps=[step]).earliest("due_at")
    late = first.due_at + (first.expires_at - first.due_at) / 2
    found = republishing.effect(version=draft(without(microneedling, step), "99.0.2"), now=late)
    assert (found.touched, found.gone + found.added) == (1, with_it)
    moved = republishing.effect(version=draft(later(microneedling, step), "99.0.1"), now=now)
    assert moved.messages >= 3
    # Asking changes nothing.
    assert Message.objects.filter(steps__contains=[step]).count() == with_it


def test_who_is_through_or_goes_by_it_already_is_not_counted(
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
    front_desk: Staff,
    house: ProtocolVersion,
    now: datetime,
) -> None:
    assert republishing.effect(version=house, now=now).patients == 0
    ending.end_series(series=series, reason="Moved away", by=front_desk, now=now)
    assert republishing.effect(version=draft(microneedling), now=now).patients == 0


def test_no_more_are_looked_at_than_a_page_has_patience_for(
    series: TreatmentSeries, microneedling: Protocol, draft: Draft, now: datetime
) -> None:
    found = republishing.effect(version=draft(microneedling), now=now, most=0)
    assert (found.patients, found.looked_at) == (1, 0)


# --- The page -------------------------------------------------------------------------------------


def test_the_page_shows_both_values_and_the_effect(
    sign_in: SignIn,
    clinical_lead: Staff,
    series: TreatmentSeries,
    microneedling: Protocol,
    draft: Draft,
) -> None:
    step = microneedling.steps[0]
    changed = replace(step, before=parse("P30D"))
    draft(replace(microneedling, steps=(changed, *microneedling.steps[1:])))
    client = sign_in(clinical_lead)
    at = "/protocols/rf_microneedling/99.0.0/changes/"
    page = client.get(at).content.decode()
    assert "What patients hear" in page and "6 weeks" in page and "30 days" in page
    assert f'hx-get="{at}?effect=1"' in page
    whole = client.get(f"{at}?effect=1").content.decode()
    assert "would change <b>" in whole
    part = client.get(f"{at}?effect=1", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "would change <b>" in part


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
    assert "would change <b>" not in desk.get(f"{at}?effect=1").content.decode()
    assert Client().get(at).status_code == 302
    assert desk.get("/protocols/rf_microneedling/77.0.0/changes/").status_code == 404


def test_an_only_version_has_nothing_to_be_compared_with(
    desk: Client, house: ProtocolVersion
) -> None:
    page = desk.get(f"/protocols/{house.protocol}/{house.version}/changes/").content.decode()
    assert "There is no other version" in page
