"""Offers: a gap offered to one or several on the wait-list, its places held meanwhile.

The first who accepts has it, and the others stay on the list: whoever answers an offer holds its
row, and the database admits one winner. Refuses to know how the patients hear of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from appointments.claiming import allocating, gaps
from appointments.claiming.allocating import Held, Lost
from appointments.finding.needs import PATIENT, need_of
from appointments.finding.ticks import TICK
from appointments.models import (
    Answer,
    Appointment,
    EntryEnd,
    Gap,
    GapEnd,
    Hold,
    HoldPurpose,
    Invitation,
    Offer,
    OfferEnd,
    SchedulingSettings,
    WaitlistEntry,
)
from appointments.refusals import BeingOffered, GapClosed
from appointments.waitlist import accepting, entries, hearing, matching, overtaken
from appointments.waitlist.matching import MatchedEntry
from appointments.waitlist.refusals import NoMatch, NotWaiting, OfferClosed
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Staff
from clinic.periods import Period, merge
from clinic.protocols import loading as protocols
from clinic.saying import gettext, noop
from patients.models import Patient

MOST_INVITED = 10


def offer(*, gap: Gap, entries: Sequence[WaitlistEntry], by: Staff, now: datetime) -> Offer:
    """Offer a gap to these entries and hold the places that they would have, for the minutes that
    the site's settings say from when all may hear of it.

    Raises:
        Refused: GapClosed, BeingOffered, NoMatch for the first entry that does not suit (any more)
            or another cause; nothing is written.
        Forbidden: when `by` may not book at the site.
    """
    if not 1 <= len({entry.pk for entry in entries}) <= MOST_INVITED:
        raise NoMatch(
            gettext("Choose 1 to %(most_invited)s of those who match.")
            % {"most_invited": MOST_INVITED}
        )
    try:
        with allocating.guarded():
            stored = gaps.locked(gap, by=by)
            _let_expired_go(stored, now=now)
            found = _matched(stored, entries, now=now)
            made = _hold(stored, found, by=by, now=now)
            Invitation.objects.bulk_create(_invitation(made, each) for each in found)
            _plan_anew(made)
            _record("offer.make", made, by=by, now=now, entries=[each.entry.pk for each in found])
            return made
    except Lost:
        raise GapClosed(gettext("Somebody has just taken this place. Look at it again.")) from None


def book(*, gap: Gap, entry: WaitlistEntry, by: Staff, now: datetime) -> Appointment:
    """Give a gap to an entry at once, on the patient's behalf. Raises as `offer` and `accept`."""
    with transaction.atomic():
        made = offer(gap=gap, entries=[entry], by=by, now=now)
        return accept(invitation=made.invitations.get(), by=by, now=now)


def accept(*, invitation: Invitation, by: Staff | None, now: datetime) -> Appointment:
    """Give the place to who accepts first: their visit comes earlier, and those after it move
    along, or it is booked. The visit; accepting twice is accepting once. `by` is None when the
    patient accepts themselves.

    Raises:
        OfferClosed: when somebody else was first, or the offer ran out or was taken back.
        NotWaiting, Refused: when the patient needs no place any more, or this one breaks a rule
            by now; nothing is written.
    """
    try:
        with allocating.guarded():
            made, stored = _locked(invitation, by=by)
            if stored.answer == Answer.ACCEPTED and stored.appointment is not None:
                return stored.appointment
            _require_open(made, stored, now=now)
            entry = entries.locked(stored.entry, by=None)
            if not overtaken.still_waiting(site=entry.site, now=now).filter(pk=entry.pk).exists():
                raise NotWaiting(
                    gettext("This place is no longer needed: the patient's visits changed.")
                )
            _answer(stored, Answer.ACCEPTED, now=now)
            stored.appointment = accepting.take_place(
                entry=entry, invitation=stored, hold=made.hold, by=by, now=now
            )
            stored.save(update_fields=["appointment"])
            entries.close(entry, EntryEnd.BOOKED, now=now)
            gaps.close(made.gap, GapEnd.FILLED, now=now)
            _close(made, OfferEnd.ACCEPTED, Answer.GONE, now=now)
            _record("offer.accept", made, by=by, now=now, entries=[entry.pk])
            return stored.appointment
    except Lost:
        raise GapClosed(
            gettext(
                "Somebody is changing this place at this moment. Wait a little, then try again."
            )
        ) from None


