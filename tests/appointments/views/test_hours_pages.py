"""The pages of other hours and closures: one more, changing it, taking it back, and its visits."""

import re
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from appointments.models import Appointment
from clinic import closures, exceptional_hours
from clinic.models import AuditEntry, Closure, HoursException, Resource, Site, Staff
from tests.appointments.conftest import FIRST, SECOND, at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
THAT_DAY = f"/hours/harbour/{FIRST}/site/"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Generator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def boss(client: Client, manager: Staff) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def desk(front_desk: Staff) -> Client:
    client = Client()
    client.force_login(front_desk)
    return client


def form(**changes: Any) -> dict[str, Any]:
    usual = {
        "whose": "site",
        "day": FIRST,
        "hours": "other",
        "first_from": "12:00",
        "first_until": "18:00",
        "reason": "Inspection",
    }
    return usual | changes


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]*)"', page)


def spans(**of: Any) -> list[tuple[int | None, int | None]]:
    return list(HoursException.objects.filter(**of).values_list("starts", "ends"))


def test_a_manager_gives_a_day_other_hours_and_sees_who_lies_outside(
    boss: Client, visits: list[Appointment]
) -> None:
    answer = boss.post("/hours/", form(second_from="19:00", second_until="00:00"))
    assert (answer.status_code, answer["Location"]) == (303, THAT_DAY)
    assert spans() == [(720, 1080), (1140, 1440)]
    page = text_of(boss.get(THAT_DAY))
    assert "12:00-18:00 and 19:00-24:00" in page and "1 visit to move" in page
    assert f'action="{THAT_DAY}clear/"' in page  # the undo of the toast
    assert "1 to move" in text_of(boss.get("/hours/"))
    moves = {name: hidden(page, name) for name in ("patient", "move", "total")}
    boss.post(f"{THAT_DAY}move/", moves)
    visits[0].refresh_from_db()
    assert visits[0].starts_at > at(FIRST, "12:00")
    assert "No visit must move" in text_of(boss.get(THAT_DAY))


def test_the_list_costs_as_many_queries_for_many_days_as_for_one(
    boss: Client,
    site: Site,
    visits: list[Appointment],
    treatment_provider: Resource,
    manager: Staff,
    now: datetime,
    django_assert_max_num_queries: Any,
) -> None:
    closed = site.closures.create(first_day=FIRST, last_day=FIRST, reason="Floor")
    other: dict[str, Any] = {"site": site, "stretches": [(720, 1080)], "by": manager, "now": now}
    exceptional_hours.set_day(day=SECOND, **other)
    with django_assert_max_num_queries(40) as one:
        boss.get("/hours/")
    for week in range(1, 6):
        site.closures.create(first_day=FIRST + week * DAY, last_day=FIRST + week * DAY, reason="-")
        exceptional_hours.set_day(day=SECOND + week * DAY, **other)
    exceptional_hours.set_day(day=SECOND, provider=treatment_provider, **other)
    with django_assert_max_num_queries(len(one)):
        page = boss.get("/hours/")
    outside = {(row.day, row.whose): row.outside for row in page.context["rows"]}
    assert {key: count for key, count in outside.items() if count} == {
        (closed.first_day, site.name): 1,
        (SECOND, site.name): 1,
        (SECOND, treatment_provider.name): 1,
    }


def test_a_provider_is_away_for_some_days(boss: Client, treatment_provider: Resource) -> None:
    away = form(whose=treatment_provider.pk, hours="none", last_day=FIRST + DAY)
    assert boss.post("/hours/", away)["Location"] == "/hours/?site=harbour"
    assert spans(provider=treatment_provider) == [(None, None)] * 2
    assert AuditEntry.objects.filter(action="hours.set_day").count() == 2


def test_a_day_that_has_other_hours_is_changed_on_its_own_page(boss: Client) -> None:
    boss.post("/hours/", form())
    again = boss.post("/hours/", form(first_from="13:00"))
    assert again.status_code == 422 and f'href="{THAT_DAY}"' in text_of(again)
    (seen,) = hidden(text_of(boss.get(THAT_DAY)), "seen")
    changed = form(seen=seen, first_from="13:00")
    assert boss.post(THAT_DAY, changed)["Location"] == THAT_DAY
    assert spans() == [(780, 1080)]


def test_a_stale_save_says_what_stands_and_the_next_one_goes_through(boss: Client) -> None:
    boss.post("/hours/", form())
    (old,) = hidden(text_of(boss.get(THAT_DAY)), "seen")
    boss.post(THAT_DAY, form(seen=old, first_from="13:00"))
    stale = boss.post(THAT_DAY, form(seen=old, first_from="14:00"))
    page = text_of(stale)
    assert stale.status_code == 409 and "13:00-18:00" in page and 'value="14:00"' in page
    (now_seen,) = hidden(page, "seen")
    assert boss.post(THAT_DAY, form(seen=now_seen, first_from="14:00")).status_code == 303
    assert spans() == [(840, 1080)]


