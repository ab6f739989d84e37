"""Every page that an address opens, in every size and colour: a new one is looked at by itself.

States that take some acts first, and most of what forms answer, are in the tests beside this one.
"""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import get_resolver
from playwright.sync_api import Page

from appointments.models import Appointment
from clinic.models import Site, Staff
from tests.browser.conftest import REFUSED, Days, Look, Place, SignIn
from tests.browser.looking import post
from tests.house.furnishing import BESIDE, Places, Rows, addresses, asked
from tests.house.furnishing import everybody as everybody  # fixtures
from tests.house.furnishing import furnished as furnished
from tests.house.test_urls import patterns
from tests.links import issued

pytestmark = pytest.mark.django_db(transaction=True)

# So many browsers share the pages.
SHARES = 3

LookAt = Callable[[str, str, dict[str, Any]], bool]

# What the tests beside this one look at with more on it, by its label there.
FULLER = {
    "audit/": "audit",
    "blocks/": "blocks",
    "blocks/<int:pk>/": "block",
    "board/": "board-full",
    "consent-forms/": "record-consent-forms",
    "consent-forms/<slug:key>/<int:number>/": "record-consent-form",
    "consent-forms/<slug:key>/edit/": "record-consent-form-edit",
    "events/": "events",
    "events/<int:pk>/": "event",
    "events/new/": "event-report",
    "feeds/": "feeds-made",
    "hours/": "hours",
    "hours/<slug:site>/<str:on>/<slug:whose>/": "hours-day",
    "hours/closures/<int:pk>/": "closure",
    "imports/": "imports",
    "imports/<int:pk>/": "import-columns",
    "inbox/": "inbox",
    "inbox/<int:pk>/": "conversation-urgent",
    "log/<int:pk>/": "log-new",
    "messages/<int:message_id>/": "message-unknown",
    "my-day/": "my-day",
    "on-call/": "on-call",
    "patients/": "patients",
    "patients/<int:patient_id>/": "patient",
    "patients/<int:patient_id>/contacts/<int:point_id>/<slug:act>/": "contact-close",
    "patients/<int:patient_id>/erase/": "erase",
    "patients/<int:patient_id>/export/": "export",
    "patients/<int:patient_id>/guardians/add/": "guardian-add",
    "patients/<int:patient_id>/merge/": "merge",
    "patients/<int:patient_id>/merges/<int:merge_id>/undo/": "unmerge",
    "patients/<int:patient_id>/photos/": "photos",
    "patients/<int:patient_id>/photos/add/": "photo-add",
    "patients/<int:patient_id>/photos/compare/": "photos-compare",
    "photos/<int:pk>/": "photo",
    "protocols/<slug:protocol>/draft/": "protocol-draft",
    "recall/": "recall",
    "recall/write/": "recall-write",
    "reports/": "reports",
    "retention/": "keeping-records",
    "scheduling/": "scheduling",
    "series/<int:pk>/booked/": "booked",
    "series/<int:pk>/end/": "end",
    "series/<int:pk>/next/": "next",
    "series/new/": "book-found",
    "settings/": "settings",
    "signed-forms/<int:pk>/": "record-signed-form",
    "tasks/": "tasks",
    "visits/<int:pk>/": "visit",
    "visits/<int:pk>/move/": "move",
    "visits/<int:pk>/screening/": "visit-screening",
    "visits/<int:pk>/swap/": "swap",
    "waitlist/": "waitlist-matches",
    "waitlist/add/": "waitlist-add",
    "waitlist/entries/<int:pk>/": "waitlist-change",
    "wording/": "wording-list",
    "wording/<slug:scope>/<slug:kind>/<slug:language>/": "wording-editor",
    "wording/<slug:scope>/<slug:kind>/<slug:language>/publish/": "wording-publish",
}
# And with nothing on it.
EMPTIER = {
    *("audit/", "blocks/", "board/", "events/", "feeds/", "hours/", "imports/", "inbox/"),
    *("my-day/", "on-call/", "patients/", "series/new/", "waitlist/"),
}
# What an empty house shows as a full one does.
ALIKE = {
    *("modalities/", "patients/new/", "preferences/", "preferences/password/", "retention/"),
    *("protocols/services/new/", "scheduling/", "settings/", "sites/new/", "staff/"),
}
# A section of a draft with rows, one of its rows, and one without.
SECTIONS = ["steps", "sources", "about"]

