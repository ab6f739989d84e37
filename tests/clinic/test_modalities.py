"""Ways of treating: changed by who manages every site, told apart by id, name and code."""

from importlib import import_module
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from clinic import equipping, modalities
from clinic.access import Forbidden
from clinic.modalities import ModalityRefused
from clinic.models import AuditEntry, Modality, Role, Site, SiteRole, Staff
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
    for constraint, stored in (
        ("modality_code", {"code": "r1"}),
        ("modality_code_once", {"code": modality.code}),
        ("modality_name_once", {"name": modality.name.upper()}),
    ):
        with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
            Modality.objects.filter(pk=made.pk).update(**stored)
    with pytest.raises(ModalityRefused) as told:
        modalities.rename(modality=made, name="Red light", code=modality.code, **by)
    assert told.value.field == "code" and modality.name in told.value.sentence


def test_a_modality_is_told_in_the_readers_language_until_it_is_renamed(
    client: Client, other_site: Site, manager: Staff, modality: Modality, now: Any
) -> None:
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    Staff.objects.filter(pk=manager.pk).update(language="es")
    manager.refresh_from_db()
    client.force_login(manager)
    for address in ("/modalities/", f"/modalities/{modality.pk}/", "/resources/"):
        assert "Radiofrecuencia con microagujas" in client.get(address).content.decode(), address
    # What is renamed is what was stored.
    assert 'value="RF microneedling"' in client.get(f"/modalities/{modality.pk}/").content.decode()
    modalities.rename(modality=modality, name="Needling", code="ND", by=manager, now=now)
    page = client.get("/modalities/").content.decode()
    assert "Needling" in page and "microagujas" not in page


def test_only_who_manages_every_site_changes_what_all_of_them_have(
    client: Client, other_site: Site, manager: Staff, outsider: Staff, modality: Modality, now: Any
) -> None:
    own, named = f"/modalities/{modality.pk}/", {"name": "Needling", "code": "ND"}
    for by in (manager, outsider):
        with pytest.raises(Forbidden, match="every site"):
            modalities.rename(modality=modality, by=by, now=now, **named)
        with pytest.raises(Forbidden, match="every site"):
            modalities.add(by=by, now=now, **LED)
        client.force_login(by)
        listed = client.get("/modalities/").content.decode()
        assert "Somebody who manages every site" in listed and 'name="slug"' not in listed
        assert client.post("/modalities/", LED).status_code == 403
        refused(api(by).post("/api/v1/modalities/", LED), 403, "forbidden")
        assert {client.get(own).status_code, client.post(own, named).status_code} == {403}
        assert own not in listed
        renaming = f"/api/v1/modalities/{modality.pk}/rename/"
        refused(api(by).post(renaming, named), 403, "forbidden")
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    modalities.rename(modality=modality, by=manager, now=now, **named)
    modality.refresh_from_db()
    assert modality.name == "Needling"


def test_what_was_typed_before_the_rules_is_mended_by_the_migrations() -> None:
    typed = [
        ("a", "Toxin", "TX"), ("b", "Toxin", "tx"), ("c", "toxin", "t1"), ("d", "Facial", "FA"),
        ("e", "Face", "FA"), ("f", "9", ""), ("g", "Cold", "co"), ("h", "X" * 60, "X"),
        ("i", "x" * 60, "XX"),
    ]  # fmt: skip
    first, then = (
        import_module(f"clinic.migrations.{name}")
        for name in ("0018_codes_of_modalities", "0019_modalities_told_apart")
    )
    codes = first.in_capitals(typed)
    assert codes == {"b": "TO", "c": "TI", "f": "AA", "g": "CO", "h": "AB"}
    stand = then.told_apart([(pk, name, codes.get(pk, code)) for pk, name, code in typed])
    assert [stand[pk] for pk in "abcdefg"] == [
        ("Toxin", "TX"), ("Toxin 2", "TO"), ("toxin 3", "TI"), ("Facial", "FA"), ("Face", "FC"),
        ("9", "AA"), ("Cold", "CO"),
    ]  # fmt: skip
    assert stand["i"] == ("x" * 58 + " 2", "XX")
    assert len({code for _, code in stand.values()}) == len(typed)


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
