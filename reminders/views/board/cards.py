"""The visits of the board as they are drawn, the same in each of their columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from appointments.lifecycle import Move, State, offered
from appointments.models import Appointment
from appointments.visits import holdings
from clinic import statements
from clinic.models import Site, Staff
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from reminders.views import day_flags
from reminders.views.day_flags import Flag
from reminders.views.visits_shown import with_patients


@dataclass(frozen=True, slots=True)
class Card:
    """`flags` say what needs somebody's hand, `waiting` the minutes since check-in."""

    visit: Appointment
    areas: str
    flags: list[Flag]
    waiting: int | None

    @property
    def name(self) -> str:
        """Short enough for a column, and still a person's: "E. Sato"."""
        patient = self.visit.series.patient
        return f"{patient.first_name[:1]}. {patient.legal_family}"

    @property
    def initials(self) -> str:
        patient = self.visit.series.patient
        return f"{patient.first_name[:1]}. {patient.legal_family[:1]}."

    @property
    def is_movable(self) -> bool:
        return Move.MOVE in self._moves

    @property
    def is_resizable(self) -> bool:
        return Move.RESIZE in self._moves

    @property
    def _moves(self) -> tuple[Move, ...]:
        return offered(State(self.visit.state), is_locked=self.visit.is_locked)

    @property
    def is_long(self) -> bool:
        return self.waiting is not None and self.waiting >= day_flags.LONG

    @property
    def is_too_long(self) -> bool:
        return self.waiting is not None and self.waiting >= day_flags.TOO_LONG


def cards_of(
    site: Site, staff: Staff, visits: Collection[int], *, now: datetime
) -> dict[int, Card]:
    """By id, those of the `visits` at `site` whose patients `staff` may see; the queries grow with
    their days only."""
    seen = Appointment.objects.seen_by(staff).filter(site=site, pk__in=statements.one_of(visits))
    shown = list(with_patients(seen))
    waiting = day_flags.waiting(shown, now)
    flags = day_flags.flags(shown, holdings.of(shown), site, now)
    return {
        visit.pk: Card(
            visit,
            _areas(visit),
            flags.get(visit.pk, []),
            waiting.get(visit.pk),
        )
        for visit in shown
    }


def _areas(visit: Appointment) -> str:
    protocol = protocols.get(visit.protocol_version)
    return protocol.areas_in_words(visit.series.areas, reader_language())
