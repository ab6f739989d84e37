"""What staff chose about messages: not to send them, by which channel, at which time. Pure.

A choice not to send, or about the channel, is about one step of one session and outlives every move
of the visit. A time is about what one message says now; when that changes it lapses, and the
message that takes its place says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clinic.retelling import kept, moment, text
from clinic.saying import noop
from reminders.catalogue import Channel
from reminders.choosing import BOUND
from reminders.planning.facts import ChosenTime, Item, PatientFacts, SeriesFacts
from reminders.planning.merging import Wanted, crowd, message_of
from reminders.planning.wish import SKIPPED_BY_STAFF, Wish

OTHER = {Channel.SMS: Channel.EMAIL, Channel.EMAIL: Channel.SMS}
SWITCHED = {
    Channel.EMAIL: noop("Staff chose to say it by e-mail and not by text."),
    Channel.SMS: noop("Staff chose to say it by text and not by e-mail."),
}
AT_ANY_HOUR = noop("It may leave outside of the hours for care: a reason was given for it.")


def by_the_chosen_channel(patient: PatientFacts, wishes: Iterable[Wish]) -> list[Wish]:
    """`wishes`, those that staff switched on their other channel; once, if that says them too."""
    given = list(wishes)
    if not any(one.switched for one in patient.series):
        return given
    series = {one.id: one for one in patient.series}
    native = {wish.item for wish in given}
    result = []
    for wish in given:
        if not _is_switched(wish, series.get(wish.series_id or 0)):
            result.append(wish)
            continue
        item = wish.item._replace(channel=OTHER[wish.channel])
        if item not in native:
            result.append(wish._replace(item=item, why=(*wish.why, SWITCHED[item.channel])))
    return result


def _is_switched(wish: Wish, series: SeriesFacts | None) -> bool:
    return series is not None and _choice(wish) in series.switched


def skipped(patient: PatientFacts, wishes: list[Wish]) -> list[Wish]:
    """`wishes`, those that staff chose not to send marked so."""
    skips = {one.id: one.skips for one in patient.series if one.skips}
    if not skips:
        return wishes
    return [
        wish._replace(skip=SKIPPED_BY_STAFF)
        if _choice(wish) in skips.get(wish.series_id or 0, ())  # a place on offer is of none
        else wish
        for wish in wishes
    ]


def _choice(wish: Wish) -> tuple[int, str, str]:
    return wish.session, wish.item.chosen_step, str(wish.channel)


@dataclass(frozen=True, slots=True)
class Apart:
    """The messages that have a chosen time, and the wishes that are left to have their own."""

    messages: tuple[Wanted, ...]
    rest: tuple[Wish, ...]


def set_apart(patient: PatientFacts, wishes: Sequence[Wish]) -> Apart:
    """The messages to which staff gave a time stay as they were and leave then; nothing joins them.

    A time lapses when what the message said is not wanted any more as it was, or not of use any
    more by then. Of two that hold the same, the first counts.
    """
    if not patient.chosen:
        return Apart((), tuple(wishes))
    by_item = {wish.item: wish for wish in wishes}
    messages: list[Wanted] = []
    held: set[Item] = set()
    for chosen in patient.chosen:
        group = [by_item[item] for item in sorted(chosen.items - held) if item in by_item]
        if len(group) == len(chosen.items) and (message := _at_its_time(patient, group, chosen)):
            messages.append(message)
            held |= chosen.items
    rest = [wish for wish in wishes if wish.item not in held]
    lapsed = [chosen for chosen in patient.chosen if not chosen.items <= held]
    return Apart(tuple(messages), tuple(_told_of(lapsed, wish) for wish in rest))


def _at_its_time(patient: PatientFacts, group: list[Wish], chosen: ChosenTime) -> Wanted | None:
    if len({crowd(wish) for wish in group}) > 1 or group[0].waits_for:
        return None
    message = message_of(group)
    if message.skip not in ("", SKIPPED_BY_STAFF) or chosen.at >= message.expires_at:
        return None
    zone = _zone(patient, message.site_id)
    said = kept(
        "By the plan it is due on %(planned)s; %(by)s chose %(then)s.",
        planned=moment(message.due_at, zone),
        by=text(chosen.by),
        then=moment(chosen.at, zone),
    )
    why = (*message.why, said)
    is_put_off = chosen.at > message.due_at  # and so not what is said at once
    if chosen.at_any_hour:
        why = (*why, AT_ANY_HOUR)
    return message._replace(
        due_at=chosen.at,
        at_any_hour=chosen.at_any_hour,
        priority=max(message.priority, BOUND) if is_put_off else message.priority,
        why=why,
    )


def _zone(patient: PatientFacts, site_id: int) -> str:
    sites = [site for one in patient.series for site in (one.site, *(v.site for v in one.visits))]
    sites += [each.site for each in patient.invitations]  # whoever waits may have no series
    return next(site.zone for site in sites if site.id == site_id)


def _told_of(lapsed: Iterable[ChosenTime], wish: Wish) -> Wish:
    """A wish for which staff had chosen a time while it was said of another start, or together with
    something else, says that this is over."""
    said = (wish.item.anchor, wish.item.step, wish.channel)
    names = dict.fromkeys(
        chosen.by
        for chosen in lapsed
        if any((item.anchor, item.step, item.channel) == said for item in chosen.items)
    )
    over = tuple(
        kept(
            "%(by)s had given it another time, which does not hold any more: it has its own again.",
            by=text(name),
        )
        for name in names
    )
    return wish._replace(why=(*wish.why, *over)) if over else wish
