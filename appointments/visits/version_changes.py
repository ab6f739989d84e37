"""What another version of a protocol changes for a series: values of both, side by side.

Pure. Refuses to know the visits that must change for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appointments.finding.needs import need_of
from appointments.finding.ticks import TICK_SECONDS
from appointments.refusals import kind_in_words
from clinic.durations import in_words
from clinic.protocols.schema import Channel, Protocol, Step
from clinic.saying import gettext, language, noop

MINUTES_A_TICK = TICK_SECONDS // 60
_WAYS = {
    Channel.SMS: noop("text"),
    Channel.EMAIL: noop("e-mail"),
    Channel.APP: noop("care page"),
    Channel.CALL: noop("call by staff"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `what` is interval, length, set_up, clean_up or step; `name` says of what
    (a kind of resource, or the id of a step), `title` for people. An added step has no `before`,
    one that is gone no `after`."""

    what: str
    name: str
    title: str
    before: str
    after: str


def changes(old: Protocol, new: Protocol, areas: Sequence[str]) -> tuple[Change, ...]:
    """Everything that `new` changes for visits in `areas`; both must treat them."""
    return (*_times(old, new, areas), *_steps(old, new))


def _times(old: Protocol, new: Protocol, areas: Sequence[str]) -> Iterator[Change]:
    before, after = _interval(old), _interval(new)
    if before != after:
        yield Change("interval", "", gettext("From one session to the next"), before, after)
    was, need = need_of(old, areas), need_of(new, areas)
    if was.body != need.body:
        yield Change(
            "length", "", gettext("Length of a visit"), _minutes(was.body), _minutes(need.body)
        )
    for kind in dict.fromkeys((*was.windows, *need.windows)):
        first, second = was.windows.get(kind), need.windows.get(kind)
        for what, title in (("set_up", gettext("Set-up")), ("clean_up", gettext("Clean-up"))):
            one = _minutes(getattr(first, what)) if first else gettext("not needed")
            other = _minutes(getattr(second, what)) if second else gettext("not needed")
            if one != other:
                yield Change(
                    what,
                    kind,
                    gettext("%(title)s of the %(kind)s")
                    % {"title": title, "kind": kind_in_words(kind)},
                    one,
                    other,
                )


def _interval(protocol: Protocol) -> str:
    interval = protocol.series.interval
    if interval is None:
        return gettext("any")
    least, ideal, most = (
        in_words(each, language()) for each in (interval.min, interval.ideal, interval.max)
    )
    words = gettext("ideally %(ideal)s; at least %(min)s, at most %(max)s")
    return words % {"ideal": ideal, "min": least, "max": most}


def _minutes(ticks: int) -> str:
    return gettext("%(minutes_a_tick)s minutes") % {"minutes_a_tick": ticks * MINUTES_A_TICK}


def _steps(old: Protocol, new: Protocol) -> Iterator[Change]:
    old_steps, new_steps = ({step.id: step for step in protocol.steps} for protocol in (old, new))
    for name in dict.fromkeys((*old_steps, *new_steps)):
        before, after = old_steps.get(name), new_steps.get(name)
        if before != after:
            title = (after or before).title.get(language())  # type: ignore[union-attr]  # one of them is there
            was_said, is_said = _said(before), _said(after)
            if was_said == is_said:
                is_said = gettext("The same words at the same time, by other rules.")
            yield Change("step", name, title, was_said, is_said)


def _said(step: Step | None) -> str:
    """When a step is said, by which ways, and what."""
    if step is None:
        return ""
    when = gettext("at the time")
    if span := step.before or step.after:
        words = gettext("%(time)s before") if step.before else gettext("%(time)s after")
        when = words % {"time": in_words(span, language())}
    if ways := ", ".join(gettext(_WAYS[each]) for each in step.channels):
        when = f"{when} ({ways})"
    return f"{when}: {step.text.get(language())}"
