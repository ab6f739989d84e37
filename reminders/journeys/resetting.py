"""What other settings of a site would do: to messages that wait, to visits, to words that are kept.
Changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from appointments.lifecycle import TO_COME
from appointments.models import Appointment, TreatmentSeries
from clinic.models import Site
from clinic.wall_time import instant
from reminders.catalogue import Channel, MessageState, Tray
from reminders.journeys import comparing_plans
from reminders.journeys.comparing_plans import MOST_PATIENTS, Effect
from reminders.journeys.gathering import facts_of, site_facts
from reminders.models import Message, SentContent

# On which channel a setting is read; the rest is in both.
_SAID_ON = {
    "sms_name": (Channel.SMS,),
    "sms_number": (Channel.SMS,),
    "address": (Channel.EMAIL,),
    "email_address": (Channel.EMAIL,),
    "reply_to": (Channel.EMAIL,),
    "name": (Channel.EMAIL,),
    "phone": tuple(Channel),
}


@dataclass(frozen=True, slots=True)
class Resetting:
    """`plan` is None when nothing is planned otherwise. So many texts and e-mails that wait would
    leave with other words or from another sender; so many that wait would never be sent
    (`silenced`), or be sent after all (`voiced`); so many visits to come would have to be complete
    before treatment; so many sent messages would lose their words by tomorrow (`emptied`)."""

    plan: Effect | None = None
    texts: int = 0
    emails: int = 0
    silenced: int = 0
    voiced: int = 0
    visits: int = 0
    emptied: int = 0

    @property
    def touches(self) -> bool:
        """Whether anything that stands would be otherwise."""
        counted = (self.texts, self.emails, self.silenced, self.voiced, self.visits, self.emptied)
        return any(counted) or bool(self.plan and self.plan.messages)


def foresee(
    *, site: Site, changes: Mapping[str, Any], now: datetime, most: int = MOST_PATIENTS
) -> Resetting:
    """What giving `site` these settings (of `clinic.site_settings`, checked) would change."""
    other = copy(site)
    for name, value in changes.items():
        setattr(other, name, value)
    changed = {name for name, value in changes.items() if getattr(site, name) != value}
    waiting = Message.objects.filter(
        site=site, tray=Tray.TO_COME, state=MessageState.SCHEDULED, expires_at__gt=now
    )
    said_on = {channel for name in changed for channel in _SAID_ON.get(name, ())}
    by_channel = dict(
        waiting.filter(channel__in=said_on).order_by().values_list("channel").annotate(Count("pk"))
    )
    silenced = voiced = 0
    if "live_from" in changed:
        before, after = _is_sent(site), _is_sent(other)
        silenced = waiting.filter(before).exclude(after).count()
        voiced = waiting.filter(after).exclude(before).count()
    return Resetting(
        plan=_plan(site, other, now, most),
        texts=by_channel.get(Channel.SMS, 0),
        emails=by_channel.get(Channel.EMAIL, 0),
        silenced=silenced,
        voiced=voiced,
        visits=_to_be_complete(site, other) if "clearance_from" in changed else 0,
        emptied=_emptied(site, other, now) if "words_kept_days" in changed else 0,
    )


def _plan(site: Site, other: Site, now: datetime, most: int) -> Effect | None:
    before, after = site_facts(site), site_facts(other)
    # A name and a first day stand in no message's time; the gate looks at the latter.
    is_planned_alike = replace(before, name=after.name, live_from=after.live_from) == after
    if is_planned_alike and site.clearance_from == other.clearance_from:
        return None
    # Those with a series under way first, as most is still to be said to them.
    here = TreatmentSeries.objects.filter(site=site).values("patient").order_by()
    counted = here.annotate(open=Count("pk", filter=Q(closed_at=None)))
    patients = list(counted.order_by("-open", "-patient").values_list("patient", flat=True))
    return comparing_plans.effect(
        patients, lambda known: facts_of(known.keys(), as_if=other), now=now, most=most
    )


def _is_sent(site: Site) -> Q:
    """Whether a message falls due once the site is live."""
    return Q(pk__in=()) if site.live_from is None else Q(due_at__gte=site.live_from)


def _to_be_complete(site: Site, other: Site) -> int:
    """Visits to come on whose day something lacking would bar treatment, and does not now."""
    if other.clearance_from is None:
        return 0
    visits = Appointment.objects.filter(
        site=site,
        state__in=TO_COME,
        starts_at__gte=instant(other.clearance_from, 0, site.zone),
    )
    if site.clearance_from is not None:
        visits = visits.filter(starts_at__lt=instant(site.clearance_from, 0, site.zone))
    return visits.count()


def _emptied(site: Site, other: Site, now: datetime) -> int:
    """Sent messages whose words are kept now and would not be."""
    return (
        SentContent.objects.filter(
            message__site=site,
            emptied_at=None,
            at__lt=now - timedelta(days=other.words_kept_days),
            at__gte=now - timedelta(days=site.words_kept_days),
        )
        .exclude(message__state__in=(MessageState.SCHEDULED, MessageState.SUBMITTING))
        .count()
    )