def decline(*, invitation: Invitation, by: Staff | None, now: datetime) -> Invitation:
    """The patient does not want this place and stays on the list. When nobody is left to answer,
    the place is let go. Declining twice is declining once. Raises OfferClosed, Forbidden."""
    with transaction.atomic():
        made, stored = _locked(invitation, by=by)
        if stored.answer == Answer.DECLINED:
            return stored
        _require_open(made, stored, now=now)
        _answer(stored, Answer.DECLINED, now=now)
        _plan_anew(made)
        if not made.invitations.filter(answer="").exists():
            _let_go(made, now=now)
            _close(made, OfferEnd.DECLINED, Answer.DECLINED, now=now)
        _record("offer.decline", made, by=by, now=now, entries=[stored.entry_id])
        return stored


def withdraw(*, offer: Offer, by: Staff, now: datetime) -> Offer:
    """Take an offer back; all who were asked stay on the list. Raises OfferClosed, Forbidden."""
    with transaction.atomic():
        made = _locked_offer(offer.pk)
        access.require(by, Capability.BOOK, made.gap.site)
        if made.closed_at is not None or made.expires_at <= now:
            raise OfferClosed(gettext("This offer is closed already."), answer=made.closed_as)
        _let_go(made, now=now)
        _close(made, OfferEnd.WITHDRAWN, Answer.WITHDRAWN, now=now)
        _record("offer.withdraw", made, by=by, now=now, entries=[])
        return made


def expire(*, now: datetime) -> int:
    """Write down the offers that ran out at `now`; how many they were. Their holds are in nobody's
    way from that moment on by themselves."""
    closed = 0
    over = Offer.objects.filter(closed_at=None, expires_at__lte=now).order_by("pk")
    for pk in over.values_list("pk", flat=True):
        # One by one, so that nobody's patients wait for those of another offer.
        with transaction.atomic():
            rows = over.select_for_update(of=("self",), no_key=True, skip_locked=True)
            made = rows.filter(pk=pk).first()
            if made is not None:
                _close(made, OfferEnd.EXPIRED, Answer.EXPIRED, now=now)
                closed += 1
    return closed


# --- Making an offer ------------------------------------------------------------------------------


def _let_expired_go(gap: Gap, *, now: datetime) -> None:
    """Raises BeingOffered while an offer of the gap is open, GapClosed when the gap is over."""
    if gap.ends_at <= now:
        raise GapClosed(gettext("This place is past."))
    last = gap.offers.filter(closed_at=None).first()
    if last is None:
        return
    if last.expires_at > now:
        raise BeingOffered(gettext("This place is being offered. Take that offer back first."))
    _close(_locked_offer(last.pk), OfferEnd.EXPIRED, Answer.EXPIRED, now=now)


def _matched(
    gap: Gap, entries: Sequence[WaitlistEntry], *, now: datetime
) -> tuple[MatchedEntry, ...]:
    """The entries with their places. Raises NoMatch for the first without one."""
    found = matching.matches_of(gap=gap, now=now, only=[entry.pk for entry in entries])
    matched = {each.entry.pk for each in found.matches}
    why = {each.entry.pk: each.sentence for each in found.others}
    for entry in entries:
        if entry.pk not in matched:
            cause = why.get(entry.pk) or gettext("Does not wait any more.")
            raise NoMatch(f"{entry.patient.display_name}: {cause}")
    for each in found.matches:
        if each.ripples:
            accepting.ripple(each.entry, each.place.wish, now=now)
    return found.matches


def _hold(gap: Gap, found: Sequence[MatchedEntry], *, by: Staff, now: datetime) -> Offer:
    """The offer, with a hold of everything that the places need. Raises Lost and GapClosed."""
    expires_at = hearing.stands_until(
        (each.hears_at for each in found),
        minutes=SchedulingSettings.of(gap.site).offer_minutes,
        first_start=min(each.place.starts_at for each in found),
        now=now,
    )
    if expires_at <= now:
        raise GapClosed(gettext("This place begins now. Book it instead, or dismiss it."))
    hold = Hold.objects.create(
        site=gap.site,
        purpose=HoldPurpose.OFFER,
        held_by=by,
        held_at=now,
        expires_at=expires_at,
    )
    wanted = list(_union(found))
    allocating.lock(held.resource_id for held in wanted)
    if allocating.clear_the_way(wanted, now=now):
        raise Lost
    allocating.hold(wanted, [hold] * len(wanted))
    return Offer.objects.create(gap=gap, hold=hold, made_by=by, made_at=now, expires_at=expires_at)


