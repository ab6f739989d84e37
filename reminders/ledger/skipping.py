"""Staff choose not to send a message, or change their mind: a fact of the plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction

from appointments.models import Appointment
from appointments.refusals import Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.saying import gettext
from reminders.catalogue import OFFERS, SAID_NOW, Kind, MessageState
from reminders.ledger import claiming
from reminders.models import Message, MessageItem, SkipChoice
from reminders.planning.wish import SKIPPED_BY_STAFF


class SkipRefused(Refused):
    """The message is no longer in the hands of staff; `sentence` says where it is."""

    code = "skip_refused"
    field = "state"


@transaction.atomic
def skip(*, message: Message, by: Staff, now: datetime) -> None:
    """Do not send what a scheduled message says. It is planned anew and shows as skipped.

    Raises SkipRefused once a dispatcher took it up, Forbidden unless `by` may manage messages.
    """
    _require(message, by)
    if message.kind in OFFERS:
        raise SkipRefused(
            gettext("This is about a place on offer. Take the offer back on the wait-list.")
        )
    if message.kind == Kind.BIRTHDAY:
        raise SkipRefused(
            gettext("This greets the patient. End their consent to news and offers instead.")
        )
    if not can_skip(locked(message)):
        raise SkipRefused(
            gettext("This message is being sent or was sent; it cannot be skipped any more.")
        )
    SkipChoice.objects.bulk_create(
        (
            SkipChoice(
                series_id=series,
                session=session,
                step=step,
                channel=channel,
                by=by,
                at=now,
            )
            for series, session, step, channel in choices_of(message)
        ),
        # What went by the other channel in its place is then not sent at all.
        update_conflicts=True,
        unique_fields=["series", "session", "step", "channel"],
        update_fields=["instead", "by", "at"],
    )
    planned_anew(message, "message.skip", by=by, now=now)


@transaction.atomic
def unskip(*, message: Message, by: Staff, now: datetime) -> None:
    """Send after all what staff chose to skip, at its due time.

    Raises SkipRefused when staff did not skip it, Forbidden unless `by` may manage messages.
    """
    _require(message, by)
    stored, found = locked(message), 0
    if can_unskip(stored) or can_skip(stored):  # planning may not have heard of it yet
        for series, session, step, channel in choices_of(stored):
            chosen = SkipChoice.objects.filter(series=series, session=session, instead="")
            found += chosen.filter(step=step, channel=channel).delete()[0]
    if not found:
        raise SkipRefused(gettext("Only a message that staff skipped can be put back."))
    planned_anew(message, "message.unskip", by=by, now=now)


def can_skip(message: Message) -> bool:
    """Whether no dispatcher has taken the message up and it is still to be sent; a greeting is of
    no visit, for which that could be chosen."""
    return is_of_visit(message) and message.state == MessageState.SCHEDULED


def is_of_visit(message: Message) -> bool:
    """Whether planning made it of a visit or a series."""
    return is_planned(message) and message.kind != Kind.BIRTHDAY


def is_planned(message: Message) -> bool:
    """Whether planning made the message for staff to change. A place on offer is taken back
    instead; what goes to no patient or was said at once was not planned."""
    return message.patient_id is not None and message.kind not in {*OFFERS, *SAID_NOW}


def can_unskip(message: Message) -> bool:
    return message.state == MessageState.SKIPPED and message.reason == SKIPPED_BY_STAFF


def locked(message: Message) -> Message:
    """The stored message under its lock, taken after its patient's as planning does it."""
    claiming.hold_patients([message.patient_id])
    return Message.objects.select_for_update(no_key=True).get(pk=message.pk)


def _require(message: Message, by: Staff) -> None:
    access.require(by, Capability.MANAGE_MESSAGES, message.site)


def choices_of(message: Message) -> list[tuple[int, int, str, str]]:
    """(series, session, step, channel) of everything that the message says of visits and series."""
    return choices_by([message]).get(message.pk, [])


def choices_by(messages: Collection[Message]) -> dict[int, list[tuple[int, int, str, str]]]:
    """The same of many messages, by their ids."""
    items = list(MessageItem.objects.filter(message__in=messages).order_by("pk"))
    visits = {
        f"visit:{visit.pk}": visit
        for visit in Appointment.objects.filter(
            pk__in=[int(item.anchor[6:]) for item in items if item.anchor.startswith("visit:")]
        )
    }
    choices: dict[int, list[tuple[int, int, str, str]]] = {}
    for item in items:
        if item.anchor.partition(":")[0] not in ("visit", "series"):
            continue
        visit = visits.get(item.anchor)
        series = visit.series_id if visit else int(item.anchor.removeprefix("series:"))
        step = item.as_item.chosen_step
        choice = (series, visit.session if visit else 0, step, item.channel)
        choices.setdefault(item.message_id, []).append(choice)
    return choices


def planned_anew(
    message: Message,
    action: str,
    *,
    by: Staff,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """Plan the patient anew for what somebody chose about a message, and write down who did."""
    claiming.plan_anew([message.patient_id])
    audit.record(
        action=action,
        subject=message,
        by=by,
        now=now,
        site=message.site,
        patient_id=message.patient_id,
        before=before,
        after=after,
        reason=reason,
    )
