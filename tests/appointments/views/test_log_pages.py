"""The treatment log and a provider's day, as pages and through the API: without any script."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from appointments.charting import drafting
from appointments.charting.log import log_of
from appointments.models import Addendum, Appointment, SessionCredit, TreatmentRecord
from appointments.visits import attendance
from clinic.models import ProtocolVersion, Site, Staff
from clinic.protocols.schema import Protocol
from tests.api import api, refused
from tests.appointments.charting.conftest import treated
from tests.appointments.charting.logs import SESSION, ZONE, a_log, with_a_map
from tests.appointments.conftest import FIRST, SECOND, Book, Wish, at
from tests.publishing import publish

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.time_machine(at(FIRST, "10:55"), tick=False),
]


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def form(**changes: Any) -> dict[str, Any]:
    """A whole log as the page sends it; `None` leaves a field out."""
    sent: dict[str, Any] = {
        "version": 0,
        "act": "save",
        "treated": ["face"],
        **{f"session.{name}": value for name, value in SESSION.items()},
        **{f"zones.face.{name}": value for name, value in ZONE.items()},
        "session.insulated": "yes",
        **changes,
    }
    return {name: value for name, value in sent.items() if value is not None}


@pytest.fixture
def visit(visits: list[Appointment], front_desk: Staff) -> Appointment:
    """The first session, in treatment."""
    treated(visits[0], front_desk, done=False)
    return visits[0]


def test_a_log_is_written_completed_and_signed_by_plain_forms(
    visit: Appointment, provider: Staff, patient: object
) -> None:
    client, address = signed_in(provider), f"/log/{visit.pk}/"
    page = client.get(address).content.decode()
    assert "Complete and sign" in page and "Pain 0–10" in page and "Copy last" not in page
    kept = client.post(address, form(**{"session.pain": None}))
    assert kept.status_code == 303 and kept.headers["Location"] == f"{address}#kept"
    wrong = {"session.pain": "lots", "session.reaction": ""}
    refused_page = client.post(address, form(act="sign", version=1, **wrong))
    assert refused_page.status_code == 422
    told = refused_page.content.decode()
    assert "write a whole number" in told
    marked = 'aria-required="true" aria-invalid="true" aria-describedby="session-{}'
    assert all(marked.format(name) in told for name in ("pain-hint", "reaction-error"))
    assert TreatmentRecord.objects.get().document["session"]["pain"] == "lots"
    signed = client.post(
        address,
        form(
            act="sign",
            version=2,
            **{
                "zones.face.depth": "8,5",
                "reasons.zones.face.depth": "As the device asks",
                "product.0.name": "Serum",
                "product.0.lot": "S-1",
                "cartridge.code": "AX-1",
                "cartridge.life": "900",
            },
        ),
    )
    assert signed.status_code == 303
    record = TreatmentRecord.objects.get()
    assert record.is_signed and record.document["zones"]["face"]["depth"] == 8.5
    assert record.document["products"][0]["lot"] == "S-1"
    visit.refresh_from_db()
    assert visit.state == "done"
    signed_page = client.get(address).content.decode()
    assert record.digest in signed_page and "As the device asks" in signed_page
    assert 'name="act"' not in signed_page
    assert client.post(address, form(version=3)).status_code == 409
    # What an addendum may correct is folded by where it stands, until something is refused.
    assert signed_page.count('<details class="group"><summary>') == 2
    unfolded = client.post(f"{address}amend/", {"reason": ""}).content.decode()
    assert unfolded.count('<details class="group" open><summary>') == 2
    # The next visit starts from its settings.
    amended = {"reason": "Misread", "text": "", "correct.zones.face.depth": "1.8"}
    assert client.post(f"{address}amend/", amended).status_code == 303
    asked = client.post(f"{address}amend/", {"reason": ""})
    assert asked.status_code == 422 and 'class="field error"><label for="amend-reason"' in (
        asked.content.decode()
    )
    page = client.get(address).content.decode()
    assert "Addendum 1" in page and page.index("Addendum 1") < page.index("Corrected")
    assert Addendum.objects.get().corrections == {"zones.face.depth": 1.8}
    # What was signed of a cartridge's use is struck out beside what it ought to have been.
    again = {"reason": "Misread", "text": "", "correct.zones.face.pulses": "280"}
    assert client.post(f"{address}amend/", again).status_code == 303
    page = client.get(address).content.decode()
    used = page[page.index("<dt>Cartridge or tip</dt>") :][:200]
    assert "<b>AX-1 · 280 pulses</b>" in used and "AX-1 · 300 pulses</s>" in used, used


@time_machine.travel(at(FIRST, "10:55"), tick=False)
def test_last_times_settings_come_in_by_one_press(
    visits: list[Appointment], visit: Appointment, provider: Staff, front_desk: Staff
) -> None:
    client = signed_in(provider)
    client.post(f"/log/{visit.pk}/", form(act="sign"))
    treated(visits[1], front_desk, done=False)
    address = f"/log/{visits[1].pk}/"
    addendum = {"reason": "Misread", "text": "", "correct.zones.face.energy": "20.5"}
    assert client.post(f"/log/{visit.pk}/amend/", addendum).status_code == 303
    page = client.get(address).content.decode()
    # Last time as it was corrected, with the reason, and the session that follows.
    assert "was 1.5" in page and "was 20.5" in page and "was corrected: Misread." in page
    assert 'list="session-cartridge_lot-offered"' in page and '<option value="LOT-7">' in page
    assert f'href="/visits/{visits[2].pk}/"' in page
    Appointment.objects.filter(pk=visits[2].pk).update(state="cancelled", closed_at=visit.starts_at)
    day = (visits[1].starts_at + timedelta(days=28)).date()
    offered = f"/series/{visit.series_id}/next/?day={day}"
    assert offered in client.get(address).content.decode()
    # From the first session the second is next, and once that was missed it is the third's turn.
    first = f"/log/{visit.pk}/"
    assert f'href="/visits/{visits[1].pk}/"' in client.get(first).content.decode()
    second = Appointment.objects.filter(pk=visits[1].pk)
    second.update(state="cancelled", closed_at=visit.starts_at)
    Appointment.objects.filter(pk=visits[2].pk).update(state="booked", closed_at=None)
    lacking = client.get(first).content.decode()
    assert f"/series/{visit.series_id}/next/?day=" in lacking
    assert f'href="/visits/{visits[2].pk}/"' not in lacking
    second.update(state="no_show")
    assert f'href="/visits/{visits[2].pk}/"' in client.get(first).content.decode()
    second.update(state="in_treatment", closed_at=None)
    client.post(address, {"version": 0, "act": "copy", "treated": ["face"], "session.pain": "3"})
    copied = TreatmentRecord.objects.get(appointment=visits[1]).document
    assert copied["zones"]["face"] == {"depth": 1.5, "energy": 20.5, "passes": 2}
    assert copied["session"]["pain"] == 3 and "anaesthetic" not in copied["session"]


def test_a_stale_save_shows_both_values_and_a_foreign_draft_can_be_taken_over(
    visit: Appointment, provider: Staff, clinical_lead: Staff
) -> None:
    mine, address = signed_in(provider), f"/log/{visit.pk}/"
    mine.post(address, form())
    mine.post(address, form(version=1, **{"zones.face.depth": "2.5"}))
    stale = mine.post(address, form(version=1, **{"zones.face.depth": "3.5"}))
    page = stale.content.decode()
    assert stale.status_code == 409
    assert "Saved elsewhere: <b>2.5</b>" in page and 'value="3.5"' in page
    assert 'name="version" value="2"' in page
    hers = signed_in(clinical_lead)
    page = hers.get(address).content.decode()
    assert "Sam Okafor is writing this log" in page and 'name="version"' not in page
    lost = hers.post(address, form(version=2, **{"zones.face.depth": "4"}))
    page = lost.content.decode()
    assert lost.status_code == 409 and "What you typed and is not kept" in page
    assert page.count("Sam Okafor is writing this log") == 1 and "Take over" in page
    assert hers.post(f"{address}take-over/").status_code == 303
    said = mine.post(f"{address}autosave/", form(version=2))
    assert (said.status_code, said.json()["code"]) == (409, "draft_elsewhere")
    said = hers.post(f"{address}autosave/", form(version=3))
    assert said.json() == {"version": 4, "saved": "10:55"}


def test_a_session_done_in_part_is_decided_on_its_page(visit: Appointment, provider: Staff) -> None:
    client, address = signed_in(provider), f"/log/{visit.pk}/"
    client.post(
        address, {"version": 0, "act": "sign", "session.outcome": "aborted", "note": "Faint"}
    )
    assert "Does session 1 count?" in client.get(address).content.decode()
    client.post(f"{address}credit/", {"counts": "no", "reason": "Nothing was done"})
    assert SessionCredit.objects.get().counts is False
    assert "does not count" in client.get(address).content.decode()


def test_choices_are_kept_as_they_are_and_told_in_the_readers_language(
    visit: Appointment, provider: Staff
) -> None:
    Staff.objects.filter(pk=provider.pk).update(language="es")
    client, address = signed_in(provider), f"/log/{visit.pk}/"
    sent = form(**{"session.reaction": "redness", "act": "sign"})
    assert client.post(address, sent).status_code == 303
    text = client.get(address).content.decode()
    assert "Enrojecimiento" in text and ">redness<" not in text.lower()
    assert TreatmentRecord.objects.get().document["session"]["reaction"] == "redness"


def test_my_day_shows_who_is_here_and_signs_what_is_complete(
    visits: list[Appointment], visit: Appointment, provider: Staff, front_desk: Staff
) -> None:
    client = signed_in(provider)
    page = client.get("/my-day/").content.decode()
    assert "Here now" in page and f"/log/{visit.pk}/" in page and "Every log is signed" in page
    client.post(f"/log/{visit.pk}/", form())
    treated(visits[1], front_desk)
    attendance.complete(appointment=visit, by=front_desk, now=at(FIRST, "10:50"))
    page = client.get("/my-day/").content.decode()
    assert "no log" in page and "Sign all complete" in page
    assert client.post("/my-day/sign/").status_code == 303
    assert list(TreatmentRecord.objects.signed().values_list("appointment", flat=True)) == [
        visit.pk
    ]
    assert client.get("/my-day/?all=1").status_code == 200


def test_who_waits_shows_since_when_with_what_is_lacking_and_is_started_from_the_log(
    visits: list[Appointment], provider: Staff, front_desk: Staff
) -> None:
    attendance.check_in(appointment=visits[0], by=front_desk, now=at(FIRST, "10:40"))
    client, address = signed_in(provider), f"/log/{visits[0].pk}/"
    day = client.get("/my-day/").content.decode()
    assert "since <time" in day and ">10:40</time>" in day
    assert "questions to ask" in day
    assert f'action="/visits/{visits[0].pk}/start/"' in client.get(address).content.decode()
    assert "/start/" not in signed_in(front_desk).get(address).content.decode()


def test_what_was_delivered_is_counted_on_the_map_on_its_page_and_by_api(
    house: ProtocolVersion,
    microneedling: Protocol,
    book: Book,
    wish: Wish,
    provider: Staff,
    clinical_lead: Staff,
    front_desk: Staff,
    now: Any,
) -> None:
    version = publish(with_a_map(microneedling), instead_of=house, by=clinical_lead, now=now)
    series = book(wish(FIRST), wish(SECOND), version=version)
    first, second = series.appointments.order_by("session")
    treated(first, front_desk, done=False)
    client, address = signed_in(provider), f"/log/{first.pk}/"
    page = client.get(address).content.decode()
    assert 'href="#regions-cheeks-shots"' in page and "Thighs" not in page
    refused_page = client.post(address, form(act="sign"))
    assert refused_page.status_code == 422
    assert "Write on the map what was delivered: Face." in refused_page.content.decode()
    counted = {
        "regions.cheeks.shots": "40",
        "regions.brow.shots": "",
        "regions.forehead.shots": "25",
    }
    client.post(address, form(version=1, **counted, **{"zones.face.depth": ""}))
    assert TreatmentRecord.objects.get().document["regions"] == {
        "cheeks": {"shots": 40},
        "forehead": {"shots": 25},
    }
    client.post(address, form(version=2, act="sign", **counted))
    corrected = {"reason": "Miscounted", "text": "", "correct.regions.brow.shots": "6"}
    assert client.post(f"{address}amend/", corrected).status_code == 303
    page = client.get(address).content.decode()
    assert "<b>6</b>" in page and "<b>71</b> pulses" in page
    for where in ("Face", "Cheeks", "Brow"):
        assert f'<span class="vh">{where}: </span>' in page
    row = api(provider).get(f"/api/v1/logs/{first.pk}/").json()
    assert row["totals"] == {"shots": 71} and row["log"]["regions"]["cheeks"] == {"shots": 40}
    # The next time it stands beside what is counted then, and is not copied.
    treated(second, front_desk, done=False)
    client.post(f"/log/{second.pk}/", {"version": 0, "act": "copy", "treated": ["face"]})
    page = client.get(f"/log/{second.pk}/").content.decode()
    assert "was 40" in page and "was 6" in page
    Staff.objects.filter(pk=provider.pk).update(language="es")
    page = client.get(address).content.decode()
    assert "<b>71</b> disparos" in page and "pulses<" not in page
    assert "regions" not in TreatmentRecord.objects.get(appointment=second).document


# --- Those who may not ----------------------------------------------------------------------------


def test_whoever_does_not_treat_here_reads_and_an_outsider_sees_nothing(
    visit: Appointment, provider: Staff, front_desk: Staff, outsider: Staff, site: Site
) -> None:
    address = f"/log/{visit.pk}/"
    drafting.save(
        appointment=visit, log=a_log(), by=provider, now=at(FIRST, "10:20"), expected_version=0
    )
    desk, stranger = signed_in(front_desk), signed_in(outsider)
    page = desk.get(address).content.decode()
    assert "Lidocaine" in page and "Take over" not in page and 'name="version"' not in page
    assert desk.get("/my-day/").status_code == 403
    for path, data in (
        (address, form(version=1)),
        (f"{address}autosave/", form(version=1)),
        (f"{address}take-over/", {}),
        (f"{address}amend/", {"reason": "x", "text": "y"}),
        (f"{address}credit/", {"counts": "yes", "reason": "x"}),
        ("/my-day/sign/", {}),
    ):
        nobody = Client().post(path, data)
        assert (nobody.status_code, nobody.headers["Location"][:7]) == (302, "/login/"), path
        if path != "/my-day/sign/":
            assert desk.post(path, data).status_code == 403, path
            assert stranger.post(path, data).status_code == 404, path
    assert stranger.get(address).status_code == 404
    assert TreatmentRecord.objects.get().version == 1


# --- The API --------------------------------------------------------------------------------------


def test_the_api_writes_signs_and_corrects(
    visit: Appointment, provider: Staff, clinical_lead: Staff, front_desk: Staff, outsider: Staff
) -> None:
    address, mine = f"/api/v1/logs/{visit.pk}/", api(provider)
    empty = mine.get(address).json()
    assert (empty["record"], empty["log"]) == (None, {}) and empty["findings"]
    log = {"session": SESSION, "zones": {"face": ZONE}}
    sent = {"version": 0, "log": {**log, "zones": {"face": {**ZONE, "depth": 9}}}}
    saved = mine.put(address, sent, format="json").json()
    assert [each["code"] for each in saved["findings"]] == ["range"]
    stale = {"version": 0, "log": log}
    refused(mine.put(address, stale, format="json"), 409, "stale_log", "version")
    sign = {"version": 1, "complete": True}
    lacking = mine.post(f"{address}sign/", sign, format="json")
    assert refused(lacking, 400, "log_incomplete", "zones.face.depth")["errors"]
    mine.put(address, {"version": 1, "log": log}, format="json")
    hers = api(clinical_lead).put(address, {"version": 2, "log": log}, format="json")
    refused(hers, 409, "draft_elsewhere", "log")
    assert api(clinical_lead).post(f"{address}take-over/").json()["record"]["version"] == 3
    assert mine.post(f"{address}take-over/").json()["record"]["drafted_by"]["name"] == "Sam Okafor"
    done = mine.post(f"{address}sign/", {"version": 4, "complete": True}, format="json").json()
    assert done["record"]["signed_by"]["name"] == "Sam Okafor" and done["corrected"] == done["log"]
    refused(mine.put(address, {"version": 4, "log": log}, format="json"), 409, "log_signed", "log")
    fixed = {"reason": "Misread", "corrections": {"zones.face.depth": 1.8}}
    amended = mine.post(f"{address}amend/", fixed, format="json").json()
    assert amended["corrected"]["zones"]["face"]["depth"] == 1.8
    assert log_of(amended["log"]).zones["face"]["depth"] == 1.5
    wrong = {**fixed, "corrections": {"zones.moon.depth": 1}}
    answer = mine.post(f"{address}amend/", wrong, format="json")
    refused(answer, 400, "correction_refused", "zones.moon.depth")
    said = {"counts": False, "reason": "The machine was faulty"}
    assert mine.post(f"{address}credit/", said, format="json").json()["counts"] is False
    refused(mine.post(f"{address}credit/", said, format="json"), 409, "credit_decided", "counts")
    [row] = mine.get("/api/v1/logs/?signed=true").json()["results"]
    assert (row["appointment"], row["outcome"]) == (visit.pk, "completed")
    assert mine.get("/api/v1/unsigned-logs/").json()["results"] == []
    # The front desk reads, the other site is not told that there is anything.
    assert api(front_desk).get(address).json()["record"]["digest"] == row["digest"]
    refused(api(front_desk).post(f"{address}amend/", fixed, format="json"), 403, "forbidden")
    assert api(outsider).get("/api/v1/logs/").json()["results"] == []
    for method, path in (("get", ""), ("put", ""), ("post", "sign/"), ("post", "amend/")):
        refused(getattr(api(outsider), method)(f"{address}{path}"), 404, "not_found")


def test_a_log_that_asks_nothing_of_the_session_shows_no_empty_list(
    house: ProtocolVersion,
    microneedling: Protocol,
    book: Book,
    wish: Wish,
    provider: Staff,
    clinical_lead: Staff,
    front_desk: Staff,
    now: Any,
) -> None:
    bare = replace(microneedling, version="5.0.0", session_log=())
    version = publish(bare, instead_of=house, by=clinical_lead, now=now)
    first = book(wish(FIRST), version=version).appointments.get()
    treated(first, front_desk, done=False)
    client, address = signed_in(provider), f"/log/{first.pk}/"
    sent = {"version": 0, "act": "sign", "treated": ["face"], "note": "Calm."}
    assert client.post(address, sent).status_code == 303
    page = client.get(address).content.decode()
    assert "Calm." in page and TreatmentRecord.objects.get().is_signed
    assert '<dl class="kv values"></dl>' not in page
