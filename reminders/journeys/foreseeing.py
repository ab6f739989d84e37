"""What a series would send if it were booked now: the preview of the booking screen.

Loads the real patient and hands an imagined series to `preview`. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings

from appointments.clearance import Treatment
from appointments.clearance.screening import screened_of
from clinic.models import ProtocolVersion, Site
from clinic.protocols import loading
from patients.models import Patient
from patients.screening.conditions import conditions
from reminders.catalogue import Channel
from reminders.journeys import addressing, gathering, preview, recipients, to_fill_in
from reminders.journeys.preview import ImaginedVisit, Preview
from reminders.rewording import in_force

# As long as a real one, so that the length of a text is true.
SAMPLE_TOKEN = "x" * 22


def series(
    *,
    patient: Patient,
    site: Site,
    version: ProtocolVersion,
    areas: Sequence[str],
    visits: Sequence[ImaginedVisit],
    now: datetime,
    skips: frozenset[tuple[int, str, str]] = frozenset(),
) -> list[Preview]:
    """The messages and tasks that booking these visits now would make, in order of sending.

    What the patient's other series plan is taken into account and left out of the list, unless
    it shares a message with this one.
    """
    facts = gathering.facts_of([patient.pk])[patient.pk]
    (screened,) = screened_of([Treatment(patient, site, version, areas)])
    form = to_fill_in.forms_of({patient.pk: {version.protocol}}).get((patient.pk, version.protocol))
    imagined = preview.imagined_series(
        protocol=loading.get(version),
        areas=areas,
        site=gathering.site_facts(site),
        visits=[
            replace(
                visit,
                to_fill_in=to_fill_in.of_visit(
                    screened,
                    form,
                    starts_at=visit.starts_at,
                    zone=site.zone,
                    asks_from=site.clearance_from,
                ),
            )
            for visit in visits
        ],
        booked_at=now,
        skips=skips,
        conditions=conditions(screened),
    )
    readers = recipients.at_site(patient, site, now=now)
    return [
        line
        for line in preview.calendar(
            patient=replace(facts, series=(*facts.series, imagined)),
            recipients=readers,
            reader=addressing.reader_of(patient, readers[Channel.EMAIL]),
            sender=addressing.sender_of(site),
            care_url=f"{settings.PUBLIC_URL}/p/{SAMPLE_TOKEN}/",
            unsubscribe_url=f"{settings.PUBLIC_URL}/p/{SAMPLE_TOKEN}/",
            wordings=in_force.at_site(site),
        )
        if line.is_imagined
    ]
