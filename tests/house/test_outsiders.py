"""Whoever works at another site finds nothing of this one, at whatever address and by whatever way.

The walk is that of `furnishing`: a new address that takes the id of a row is tried with one.
"""

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import get_resolver

from appointments.models import Appointment
from clinic.models import ProtocolVersion, Role, Site, SiteRole, Staff
from patients.models import Patient
from reminders.records import tables
from tests.house.furnishing import FAMILY, OF_THE_HOUSE, addresses, signed_in
from tests.house.furnishing import everybody as everybody  # fixtures
from tests.house.furnishing import furnished as furnished
from tests.house.furnishing import places as places
from tests.house.test_urls import patterns
from tests.reminders.views.conftest import wish as wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def stranger(outsider: Staff, other_site: Site, now: datetime) -> Client:
    """Somebody who may do everything, at the other site."""
    for role in Role:
        SiteRole.objects.get_or_create(staff=outsider, site=other_site, role=role)
    return signed_in(outsider, now)


def records() -> dict[str, Any]:
    """A digest of each table that holds something of a patient, and of patients."""
    named = sorted({Patient._meta.db_table, *(model._meta.db_table for model in tables.paths())})
    with connection.cursor() as cursor:
        found = {}
        for table in named:
            cursor.execute(f"SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM {table} AS t")
            found[table] = cursor.fetchone()
    return found


def test_nobody_of_another_site_reads_or_changes_a_record(
    furnished: dict[str, list[int]],
    stranger: Client,
    site: Site,
    house: ProtocolVersion,
    now: datetime,
    settings: Any,
) -> None:
    settings.SESSION_COOKIE_AGE = 10**7
    [patient], [visit] = furnished["patients"], furnished["visits"]
    place = Appointment.objects.get(pk=visit).resources_held()
    asked = {
        "patient": patient, "patient_id": patient, "visit": visit, "appointment": visit,
        "series": furnished["series"][0], "protocol": house.pk,
        "areas": ["face"], "site": site.pk, "version": 1, "reason": "Why not", "text": "x",
        "event": furnished["events"][0], "with": patient, "gone": patient, "before": 1, "after": 1,
        "outcome": "resolved", "conclusion": "x", "what": "x", "severity": "mild", "act": "save",
        "typed": f"erase {patient}", "moment": "consult", "answers": [], "counts": "yes",
        "entries": furnished["entries"], "place": place,
    }  # fmt: skip
    before, opened, told = records(), [], []
    ways = {
        pattern: list(getattr(entry.callback, "actions", None) or ("get", "post"))
        for pattern, entry in patterns(get_resolver())
    }
    with time_machine.travel(now, tick=False):
        for pattern, address in addresses(furnished, read=False):
            # Nobody is signed in any more who gives a tablet back.
            if pattern.startswith("handover/"):
                continue
            is_of_row = "<int:" in pattern and not OF_THE_HOUSE & set(pattern.split("/"))
            for way in ways[pattern] if is_of_row else ["get"]:
                as_json = {"content_type": "application/json"} if "api/" in pattern else {}
                sent = asked if way != "get" else {"patient": patient, "q": FAMILY.lower()}
                answer = getattr(stranger, way)(address, sent, **(as_json if way != "get" else {}))
                body = b"".join(answer) if answer.streaming else answer.content
                if FAMILY.encode() in body:
                    told.append(address)
                if is_of_row and answer.status_code not in (400, 403, 404, 405):
                    opened.append(f"{address}: {answer.status_code}")
    assert not told, told
    assert not opened, opened
    assert {table for table, digest in records().items() if before[table] != digest} == set()
