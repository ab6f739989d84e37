"""What those on the wait-list wish of a place, and which wishes no place could meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from appointments.models import WaitlistEntry
from appointments.proposing import loading
from appointments.refusals import WrongResource
from appointments.waitlist.refusals import WishesRefused
from clinic.models import Resource
from clinic.protocols import loading as protocols
from clinic.saying import gettext, language
from clinic.saying_days import format_day
from clinic.wall_time import MINUTES_A_DAY, local

NOTE_LENGTH = 200
MOST_PRIORITY = 9
MOST_NOTICE = 30 * MINUTES_A_DAY


@dataclass(frozen=True, slots=True)
class Wishes:
    """Conditions on the place: see WaitlistEntry. Empty `weekdays` are all of them."""

    weekdays: tuple[int, ...] = ()
    earliest: int = 0
    latest: int = MINUTES_A_DAY
    first_day: date | None = None
    last_day: date | None = None
    provider: Resource | None = None
    notice_minutes: int = 120
    priority: int = 0
    note: str = ""


ANY_PLACE = Wishes()


def set_wishes(entry: WaitlistEntry, wishes: Wishes, *, now: datetime) -> None:
    """Give an entry these wishes; it is not saved.

    Raises WishesRefused, and WrongResource for a provider who does not treat so.
    """
    _possible_times(wishes)
    _possible_days(wishes, entry, today=local(now, entry.site.zone).date())
    if not 0 <= wishes.priority <= MOST_PRIORITY:
        raise WishesRefused(
            gettext("The priority is 0 to %(most_priority)s.") % {"most_priority": MOST_PRIORITY},
            field="priority",
        )
    note = " ".join(wishes.note.replace("\x00", " ").split())
    if len(note) > NOTE_LENGTH:
        raise WishesRefused(
            gettext("Write at most %(note_length)s characters.") % {"note_length": NOTE_LENGTH},
            field="note",
        )
    if wishes.provider is not None:
        _treats(wishes.provider, entry)
    entry.weekdays = sorted(set(wishes.weekdays))
    entry.earliest, entry.latest = wishes.earliest, wishes.latest
    entry.first_day, entry.last_day = wishes.first_day, wishes.last_day
    entry.provider = wishes.provider
    entry.notice_minutes, entry.priority = wishes.notice_minutes, wishes.priority
    entry.note = note


def _possible_times(wishes: Wishes) -> None:
    if not set(wishes.weekdays) <= set(range(7)):
        raise WishesRefused(gettext("Weekdays are numbers from 0, Monday, to 6."), field="weekdays")
    if not 0 <= wishes.earliest <= wishes.latest <= MINUTES_A_DAY:
        raise WishesRefused(
            gettext("The latest start must not lie before the earliest."), field="latest"
        )
    if not 0 <= wishes.notice_minutes <= MOST_NOTICE:
        raise WishesRefused(gettext("The notice is at most 30 days."), field="notice_minutes")


def _possible_days(wishes: Wishes, entry: WaitlistEntry, *, today: date) -> None:
    first, last = wishes.first_day, wishes.last_day
    if last is not None and last < today:
        raise WishesRefused(gettext("The last day is past. Choose a later one."), field="last_day")
    if first is not None and last is not None and last < first:
        raise WishesRefused(
            gettext("The last day must not lie before the first."), field="last_day"
        )
    if entry.appointment is not None and first is not None:
        booked = local(entry.appointment.starts_at, entry.site.zone).date()
        if first > booked:
            raise WishesRefused(
                gettext("The visit is on %(booked)s already. Choose an earlier first day.")
                % {"booked": format_day(booked, language())},
                field="first_day",
            )


def _treats(provider: Resource, entry: WaitlistEntry) -> None:
    protocol = protocols.get(entry.protocol_version)
    eligible = Resource.objects.filter(loading.eligible_at(entry.site, protocol), is_active=True)
    if not eligible.filter(pk=provider.pk, kind="provider").exists():
        raise WrongResource(
            gettext(
                "%(provider)s does not treat by %(protocol)s at %(site)s. Choose another "
                "provider, or none."
            )
            % {
                "provider": provider.name,
                "protocol": protocol.name.get(language()),
                "site": entry.site.name,
            },
            field="provider",
        )
