"""Links for patients: made with an unguessable token, opened, and proved by the birth date.

Only the SHA-256 of a token is stored, so nobody who reads the database can open a link. Opening
changes nothing, since mail scanners open links too; that it was opened is written to the trail.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db import transaction

from appointments.lifecycle import Move, State
from appointments.models import Appointment, PatientLink
from clinic import audit

TOKEN_BYTES = 18  # 144 bits; the design asks for 96
LIFE = timedelta(days=30)
MOST_TRIES = 5


class Closed(StrEnum):
    """Why a link does not open."""

    UNKNOWN = "unknown"
    ERASED = "erased"
    REVOKED = "revoked"
    CANCELLED = "cancelled"
    MOVED = "moved"
    PAST = "past"
    EXPIRED = "expired"


SENTENCES = {
    Closed.UNKNOWN: "This link is not one of ours, or not all of it was copied.",
    Closed.ERASED: "What we had on record was deleted, as was asked for.",
    Closed.REVOKED: "This link was closed to protect your information.",
    Closed.CANCELLED: "This visit was cancelled.",
    Closed.MOVED: "This visit was moved; a newer message has its own link.",
    Closed.PAST: "This visit is over and its link has run out.",
    Closed.EXPIRED: "This link has run out.",
}


class LinkClosed(Exception):
    """The link does not open; `reason` says why, without any detail of the visit. `link` tells
    whose it was, for the language and the clinic's number; None when it is unknown."""

    code = "link_closed"
    field = "token"

    def __init__(self, reason: Closed, link: PatientLink | None = None) -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason
        self.sentence = SENTENCES[reason]
        self.link = link


class WrongBirthDate(Exception):
    """The birth date is not the patient's. `tries_left` may still be made; at 0 it is closed."""

    code = "wrong_birth_date"
    field = "birth_date"

    def __init__(self, tries_left: int) -> None:
        self.tries_left = tries_left
        self.sentence = "This is not the birth date that we have."
        super().__init__(self.sentence)


def prepare(
    *,
    patient_id: int,
    appointment: Appointment | None,
    now: datetime,
    purpose: PatientLink.Purpose = PatientLink.Purpose.CARE,
    life: timedelta = LIFE,
    invitation_id: int | None = None,
) -> tuple[str, PatientLink]:
    """A token and its link, not stored yet, so that a caller can store many at once.

    It has its `life` from now, or from the visit's end if that is later.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    starts_to_age = max(now, appointment.ends_at) if appointment else now
    return token, PatientLink(
        token_digest=_digest(token),
        purpose=purpose,
        patient_id=patient_id,
        appointment=appointment,
        invitation_id=invitation_id,
        created_at=now,
        expires_at=starts_to_age + life,
    )


def open(  # noqa: A001 - links.open
    token: str,
    *,
    now: datetime,
    purpose: PatientLink.Purpose = PatientLink.Purpose.CARE,
    after_own_act: bool = False,
) -> PatientLink:
    """The link of a token, with patient and visit loaded. Writes nothing but that it was opened.

    With `after_own_act` it opens also when it was the patient who cancelled its visit by it, to
    show what they did and to take it back.

    Raises:
        LinkClosed: with the reason; a link for another purpose is unknown here.
    """
    link = (
        PatientLink.objects.select_related(
            "patient",
            "acted",
            "appointment__site",
            "appointment__series",
            "invitation__offer__hold",
            "invitation__entry__patient",
            "invitation__entry__site",
            "invitation__entry__series__site",
            "invitation__entry__appointment",
            "invitation__appointment__series",
        )
        .filter(token_digest=_digest(token), purpose=purpose)
        .first()
    )
    if link is None:
        raise LinkClosed(Closed.UNKNOWN)
    reason = _closed(link, now=now)
    if reason is Closed.CANCELLED and after_own_act and _cancelled_by(link):
        reason = None
    if reason:
        raise LinkClosed(reason, link)
    audit.look(
        subject=link,
        patient_id=link.patient_id,
        by=None,
        now=now,
        site_id=link.appointment.site_id if link.appointment else None,
    )
    return link


def acted(link: PatientLink, visit: Appointment) -> None:
    """Remember the last act on `visit` as what the patient did by their link last; it goes on
    speaking of their visits as that left them."""
    link.acted = visit.history.latest("id")
    link.save(update_fields=["acted"])


def purpose_of(token: str) -> str | None:
    """What a link is for, open or not; None when it is unknown."""
    links = PatientLink.objects.filter(token_digest=_digest(token))
    return links.values_list("purpose", flat=True).first()


def prove_birth_date(*, link: PatientLink, birth_date: date, now: datetime) -> None:
    """Accept `birth_date` as proof that the patient holds the link.

    Raises:
        WrongBirthDate: the fifth time in a row the link is revoked.
        LinkClosed: when it was closed meanwhile.
    """
    tries_left = _try(link.pk, birth_date=birth_date, now=now)
    if tries_left is not None:
        raise WrongBirthDate(tries_left)


@transaction.atomic
def _try(link_id: int, *, birth_date: date, now: datetime) -> int | None:
    """None when it is right, else the tries left: stored before anybody raises."""
    link = (
        PatientLink.objects.select_for_update(of=("self",))
        .select_related("patient", "appointment__site", "acted")
        .get(pk=link_id)
    )
    if reason := _closed(link, now=now):
        raise LinkClosed(reason, link)
    right = link.patient.birth_date == birth_date
    link.failed_tries = 0 if right else link.failed_tries + 1
    if link.failed_tries >= MOST_TRIES:
        link.revoked_at = now
    link.save(update_fields=["failed_tries", "revoked_at"])
    audit.record(
        action="link.prove" if right else "link.fail",
        subject=link,
        by=None,
        now=now,
        site=link.appointment.site if link.appointment else None,
        patient_id=link.patient_id,
        after={} if right else {"tries_left": MOST_TRIES - link.failed_tries},
    )
    return None if right else MOST_TRIES - link.failed_tries


def _closed(link: PatientLink, *, now: datetime) -> Closed | None:
    """Why the link is closed at `now`; None while it is open."""
    visit = link.appointment
    if link.patient.erased_at is not None:
        return Closed.ERASED
    if link.revoked_at is not None:
        return Closed.REVOKED
    if visit is not None and visit.state == State.CANCELLED:
        return Closed.CANCELLED
    if visit is not None and _spoke_of_another_time(link, visit):
        return Closed.MOVED
    if now >= link.expires_at:
        is_of_visit = visit is not None and link.purpose == PatientLink.Purpose.CARE
        return Closed.PAST if is_of_visit else Closed.EXPIRED
    return None


def _cancelled_by(link: PatientLink) -> bool:
    """Whether it was by this link that its visit was cancelled."""
    act = link.acted
    return act is not None and act.move == Move.CANCEL and act.appointment_id == link.appointment_id


def _spoke_of_another_time(link: PatientLink, visit: Appointment) -> bool:
    """Whether the visit has another start than when the link was made, or its holder last acted
    by it.

    A move that was taken back leaves the start as it was, and the patient with this link only.
    """
    knows_at = link.acted.at if link.acted is not None else link.created_at
    if visit.scheduled_at <= knows_at:
        return False
    known = visit.history.filter(at__lte=knows_at).order_by("-id").first()
    return known is None or known.starts_after != visit.starts_at


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
