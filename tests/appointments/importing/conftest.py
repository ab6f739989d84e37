"""Files of a former system, and bringing them over in one go."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from appointments.importing import naming, tables, uploading, working
from appointments.models import Import, ImportRow
from clinic.models import Resource, Site, Staff
from clinic.retelling import retold
from tests.appointments.conftest import book, series, visits, wish

__all__ = ["book", "series", "visits", "wish"]

HEADER = ["Patient no", "First name", "Last name", "DOB", "Mobile", "E-mail", "SMS consent"]
VISITS = ["Visit id", "Service", "Area", "Start", "Status", "Provider", "Series id", "Sessions"]

BringOver = Callable[..., Import]


@pytest.fixture(autouse=True)
def private_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.PRIVATE_ROOT = tmp_path
    return tmp_path


def as_file(header: Sequence[str], *rows: Sequence[str]) -> bytes:
    return "".join(tables.write([header, *rows])).encode()


def person(number: int, given: str = "Nora", family: str = "Lind", **more: str) -> list[str]:
    """A row below HEADER: somebody with a number, a birth date and a telephone of their own."""
    told = {
        "dob": f"1980-01-{number % 28 + 1:02}",
        "mobile": f"(212) 555-{1000 + number:04}",
        "email": f"n{number}@patients.example",
        "sms": "yes",
        **more,
    }
    return [str(number), given, family, told["dob"], told["mobile"], told["email"], told["sms"]]


@pytest.fixture
def upload(site: Site, manager: Staff, now: datetime) -> Callable[[bytes], Import]:
    def take(content: bytes, by: Staff = manager) -> Import:
        return uploading.take_in(blocks=[content], name="old.csv", site=site, by=by, now=now)

    return take


@pytest.fixture
def checked(upload: Callable[[bytes], Import], manager: Staff, now: datetime) -> BringOver:
    """Uploads a file with the guessed columns and checks it."""

    def check(content: bytes, *, order: str = "mdy", at: datetime = now) -> Import:
        source = upload(content)
        offer = naming.offered(source)
        naming.name(source=source, mapping=offer.mapping, date_order=order, by=manager, now=at)
        working.check(source=source, by=manager, now=at)
        working.work(clock=lambda: at, only=source)
        source.refresh_from_db()
        assert source.state == "checked", source.problem
        return source

    return check


@pytest.fixture
def bring_over(checked: BringOver, manager: Staff, now: datetime) -> BringOver:
    """Uploads, checks and runs."""

    def run(content: bytes, *, order: str = "mdy", at: datetime = now) -> Import:
        source = checked(content, order=order, at=at)
        working.run(source=source, by=manager, now=at)
        working.work(clock=lambda: at, only=source)
        source.refresh_from_db()
        assert source.state == "done", source.problem
        return source

    return run


def outcomes(source: Import) -> list[str]:
    """What became of each row, in order."""
    return list(ImportRow.objects.filter(source=source).values_list("outcome", flat=True))


def sentences(source: Import) -> list[str]:
    stored = ImportRow.objects.filter(source=source).values_list("sentence", flat=True)
    return [retold(each) for each in stored]


@pytest.fixture
def second_room(site: Site) -> Resource:
    return Resource.objects.create(kind="room", name="Room 2", site=site, room_kind="treatment")