def _union(found: Iterable[MatchedEntry]) -> Iterable[Held]:
    """Each resource for all the time in which one of the places needs it. The patients are not
    held: what they do meanwhile is theirs."""
    times = defaultdict(list)
    for each in found:
        body = (each.place.ends_at - each.place.starts_at) // TICK
        need = need_of(protocols.get(each.entry.protocol_version), each.entry.areas, body)
        for kind, resource in each.place.wish.resources.items():
            if kind != PATIENT:
                times[resource].append(need.held(kind, each.place.starts_at))
    for resource, periods in times.items():
        for period in merge(periods):
            yield Held(resource, Period(period.starts_at, period.ends_at))


def _invitation(made: Offer, found: MatchedEntry) -> Invitation:
    place = found.place
    return Invitation(
        offer=made,
        entry=found.entry,
        starts_at=place.starts_at,
        ends_at=place.ends_at,
        provider=place.provider,
        room=place.room,
        device=place.device,
        reasons=list(found.reasons),
    )


# --- Answering ------------------------------------------------------------------------------------


def _locked(invitation: Invitation, *, by: Staff | None) -> tuple[Offer, Invitation]:
    """The offer under its lock, and the invitation as it stands then. Raises Forbidden."""
    made = _locked_offer(invitation.offer_id)
    if by is not None:
        access.require(by, Capability.BOOK, made.gap.site)
    stored = made.invitations.select_related(
        "entry__patient", "provider", "room", "device", "appointment"
    ).get(pk=invitation.pk)
    return made, stored


def _locked_offer(pk: int) -> Offer:
    # The gap first: whoever makes an offer locks it before the offers that it has.
    Gap.objects.select_for_update(no_key=True).only("pk").get(offers=pk)
    rows = Offer.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("gap__site", "hold").get(pk=pk)


_CLOSED = {
    Answer.GONE: noop("Somebody else was first. The patient stays on the wait-list."),
    Answer.EXPIRED: noop("The time to answer is over. The patient stays on the wait-list."),
    Answer.WITHDRAWN: noop("The offer was taken back. The patient stays on the wait-list."),
    Answer.DECLINED: noop("The patient did not want this place and stays on the wait-list."),
    Answer.ACCEPTED: noop("The patient has accepted this place already."),
}


def standing_of(invitation: Invitation, *, now: datetime) -> Answer | None:
    """How an invitation was answered, or ended without an answer; None while it is open."""
    if invitation.answer:
        return Answer(invitation.answer)
    return Answer.EXPIRED if invitation.offer.expires_at <= now else None


def _require_open(made: Offer, stored: Invitation, *, now: datetime) -> None:
    stored.offer = made
    answer = standing_of(stored, now=now)
    if answer is not None:
        raise OfferClosed(gettext(_CLOSED[answer]), answer=answer)


def _answer(stored: Invitation, answer: Answer, *, now: datetime) -> None:
    stored.answer, stored.answered_at = answer, now
    stored.save(update_fields=["answer", "answered_at"])


def _let_go(made: Offer, *, now: datetime) -> None:
    allocating.lock(allocating.held_by(made.hold))
    allocating.let_go(made.hold, now=now)


def _close(made: Offer, end: OfferEnd, answer: Answer, *, now: datetime) -> None:
    """Close an offer that the caller has locked; whoever did not answer has `answer`."""
    made.closed_at, made.closed_as = now, end
    made.save(update_fields=["closed_at", "closed_as"])
    made.invitations.filter(answer="").update(answer=answer, answered_at=now)
    _plan_anew(made)


def _plan_anew(made: Offer) -> None:
    """What the patients hear of an offer follows from it, so it is planned anew."""
    patients = Patient.objects.filter(pk__in=made.invitations.values("entry__patient"))
    # In order of id, as whoever else takes several of them.
    list(patients.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    patients.raise_revision()


def _record(
    action: str, made: Offer, *, by: Staff | None, now: datetime, entries: Sequence[int]
) -> None:
    audit.record(
        action=action,
        subject=made,
        by=by,
        now=now,
        site=made.gap.site,
        after={"gap": made.gap_id, "entries": list(entries)},
    )
