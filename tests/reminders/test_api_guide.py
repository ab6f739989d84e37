"""The examples of docs/api.md are true: each one is sent as it stands there."""

import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from rest_framework.test import APIClient

from clinic.models import ProtocolVersion, Resource, Site, Staff
from patients.models import Patient
from reminders.journeys import replanning
from reminders.models import Message
from tests.api import CLOCK
from tests.personas import PASSWORD

GUIDE = Path(settings.BASE_DIR) / "docs" / "api.md"


def examples() -> Iterator[str]:
    yield from re.findall(r"^```sh\n(.+?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


def send(example: str, variables: dict[str, str]) -> Any:
    """What a shell and curl would do with the command."""
    command = Template(example.replace("\\\n", "")).substitute(variables)
    program, address, *options = shlex.split(command)
    assert program == "curl"
    headers, body = {}, None
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        else:
            assert option == "-d"
            body = value
    client, path = APIClient(headers=headers), address.removeprefix(settings.PUBLIC_URL)
    if body is None:
        return client.get(path)
    return client.post(path, body, content_type=headers["Content-Type"])


@pytest.mark.django_db
@CLOCK
def test_every_example_of_the_guide_works_in_its_order(
    manager: Staff,
    patient: Patient,
    site: Site,
    house: ProtocolVersion,
    treatment_provider: Resource,
    room: Resource,
    needling_device: Resource,
    now: datetime,
) -> None:
    cache.clear()
    known = {
        "URL": settings.PUBLIC_URL,
        "EMAIL": manager.email,
        "PASSWORD": PASSWORD,
        "PATIENT": patient.pk,
        "SITE": site.pk,
        "STAFF": manager.pk,
        "PROTOCOL": house.pk,
        "PROVIDER": treatment_provider.pk,
        "ROOM": room.pk,
        "DEVICE": needling_device.pk,
    }
    sent = 0
    for example in examples():
        answer = send(example, {name: str(value) for name, value in known.items()})
        assert answer.status_code in (200, 201), (example, answer.content)
        if "/login/" in example:
            known["TOKEN"] = answer.json()["token"]
        elif '/series/"' in example:
            known["VISIT"] = answer.json()["appointments"][0]["id"]
            known["SERIES"] = answer.json()["id"]
            replanning.sync_stale(now=now)
            known["MESSAGE"] = Message.objects.values_list("pk", flat=True)[0]
        sent += 1
    assert sent >= 12
