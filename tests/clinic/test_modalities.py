"""Ways of treating: added and renamed by who manages, told apart by id, name and code."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clinic import equipping, modalities
from clinic.access import Forbidden
from clinic.modalities import ModalityRefused
from clinic.models import AuditEntry, Modality, Site, Staff
from tests.api import api, refused

pytestmark = pytest.mark.django_db

LED: dict[str, Any] = {"slug": "led_therapy", "name": "LED therapy", "code": "LD"}


def test_a_modality_is_added_used_and_renamed(
    site: Site, manager: Staff, front_desk: Staff, modality: Modality, now: Any
) -> None:
    by: dict[str, Any] = {"by": manager, "now": now}
    made = modalities.add(**LED, **by)
    equipping.add_device(site=site, name="Lamp 1", modality=made, **by)
    wrong = (
        ("slug", "Led!"),
        ("slug", modality.pk),
        ("name", " "),
        ("name", modality.name.upper()),
        ("code", "ld"),
        ("code", modality.code),
    )
    for field, value in wrong:
        asked: dict[str, Any] = {"slug": "led_2", "name": "LED 2", "code": "LE", field: value}
        with pytest.raises(ModalityRefused) as told:
            modalities.add(**asked, **by)
        assert told.value.field == field
    modalities.rename(modality=made, name="Red light", code="RL", **by)
    said = AuditEntry.objects.get(action="modality.rename")
    assert (said.before["code"], said.after["code"]) == ("LD", "RL")
    with pytest.raises(Forbidden):
        modalities.add(by=front_desk, now=now, **LED)
    with pytest.raises(IntegrityError, match="modality_code"), transaction.atomic():
        Modality.objects.filter(pk=made.pk).update(code="r1")


def test_the_pages_and_the_api_do_it_and_keep_others_out(
    client: Client, site: Site, manager: Staff, front_desk: Staff, modality: Modality
) -> None:
    own = f"/modalities/{modality.pk}/"
    assert {client.get(each).status_code for each in ("/modalities/", own)} == {302}
    client.force_login(front_desk)
    assert {client.get(each).status_code for each in ("/modalities/", own)} == {403}
    client.force_login(manager)
    assert client.post("/modalities/", {**LED, "code": "l"}).status_code == 422
    assert client.post("/modalities/", LED).status_code == 302
    assert "LED therapy" in client.get("/modalities/").content.decode()
    assert client.post(own, {"name": "LED therapy", "code": "RM"}).status_code == 422
    assert client.post(own, {"name": "Needling", "code": "ND"}).status_code == 302

    path = "/api/v1/modalities/"
    new = {"slug": "cryo", "name": "Cryolipolysis", "code": "CR"}
    refused(api(front_desk).post(path, new), 403, "forbidden")
    refused(api().post(path, new), 401, "not_authenticated")
    assert api(manager).post(path, new).json() == new
    refused(api(manager).post(path, new), 400, "modality_refused", "slug")
    renamed = api(manager).post(f"{path}cryo/rename/", {"name": "Cold", "code": "CO"})
    assert renamed.json() == {"slug": "cryo", "name": "Cold", "code": "CO"}
    assert "cryo" in {each["slug"] for each in api(front_desk).get(path).json()["results"]}
