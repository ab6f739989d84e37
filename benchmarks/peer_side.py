"""The side of the peer, django-appointment: run by the Python of its own environment.

`peer_side.py DATABASE ROWS FIRST_DAY`: fills a database of its own up to so many appointments,
then prints as JSON the free slots of 60 days and how long they took. Imports nothing of this
project; `taken` is what both sides fill their days by.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as wall_time

ZONE = "America/New_York"
OPENS, CLOSES, SLOT = 9 * 60, 17 * 60, 30
SLOTS, TAKEN, DAYS = (CLOSES - OPENS) // SLOT, 12, 60
ROUNDS = 3
DAY = timedelta(days=1)


def taken(day: date) -> list[int]:
    """The minutes of the day at which the booked slots of `day` start: another 12 of 16 daily."""
    numbers = sorted((day.toordinal() + 5 * number) % SLOTS for number in range(TAKEN))
    return [OPENS + number * SLOT for number in numbers]


def rows(first: date, count: int) -> Iterator[tuple[date, int]]:
    """`count` appointments (day, minute): 60 days from `first` on, all others before it."""
    ahead = [(first + n * DAY, m) for n in range(DAYS) for m in taken(first + n * DAY)]
    yield from ahead
    day, left = first, count - len(ahead)
    while left > 0:
        day -= DAY
        for minute in taken(day)[:left]:
            yield day, minute
        left -= TAKEN


def main(database: dict[str, object], count: int, first: date) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "phonenumber_field",
            "appointment",
        ],
        # All tables at once: the peer brings no migrations, and its tables point at Django's.
        MIGRATION_MODULES={"auth": None, "contenttypes": None, "appointment": None},
        SECRET_KEY="of the benchmark",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE=ZONE,
        LOGGING_CONFIG=None,
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    staff = _fill(count, first)
    print(json.dumps(_measured(staff, first)))


def _fill(count: int, first: date) -> object:
    """One staff member who works nine to five every day, with `count` appointments in all."""
    from appointment import models
    from django.contrib.auth.models import User
    from django.db import connection

    user, _ = User.objects.get_or_create(username="staff")
    opens, closes = _clock(OPENS), _clock(CLOSES)
    models.Config.objects.get_or_create(
        defaults={"slot_duration": SLOT, "lead_time": opens, "finish_time": closes}
    )
    staff, is_new = models.StaffMember.objects.get_or_create(
        user=user, defaults={"slot_duration": SLOT, "appointment_buffer_time": 0}
    )
    service, _ = models.Service.objects.get_or_create(
        name="Session", defaults={"duration": timedelta(minutes=SLOT), "price": 0}
    )
    if is_new:
        staff.services_offered.add(service)
        for weekday in range(7):
            models.WorkingHours.objects.create(
                staff_member=staff, day_of_week=weekday, start_time=opens, end_time=closes
            )
    present = models.Appointment.objects.count()
    requests = models.AppointmentRequest.objects.bulk_create(
        (
            models.AppointmentRequest(
                date=day,
                start_time=_clock(minute),
                end_time=_clock(minute + SLOT),
                service=service,
                staff_member=staff,
                id_request=f"{day}-{minute}",
            )
            for day, minute in list(rows(first, count))[present:]
        ),
        batch_size=5_000,
    )
    models.Appointment.objects.bulk_create(
        (
            models.Appointment(client=user, appointment_request=each, id_request=each.id_request)
            for each in requests
        ),
        batch_size=5_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return staff


def _clock(minute: int) -> object:
    return wall_time(minute // 60, minute % 60)


def _measured(staff: object, first: date) -> dict[str, object]:
    from appointment.services import get_available_slots_for_staff
    from appointment.utils.db_helpers import get_weekday_num_from_date

    def free(day: date) -> list[datetime]:
        slots: list[datetime] = get_available_slots_for_staff(
            day, staff, get_weekday_num_from_date(day)
        )
        return slots

    days = [first + number * DAY for number in range(DAYS)]
    slots = [slot.isoformat(timespec="minutes") for day in days for slot in free(day)]
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for day in days:
            free(day)
        times.append((time.perf_counter() - began) * 1000)
    return {"slots": slots, "milliseconds": times}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]), date.fromisoformat(sys.argv[3]))
