"""Which session of its series each visit is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appointments.importing.rows import MOST_SESSIONS
from clinic.retelling import kept


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit of one series. `session` is the number that the file gives it, 0 when none."""

    key: str
    starts_at: datetime
    is_cancelled: bool = False
    session: int = 0


@dataclass(frozen=True, slots=True)
class Arranged:
    """`sessions` by the key of the visit, and sentences for those that cannot have one."""

    sessions: dict[str, int]
    refused: dict[str, str]


def arranged(visits: Sequence[Visit], taken: Iterable[int] = ()) -> Arranged:
    """A number for each visit: the file's own, else the next free one in the order of time.

    `taken` are the sessions of the series that stand already. Cancelled visits share the number of
    the visit that took their place.
    """
    used = set(taken)
    sessions: dict[str, int] = {}
    refused: dict[str, str] = {}
    ordered = sorted(visits, key=lambda visit: (visit.starts_at, visit.key))
    for visit in ordered:
        if visit.is_cancelled or not visit.session:
            continue
        if visit.session in used:
            refused[visit.key] = kept(
                "The series has a session %(session)s already. Give one of them another number, or"
                " another series.",
                session=visit.session,
            )
        else:
            used.add(visit.session)
            sessions[visit.key] = visit.session
    latest = 0
    for visit in ordered:
        if visit.key in sessions:
            latest = sessions[visit.key]
        elif visit.is_cancelled:
            sessions[visit.key] = visit.session or min(latest + 1, MOST_SESSIONS)
        elif visit.key not in refused:
            free = next((n for n in range(latest + 1, MOST_SESSIONS + 1) if n not in used), 0)
            if free:
                used.add(free)
                sessions[visit.key] = latest = free
            else:
                refused[visit.key] = kept(
                    "A series has at most %(most)s visits. Give the later ones another series.",
                    most=MOST_SESSIONS,
                )
    return Arranged(sessions, refused)
