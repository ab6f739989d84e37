"""Signed-in staff and the clock of the tests."""

from collections.abc import Generator
from datetime import datetime

import pytest
import time_machine
from django.test import Client

from clinic.models import Staff


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Generator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def desk(front_desk: Staff) -> Client:
    return signed_in(front_desk)


@pytest.fixture
def stranger(outsider: Staff) -> Client:
    return signed_in(outsider)
