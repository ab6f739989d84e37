"""What a patient takes home on paper: the visits of a series, where, and how to prepare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from appointments.lifecycle import TO_COME
from appointments.models import Appointment, TreatmentSeries
from appointments.visits import holdings
from appointments.visits.holdings import Holding
from clinic import saying_days, saying_times, wall_time
from clinic.models import Site
from clinic.printing import Block, Bullets, Facts, Heading, Paragraph, pdf
from reminders.patient_pages.advice import Advice
from reminders.patient_pages.care_page import care_of
from reminders.wording.care_words import WORDS


def of_series(*, series: TreatmentSeries, now: datetime) -> bytes | None:
    """The sheet as PDF in the patient's language; None when no visit is to come."""
    patient = series.patient
    visits = list(
        series.appointments.filter(state__in=TO_COME, starts_at__gt=now)
        .select_related("site")
        .order_by("starts_at", "id")
    )
    if not visits:
        return None
    language, words = patient.language, WORDS[patient.language]
    first, *later = visits
    held_by = holdings.of(visits)
    care = care_of(first, patient_id=patient.pk, language=language, now=now)
    blocks: list[Block] = [
        Paragraph(patient.display_name),
        Heading(care.treatment),
        Facts(tuple(_line(visit, held_by[visit.pk], language, now) for visit in visits)),
        *_places(visits),
    ]
    if care.before:
        blocks.append(Heading(words["sheet_before"].format(_day(first, language))))
        blocks.append(Bullets(tuple(_advice(each) for each in care.before)))
        if later:
            blocks.append(Paragraph(words["sheet_same"]))
    blocks.append(Paragraph(words["sheet_change"].format(first.site.phone)))
    printed = saying_days.format_day(wall_time.local(now, first.site.zone).date(), language)
    return pdf(
        title=words["title"],
        blocks=blocks,
        footer=words["sheet_printed"].format(printed),
        at=now,
        language=language,
    )


def _line(
    visit: Appointment, held: Iterable[Holding], language: str, now: datetime
) -> tuple[str, str]:
    at = saying_times.format_when(visit.starts_at, visit.site.zone, language, seen_at=now)
    minutes = (visit.ends_at - visit.starts_at) // timedelta(minutes=1)
    lasts = WORDS[language]["minutes"].format(minutes)
    provider = holdings.provider(held)
    return at, f"{lasts}, {provider.name}" if provider else lasts


def _places(visits: list[Appointment]) -> list[Block]:
    """Where the visits are; a series is mostly at one site."""
    sites: dict[int, Site] = {visit.site_id: visit.site for visit in visits}
    return [Paragraph(f"{each.name}\n{each.address}\n{each.phone}") for each in sites.values()]


def _day(visit: Appointment, language: str) -> str:
    return saying_days.format_day(
        wall_time.local(visit.starts_at, visit.site.zone).date(), language
    )


def _advice(each: Advice) -> str:
    head = f"{each.title} – {each.when}" if each.when else each.title
    return "\n".join(part for part in (head, each.text) if part)
