"""What a place that is offered from the wait-list wishes to have said. Pure.

The offer is worth saying as long as it can be accepted. That it is gone is said on the channels on
which the patient heard of it, and only when they did not end it themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from clinic.retelling import kept, moment, text
from clinic.saying import noop
from reminders.catalogue import CATALOGUE, Channel, Kind
from reminders.planning.facts import InvitationFacts, Item
from reminders.planning.wish import INSTANT, Wish

# The answers (appointments.models.Answer) by which a place is gone without the patient's doing.
GONE = {
    "gone": noop("Somebody else accepted it first."),
    "withdrawn": noop("The offer was taken back."),
}


def wishes(invitation: InvitationFacts) -> Iterator[Wish]:
    """The offer while it is open, or that it is gone."""
    when = moment(invitation.starts_at, invitation.site.zone)
    if not invitation.answer:
        why = (
            kept(
                "%(by)s offered the place on %(when)s because the patient waits for it.",
                by=text(invitation.offered_by),
                when=when,
            ),
            *invitation.reasons,
            kept(
                "The first who accepts has it, until %(until)s.",
                until=moment(invitation.expires_at, invitation.site.zone),
            ),
        )
        for channel in (Channel.SMS, Channel.EMAIL):
            yield _about(invitation, Kind.WAITLIST_OFFER, channel, why)
    elif invitation.answer in GONE:
        why = (
            kept("The place on %(when)s, which was offered to the patient, is gone.", when=when),
            GONE[invitation.answer],
        )
        for channel in sorted(invitation.told):
            yield _about(invitation, Kind.WAITLIST_GONE, channel, why)


def _about(invitation: InvitationFacts, kind: Kind, channel: Channel, why: tuple[str, ...]) -> Wish:
    due_at = invitation.answered_at or invitation.made_at
    life = CATALOGUE[kind].life
    expires_at = invitation.expires_at if life is None else due_at + life
    return Wish(
        item=Item(invitation.anchor, 1, kind, channel),
        kind=kind,
        series_id=None,
        session=0,
        site_id=invitation.site.id,
        due_at=due_at,
        expires_at=max(expires_at, due_at + INSTANT),
        why=why,
        starts_at=invitation.starts_at,
    )