# Of the page that is open: each form that must not be sent as it is, with what it sends unseen.
_FORMS = """() => [...document.forms]
  .filter((form) => form.method === "post" && [...form.elements].some(
    (each) => each.required && each.type !== "hidden" && each.checkVisibility()))
  .map((form) => [form.action, [...form.elements]
    .filter((each) => each.type === "hidden" && each.name !== "csrfmiddlewaretoken")
    .map((each) => [each.name, each.value])])"""


@pytest.fixture
def places(place: Place, days: Days) -> Places:
    return Places(place(days.second), place(days.first), place(days.first, "14:00"))


@pytest.fixture
def look_at(look: Look, sign_in: SignIn, everybody: Staff) -> LookAt:
    """Looks at what an address opens for somebody who may do everything, if it is a page."""
    sign_in(everybody)
    client = Client()
    client.force_login(everybody)

    def at(label: str, address: str, question: dict[str, Any]) -> bool:
        whole = f"{address}?{urlencode(question)}"
        if not is_page(client, whole):
            return False
        look(f"{label}{address.replace('/', '.').rstrip('.')}", whole)
        return True

    return at


def is_page(client: Client, address: str) -> bool:
    """Whether the address opens a whole page for the client: no part of one, and no file."""
    answer = client.get(address)
    answer.close()
    kind = answer.headers.get("Content-Type", "")
    return answer.status_code == 200 and kind.startswith("text/html") and b"<body" in answer.content


@pytest.mark.parametrize("share", range(SHARES))
def test_every_page_and_what_refuses_its_forms(
    share: int,
    page: Page,
    look: Look,
    look_at: LookAt,
    furnished: Rows,
    site: Site,
    days: Days,
) -> None:
    furnished["slug"] = SECTIONS
    question = asked(furnished, site, days.second)
    found = [(pattern, address) for pattern, address in addresses(furnished) if is_walked(pattern)]
    shown, silent = 0, []
    for pattern, address in found[share::SHARES]:
        if not look_at("full", address, question):
            continue
        shown += 1
        here = page.url
        for number, (action, unseen) in enumerate(page.evaluate(_FORMS)):
            page.goto(here)
            sent = dict(unseen)
            post(page, action, sent)
            if page.locator(REFUSED).count():
                look(f"refused{address.replace('/', '.')}{number}", within=REFUSED)
            else:
                silent.append(f"{action} on {pattern}: {sorted(sent)}")
    # What must be filled in is asked for, and by more than the browser.
    assert silent == []
    assert shown > 5


def is_walked(pattern: str) -> bool:
    return pattern not in FULLER and not pattern.startswith("api/")


def test_every_page_of_an_empty_house(look_at: LookAt, site: Site) -> None:
    shown = [
        pattern
        for pattern, _ in patterns(get_resolver())
        if not re.search("[<^]", pattern) and not pattern.startswith((*BESIDE, "api/"))
        if pattern not in EMPTIER | ALIKE
        if look_at("empty", f"/{pattern}", {"site": site.slug})
    ]
    assert {"day/", "tasks/"} <= set(shown)


def test_every_page_that_a_patients_link_opens(look: Look, furnished: Rows, now: datetime) -> None:
    visit = Appointment.objects.get(pk=furnished["visits"][0])
    token = issued(patient_id=furnished["patients"][0], appointment=visit, now=now)
    named = {
        "<str:token>": token,
        "<int:visit>": str(visit.pk),
        "<int:signed>": str(furnished["signed-forms"][0]),
    }
    client, shown = Client(), set()
    for pattern, _ in patterns(get_resolver()):
        address = "/" + re.sub("<.*?>", lambda part: named.get(part[0], "none"), pattern)
        if pattern.startswith("p/") and is_page(client, address):
            look(f"link.{pattern.partition('>/')[2].replace('/', '.')}", address)
            shown.add(pattern)
    assert {"p/<str:token>/", "p/<str:token>/visits/<int:visit>/move/"} <= shown


def test_what_is_looked_at_elsewhere_is(furnished: Rows) -> None:
    here = Path(__file__)
    others = [each for each in here.parent.glob("test_*.py") if each != here]
    beside = "".join(each.read_text() for each in others)
    missing = [label for label in FULLER.values() if f'"{label}"' not in beside]
    stale = {*FULLER, *EMPTIER, *ALIKE} - {pattern for pattern, _ in addresses(furnished)}
    assert (missing, stale) == ([], set())
