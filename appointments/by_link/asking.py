"""A patient asks for what their page does not offer; staff call them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from appointments.models import Appointment, PatientLink, Task, TaskKind
from clinic import audit
from clinic.models import Site
from clinic.saying import noop

CALL_WITHIN = timedelta(hours=24)
WISH_LENGTH = 500


@transaction.atomic
def ask(
    *,
    link: PatientLink,
    visit: Appointment | None,
    site: Site,
    wish: str,
    title: str,
    now: datetime,
) -> Task:
    """Leave staff a task with the patient's own words; asking again before it is done adds them.

    `visit` is what it is about, if it is about one.
    """
    words = " ".join(wish.replace("\x00", " ").split())[:WISH_LENGTH]
    about = f"visit:{visit.pk}" if visit is not None else f"patient:{link.patient_id}"
    open_one = (
        Task.objects.open()
        .select_for_update()
        .filter(key__startswith=f"asked:{about}:", patient=link.patient_id)
        .first()
    )
    if open_one is not None:
        if words and words not in open_one.wish:
            open_one.wish = f"{open_one.wish}\n{words}".strip()[: 4 * WISH_LENGTH]
            open_one.save(update_fields=["wish"])
        return open_one
    made, _ = Task.objects.get_or_create(
        key=f"asked:{about}:{now.isoformat(timespec='minutes')}",
        defaults={
            "site": site,
            "patient": link.patient,
            "appointment": visit,
            "kind": TaskKind.CALL,
            "title": title,
            "wish": words,
            "why": [noop("The patient asked for it on their page.")],
            "due_at": now + CALL_WITHIN,
            "created_at": now,
        },
    )
    audit.record(
        action="task.ask",
        subject=made,
        by=None,
        now=now,
        site=site,
        patient_id=link.patient_id,
        after={"title": title},
    )
    return made
