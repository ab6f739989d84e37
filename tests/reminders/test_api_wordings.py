"""The words of messages over the API."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.models import Role, Site, SiteRole, Staff
from reminders.api.wording_shapes import EXAMPLE
from reminders.models import WordingVersion
from tests.api import CLOCK, api, refused

WORDINGS = "/api/v1/wordings/"
pytestmark = [pytest.mark.django_db, CLOCK]


def order(site: Site | None, **changes: str) -> dict[str, Any]:
    return {**EXAMPLE, "site": site.pk if site else None, **changes}


def test_a_version_is_drafted_checked_published_used_again_and_taken_back(
    manager: Staff, site: Site
) -> None:
    client = api(manager)
    body = order(site, opening="Feel free to come.")
    checked = client.post(f"{WORDINGS}check/", body, format="json").json()
    assert [each["key"] for each in checked["findings"]] == ["perhaps_offer:opening:free"]
    assert checked["samples"][0]["segments"] == 1 and "We see you" in checked["samples"][0]["text"]
    assert WordingVersion.objects.count() == 0
    draft = client.post(WORDINGS, body, format="json").json()
    assert (draft["state"], draft["number"], draft["waiting"]) == ("draft", 1, 0)
    one = f"{WORDINGS}{draft['id']}/"
    seen = {"digest": draft["digest"]}
    refused(client.post(f"{one}publish/", seen, format="json"), 400, "wording_warnings", "accepted")
    ticked = {**seen, "accepted": ["perhaps_offer:opening:free"]}
    done = client.post(f"{one}publish/", ticked, format="json").json()
    assert done["state"] == "published"
    listed = client.get(WORDINGS, {"kind": "reminder_final", "state": "published"}).json()
    assert [each["id"] for each in listed["results"]] == [draft["id"]]
    again = client.post(f"{one}take-up/").json()
    assert (again["number"], again["digest"]) == (2, draft["digest"])
    refused(client.post(f"{one}take-up/"), 409, "draft_exists", "draft")
    two = f"{WORDINGS}{again['id']}/"
    refused(
        client.post(f"{two}publish/", ticked, format="json"), 409, "wording_unchanged", "digest"
    )
    refused(
        client.post(f"{two}discard/", {"digest": "0"}, format="json"),
        409,
        "stale_wording",
        "digest",
    )
    assert client.post(f"{two}discard/", seen, format="json").status_code == 204
    assert client.post(f"{one}retire/").json()["state"] == "retired"
    refused(client.post(f"{one}retire/"), 409, "wording_not_in_force", "state")


def test_errors_bar_the_publication(manager: Staff, site: Site) -> None:
    client = api(manager)
    draft = client.post(WORDINGS, order(site, sms="{sms_name}: tomorrow {when}"), format="json")
    seen = {"digest": draft.json()["digest"]}
    answer = client.post(f"{WORDINGS}{draft.json()['id']}/publish/", seen, format="json")
    assert "tomorrow" in refused(answer, 400, "wording_unfit", "phrases")["sentence"]


def test_a_draft_that_somebody_else_saved_is_not_overwritten(manager: Staff, site: Site) -> None:
    client = api(manager)
    client.post(WORDINGS, order(site), format="json")
    refused(client.post(WORDINGS, order(site), format="json"), 409, "stale_wording", "digest")


def test_the_words_of_a_site_are_not_there_for_strangers_nor_others_roles(
    manager: Staff, outsider: Staff, provider: Staff, front_desk: Staff, site: Site
) -> None:
    draft = api(manager).post(WORDINGS, order(site), format="json").json()
    one, seen = f"{WORDINGS}{draft['id']}/", {"digest": draft["digest"]}
    stranger = api(outsider)
    assert stranger.get(WORDINGS).json()["count"] == 0
    refused(stranger.get(one), 404, "not_found")
    for act in ("publish", "discard"):
        refused(stranger.post(f"{one}{act}/", seen, format="json"), 404, "not_found")
    for address in (WORDINGS, f"{WORDINGS}check/"):
        refused(stranger.post(address, order(site), format="json"), 404, "not_found", "site")
        refused(api(provider).post(address, order(site), format="json"), 403, "forbidden")
    for other in (provider, front_desk):
        refused(api(other).post(f"{one}publish/", seen, format="json"), 403, "forbidden")
    refused(api(provider).post(f"{one}discard/", seen, format="json"), 403, "forbidden")
    assert WordingVersion.objects.get().state == "draft"


def test_the_words_of_all_sites_are_for_who_has_every_site(
    manager: Staff, outsider: Staff, site: Site, other_site: Site
) -> None:
    refused(api(manager).post(WORDINGS, order(None), format="json"), 403, "forbidden")
    SiteRole.objects.create(staff=manager, site=other_site, role=Role.MANAGER)
    draft = api(manager).post(WORDINGS, order(None), format="json").json()
    assert draft["site"] is None
    one = f"{WORDINGS}{draft['id']}/"
    assert api(outsider).get(one).status_code == 200
    seen = {"digest": draft["digest"]}
    refused(api(outsider).post(f"{one}publish/", seen, format="json"), 403, "forbidden")
    assert api(manager).post(f"{one}publish/", seen, format="json").status_code == 200