def test_back_to_the_hours_of_every_week(boss: Client, visits: list[Appointment]) -> None:
    boss.post("/hours/", form())
    for _ in range(2):
        assert boss.post(f"{THAT_DAY}clear/").status_code == 303
    assert spans() == []
    assert "09:00-18:00</b>, as every week" in text_of(boss.get(THAT_DAY))
    assert AuditEntry.objects.filter(action="hours.clear_day").count() == 1


def test_the_clinic_is_closed_for_some_days_and_opens_again(
    boss: Client, visits: list[Appointment]
) -> None:
    closing = form(hours="none", last_day=FIRST + 2 * DAY, reason="Public holiday")
    address = boss.post("/hours/", closing)["Location"]
    made = Closure.objects.get()
    assert (made.first_day, made.last_day) == (FIRST, FIRST + 2 * DAY)
    page = text_of(boss.get(address))
    assert "1 visit to move" in page and "Public holiday" in page
    moves = {name: hidden(page, name) for name in ("patient", "move", "total")}
    boss.post(f"{address}move/", moves)
    visits[0].refresh_from_db()
    assert not at(FIRST, "00:00") <= visits[0].starts_at < at(FIRST + 3 * DAY, "00:00")
    assert boss.post(f"{address}take-back/").status_code == 303
    assert not Closure.objects.exists()
    acts = AuditEntry.objects.filter(subject_id=str(made.pk), action__startswith="closure.")
    assert list(acts.order_by("id").values_list("action", "reason")) == [
        ("closure.make", "Public holiday"),
        ("closure.take_back", "Public holiday"),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"day": "2027-02-14"}, "is past"),
        ({"day": "soon"}, "Enter a date such as"),
        ({"first_until": ""}, "Enter a time such as 09:00, or choose no hours."),
        ({"first_until": "11:00"}, "end after they begin"),
        ({"second_from": "17:00", "second_until": "19:00"}, "overlap"),
        ({"second_from": "19:00"}, "or leave both empty"),
        ({"last_day": FIRST - DAY}, "comes after the first"),
        ({"last_day": FIRST + 31 * DAY}, "At most 31 days at once"),
        ({"hours": "none", "reason": ""}, "Say why"),
        ({"hours": "none", "last_day": FIRST + 366 * DAY}, "a year at most"),
        ({"hours": "none", "day": "2027-02-14"}, "is past"),
        ({"hours": "none", "last_day": FIRST - DAY}, "comes after the first"),
        ({"whose": "0"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_says_what_to_mend_and_writes_nothing(
    boss: Client, changes: dict[str, Any], said: str
) -> None:
    answer = boss.post("/hours/", form(**changes))
    assert answer.status_code == 422 and said in text_of(answer)
    assert not HoursException.objects.exists() and not Closure.objects.exists()


def test_closed_days_are_not_closed_again(boss: Client) -> None:
    closing = form(hours="none", last_day=FIRST + 2 * DAY)
    boss.post("/hours/", closing)
    again = boss.post("/hours/", form(hours="none", day=FIRST + DAY))
    assert again.status_code == 422 and "is closed already" in text_of(again)
    assert Closure.objects.count() == 1


def test_others_look_and_change_nothing(
    desk: Client, site: Site, manager: Staff, now: datetime
) -> None:
    exceptional_hours.set_day(site=site, day=FIRST, stretches=[(720, 1080)], by=manager, now=now)
    closed = closures.close(
        site=site, first_day=SECOND, last_day=SECOND, reason="Easter", by=manager, now=now
    )
    page = text_of(desk.get("/hours/"))
    assert "12:00-18:00" in page and "Easter" in page and "Another day" not in page
    assert "Change the hours" not in text_of(desk.get(THAT_DAY))
    for address in (
        "/hours/",
        THAT_DAY,
        f"{THAT_DAY}clear/",
        f"/hours/closures/{closed.pk}/take-back/",
    ):
        refused = desk.post(address, form(day=FIRST + DAY))
        assert refused.status_code == 403 and "manager" in text_of(refused)
    assert spans() == [(720, 1080)] and Closure.objects.exists()


def test_hours_elsewhere_are_nothing_to_a_stranger(
    client: Client, outsider: Staff, site: Site, manager: Staff, now: datetime
) -> None:
    exceptional_hours.set_day(site=site, day=FIRST, stretches=[], by=manager, now=now)
    closed = closures.close(
        site=site, first_day=SECOND, last_day=SECOND, reason="Easter", by=manager, now=now
    )
    client.force_login(outsider)
    assert client.get("/hours/?site=harbour").status_code == 403
    for address in (THAT_DAY, f"/hours/closures/{closed.pk}/"):
        assert client.get(address).status_code == 404
        for act in ("clear/", "move/", "take-back/"):
            assert client.post(address + act).status_code == 404
    client.logout()
    assert client.get(THAT_DAY)["Location"].startswith("/login/")


@pytest.mark.parametrize("address", ["soon/site", "2027-03-04/0", "2027-03-04/nobody"])
def test_a_day_or_a_person_that_is_none_is_not_found(
    boss: Client, site: Site, address: str
) -> None:
    assert boss.get(f"/hours/harbour/{address}/").status_code == 404
