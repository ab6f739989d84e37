"""The words in which staff pages speak of entries, gaps and offers of the wait-list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.claiming import gaps
from appointments.models import Gap, Invitation, Offer, WaitlistEntry
from appointments.waitlist import hearing
from clinic.models import Site
from clinic.protocols import loading as protocols
from clinic.reader_language import reader_language
from clinic.saying_days import format_day
from clinic.saying_times import format_when
from clinic.wall_time import MINUTES_A_DAY

# How urgently somebody waits, by the number that is stored; the API takes larger ones.
PRIORITIES = (_("usual"), _("higher"), _("high"), _("urgent"))
WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry with what it waits for and its wishes."""

    entry: WaitlistEntry
    what: str
    wishes: str
    priority: str


@dataclass(frozen=True, slots=True)
class GapRow:
    """A gap of the list: `is_taken` when somebody booked over it, with its open offer if any."""

    gap: Gap
    minutes: int
    is_taken: bool
    offer: Offer | None
    left: str = ""


def entry_row(entry: WaitlistEntry) -> EntryRow:
    return EntryRow(
        entry, what(entry), wishes(entry), str(PRIORITIES[min(entry.priority, len(PRIORITIES) - 1)])
    )


def what(entry: WaitlistEntry) -> str:
    """What an entry waits for: "Earlier than Thu 18 Mar 10:00 (session 1/2)"."""
    if entry.appointment is not None and entry.series is not None:
        at = format_when(entry.appointment.starts_at, entry.site.zone, reader_language())
        session = gettext("session %(session)s/%(sessions)s") % {
            "session": entry.appointment.session,
            "sessions": entry.series.sessions,
        }
        return gettext("Earlier than %(at)s (%(session)s)") % {"at": at, "session": session}
    if entry.series is not None:
        return gettext("Next session of the series")
    return gettext("First visit")


def areas(entry: WaitlistEntry) -> str:
    known = protocols.get(entry.protocol_version).applicability.areas
    return ", ".join(known[area].name.get(reader_language()) for area in entry.areas)


def wishes(entry: WaitlistEntry) -> str:
    """The wishes in a line: "Mon, Thu · 14:00 to 17:00 · until Fri 26 Mar · 2 h notice"."""
    said = []
    if entry.weekdays:
        said.append(", ".join(str(WEEKDAYS[each]) for each in entry.weekdays))
    if hours := _hours(entry.earliest, entry.latest):
        said.append(hours)
    if entry.first_day:
        said.append(
            gettext("from %(first_day)s")
            % {"first_day": format_day(entry.first_day, reader_language())}
        )
    if entry.last_day:
        said.append(
            gettext("until %(last_day)s")
            % {"last_day": format_day(entry.last_day, reader_language())}
        )
    if entry.provider is not None:
        said.append(gettext("with %(provider)s") % {"provider": entry.provider.name})
    said.append(gettext("%(time)s notice") % {"time": _span(entry.notice_minutes)})
    return " · ".join(said)


def _hours(earliest: int, latest: int) -> str:
    """Between which times of the day, in minutes from midnight; empty when at any."""
    walls = {"earliest": _wall(earliest), "latest": _wall(latest)}
    if earliest and latest < MINUTES_A_DAY:
        return gettext("%(earliest)s to %(latest)s") % walls
    if earliest:
        return gettext("from %(earliest)s on") % walls
    return gettext("until %(latest)s") % walls if latest < MINUTES_A_DAY else ""


def gap_rows(found: Iterable[Gap], *, now: datetime) -> list[GapRow]:
    rows = list(found)
    taken = gaps.taken(rows, now=now)
    offers = {
        offer.gap_id: offer
        for offer in Offer.objects.open_at(now).filter(gap__in=rows).select_related("made_by")
    }
    return [
        GapRow(
            gap,
            int((gap.ends_at - gap.starts_at).total_seconds()) // 60,
            gap.pk in taken,
            offers.get(gap.pk),
            _left(offers[gap.pk], now) if gap.pk in offers else "",
        )
        for gap in rows
    ]


def _left(offer: Offer, now: datetime) -> str:
    """How long until an offer runs out, rounded up: "15 min", over a night "9 h 10 min"."""
    hours, minutes = divmod(-(-int((offer.expires_at - now).total_seconds()) // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def invitations(offer: Offer) -> list[Invitation]:
    return list(
        offer.invitations.select_related(
            "entry__patient",
            "entry__site",
            "entry__series",
            "entry__appointment",
            "entry__protocol_version__modality",
            "provider",
        )
    )


def said_when(at: datetime, site: Site) -> str:
    return format_when(at, site.zone, reader_language())


def wait_of(site: Site, *, now: datetime) -> str:
    """What to know before an offer is made at night; empty by day."""
    at = hearing.hears_at([site.zone], now=now)
    if at is None or at <= now:
        return ""
    return gettext(
        "Messages wait until %(at)s; the time to answer begins then. Call whoever "
        "should know sooner."
    ) % {"at": said_when(at, site)}


def _wall(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _span(minutes: int) -> str:
    if minutes and minutes % MINUTES_A_DAY == 0:
        return gettext("%(days)s d") % {"days": minutes // MINUTES_A_DAY}
    return (
        f"{minutes // 60} h"
        if minutes % 60 == 0
        else gettext("%(minutes)s min") % {"minutes": minutes}
    )
