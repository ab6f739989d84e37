"""The whole record: what writing down a look costs, and that handing out a large one takes time and
no memory."""

from __future__ import annotations

import random
import resource
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db import connection

from appointments.models import Photo
from appointments.photos import keeping
from benchmarks import engine_load, house
from benchmarks.figures import Figure, milliseconds, p50
from benchmarks.house import NOW, House
from clinic import audit
from patients.models import Patient
from reminders.models import Message, SentContent
from reminders.records import exporting

GROUP = "records"
LOOKS = 400
FEW, MANY = (100, 10), (5_000, 400)  # messages, photos
PICTURE = 512 * 1024
WORDS = "<p>" + "After your visit keep the skin clean and out of the sun. " * 100 + "</p>"


def figures(step: Callable[[str], None]) -> Iterator[Figure]:
    built = house.build()
    [small, large] = house.patients(built, 2)
    step(f"{LOOKS} looks")
    yield from _looks(built, small)
    with tempfile.TemporaryDirectory() as folder:
        settings.PRIVATE_ROOT = Path(folder)
        for patient, (messages, photos) in ((small, FEW), (large, MANY)):
            step(f"a record of {messages:,} messages and {photos} photos")
            _fill(built, patient, messages, photos)
        _taken(built, small)
        before = _memory()
        step("handing out the large one")
        began = time.process_time()
        size = _taken(built, large)
        took = time.process_time() - began
        grown = _memory() - before
    step(f"{size / 2**20:,.0f} MB")
    floor = _packed(MANY[0], MANY[1])
    yield Figure(GROUP, "handing out a record, CPU of ours", took, "s", floor, 4)
    yield Figure(GROUP, "handing out a record, memory gained", grown, "MB", 32, 1)


def _looks(built: House, patient: Patient) -> Iterator[Figure]:
    """A look that is new, and one that stands already, beside rows of a table with nothing but a
    number that stands once."""
    with engine_load.owner() as held:
        held.execute("CREATE TABLE bench_bare (id bigserial, who bigint UNIQUE, at timestamptz)")
        held.execute("GRANT ALL ON bench_bare, bench_bare_id_seq TO afterglow_app")
    numbers = count(1)
    moments = (NOW + number * timedelta(minutes=15) for number in count())

    def add_bare(who: int | None = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bench_bare (who, at) VALUES (%s, now()) ON CONFLICT DO NOTHING",
                [next(numbers) if who is None else who],
            )

    def look(again: bool = False) -> None:
        at = NOW if again else next(moments)
        audit.look(subject=patient, patient_id=patient.pk, by=built.desk, now=at)

    for act in (add_bare, look):
        milliseconds(act, times=20)
    bare = p50(milliseconds(add_bare, times=LOOKS))
    new = p50(milliseconds(look, times=LOOKS))
    nothing = p50(milliseconds(lambda: add_bare(1), times=LOOKS))
    again = p50(milliseconds(lambda: look(again=True), times=LOOKS))
    yield Figure(GROUP, "a look at a record, p50", new, "ms", bare, 3)
    yield Figure(GROUP, "the same look again, p50", again, "ms", nothing, 6)


def _fill(built: House, patient: Patient, messages: int, photos: int) -> None:
    engine_load.fill(built, [patient], messages, due=NOW - timedelta(days=9), state="accepted")
    sent = Message.objects.filter(patient=patient).values_list("pk", flat=True)
    SentContent.objects.bulk_create(
        SentContent(message_id=pk, address="+12125550123", text=WORDS, html=WORDS, at=NOW)
        for pk in sent
    )
    made = Photo.objects.bulk_create(
        Photo(
            patient=patient, site=built.site, area="face", view="front", digest=str(number),
            width=9, height=9, source="upload", taken_at=NOW, is_dated=False, added_at=NOW,
            added_by=built.desk,
        )
        for number in range(photos)
    )  # fmt: skip
    for number, photo in enumerate(made):
        keeping.keep(photo.key, {"full": _noise(number)})


def _noise(number: int) -> bytes:
    """As little to be packed as a picture."""
    return random.Random(number).randbytes(PICTURE)


def _taken(built: House, patient: Patient) -> int:
    """The size of the whole archive, none of which is kept."""
    asked = exporting.ask(patient=patient, reason="Asked for it", by=built.desk, now=NOW)
    return sum(len(piece) for piece in exporting.take(asked=asked, by=built.desk, now=NOW))


def _packed(messages: int, photos: int) -> float:
    """CPU seconds of packing as many bytes and nothing else."""
    began, packer = time.process_time(), zlib.compressobj()
    for number in range(photos):
        packer.compress(_noise(number))
    for _ in range(messages):
        packer.compress(WORDS.encode() * 3)
    return time.process_time() - began


def _memory() -> float:
    """The most that the process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
