"""From what a message says (its items) and what is known of the patient to a letter. Pure.

The one way to a letter: the dispatcher and the preview both take it, so that what staff saw
before booking is what the patient gets. Refuses to know how a letter is worded (`wording`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from clinic import saying_times, wall_time
from clinic.protocols.schema import Protocol, Step
from reminders.catalogue import Channel, Kind
from reminders.planning import steps
from reminders.planning.facts import (
    InvitationFacts,
    Item,
    PatientFacts,
    SeriesFacts,
    VisitFacts,
)
from reminders.wording.rendering import Letter, LetterStep, LetterVisit


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it. `zone` is empty when the patient lives in the site's; `detail` is whether
    e-mail may name the treatment; `first_sms` whether the opt-out line is due; `reads_at` when it
    is read: a date that is far from then has its year."""

    first_name: str
    language: str
    zone: str = ""
    detail: bool = False
    first_sms: bool = False
    reads_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """The site as patients know it."""

    clinic_name: str
    sms_name: str
    phone: str
    address: str
    review_url: str = ""


def letter(
    *,
    kind: Kind,
    channel: Channel,
    items: Sequence[Item],
    patient: PatientFacts,
    reader: Reader,
    sender: Sender,
    care_url: str = "",
    unsubscribe_url: str = "",
    text: str = "",
) -> Letter:
    """The letter that says `items`; items of visits that are gone from the facts are left out.

    `text` is what it says besides, in words of somebody's own.
    """
    about = list(_about(items, patient))
    spoken = _spoken_of(kind, about)
    protocols = [series.protocol_of(visit) for series, visit, _ in about]
    offered = _offered(items, patient)
    return Letter(
        kind=kind,
        channel=channel,
        language=reader.language,
        first_name=reader.first_name,
        clinic_name=sender.clinic_name,
        sms_name=sender.sms_name,
        phone=sender.phone,
        address=sender.address,
        visits=(_offered_visit(offered, reader),) if offered else tuple(_visits(spoken, reader)),
        steps=tuple(_steps(about, reader)),
        care_url=care_url,
        detail=reader.detail,
        treatment=spoken[0][0].treatment_of(spoken[0][1], reader.language) if spoken else "",
        first_sms=reader.first_sms,
        unsubscribe_url=unsubscribe_url,
        until=_until(offered, reader) if offered else "",
        warnings=tuple(_warnings(protocols, reader)),
        text=text,
        review_url=sender.review_url,
        fills_in=any(item.step == Kind.FILL_IN for _, _, item in about),
    )


def led_by(kind: Kind, items: Sequence[Item], patient: PatientFacts) -> list[Item]:
    """Those of the items whose visits a letter of this kind speaks of, and its link opens."""
    return [item for _, _, item in _spoken_of(kind, list(_about(items, patient)))]


_About = tuple[SeriesFacts, VisitFacts, Item]
# What follows a treatment. A letter of one of these speaks of visits that are over, any other of
# those to come: one may take in steps of the other side, whose visits it does not name.
_FOLLOWS = frozenset({Kind.POSTCARE_0, Kind.POSTCARE_STEP, Kind.CHECKIN, Kind.PROGRESS_MILESTONE})


def _spoken_of(kind: Kind, about: list[_About]) -> list[_About]:
    own = [each for each in about if _follows(each) == (kind in _FOLLOWS)]
    return own or about


def _follows(about: _About) -> bool:
    """Whether an item is said after a treatment."""
    _, _, item = about
    step = _step_of(about)
    return item.step in _FOLLOWS if step is None else step.before is None


def _step_of(about: _About) -> Step | None:
    """The step of the protocol that an item is; None for what every visit has."""
    series, visit, item = about
    return next((one for one in series.protocol_of(visit).steps if one.id == item.step), None)


def _about(items: Sequence[Item], patient: PatientFacts) -> Iterator[_About]:
    """Each item with its series and visit; what is anchored to a series goes with its last."""
    by_visit = {
        visit.anchor: (series, visit) for series in patient.series for visit in series.visits
    }
    by_series = {
        series.anchor: (series, max(series.visits, key=lambda visit: visit.starts_at))
        for series in patient.series
        if series.visits
    }
    for item in items:
        found = by_visit.get(item.anchor) or by_series.get(item.anchor)
        if found is not None:
            yield (*found, item)


def _visits(about: Sequence[_About], reader: Reader) -> Iterator[LetterVisit]:
    """The visits in order of time, each once."""
    seen = {visit.id: (series, visit) for series, visit, _ in about}
    for series, visit in sorted(seen.values(), key=lambda pair: pair[1].starts_at):
        told = visit.told_start
        moved = told is not None and told != visit.starts_at
        yield LetterVisit(
            session=visit.session,
            sessions=series.sessions,
            when=_when(visit, reader),
            previous_when=_said(told, visit.site.zone, reader, with_zone=False)
            if told is not None and moved
            else "",
        )


def _offered(items: Sequence[Item], patient: PatientFacts) -> InvitationFacts | None:
    """The place on offer that a message is about; it is about one or none."""
    anchors = {item.anchor for item in items}
    return next((each for each in patient.invitations if each.anchor in anchors), None)


def _offered_visit(offered: InvitationFacts, reader: Reader) -> LetterVisit:
    """The place on offer, in the place of the present visit if there is one."""
    zone = offered.site.zone
    return LetterVisit(
        session=offered.session,
        sessions=offered.sessions,
        when=_at(offered.starts_at, zone, reader),
        previous_when=_at(offered.comes_at, zone, reader) if offered.comes_at else "",
    )


def _until(offered: InvitationFacts, reader: Reader) -> str:
    """The end of the offer: the time alone when that is on the day on which it was made."""
    zone = offered.site.zone
    made, ends = (wall_time.local(at, zone).date() for at in (offered.made_at, offered.expires_at))
    abroad = _is_abroad(zone, reader)
    said = saying_times.when(
        offered.expires_at, zone, reader.language, with_zone=abroad, seen_at=reader.reads_at
    )
    return said.time if made == ends else said.brief


def _when(visit: VisitFacts, reader: Reader) -> str:
    return _at(visit.starts_at, visit.site.zone, reader)


def _at(at: datetime, zone: str, reader: Reader) -> str:
    """A moment on the site's clock, with its zone when the patient lives by another."""
    return _said(at, zone, reader, with_zone=_is_abroad(zone, reader))


def _said(at: datetime, zone: str, reader: Reader, *, with_zone: bool) -> str:
    seen_at = reader.reads_at
    return saying_times.when(at, zone, reader.language, with_zone=with_zone, seen_at=seen_at).brief


def _is_abroad(zone: str, reader: Reader) -> bool:
    return bool(reader.zone) and reader.zone != zone


def _steps(about: Sequence[_About], reader: Reader) -> Iterator[LetterStep]:
    """What the steps ask, each topic and directive once (the one that holds longest)."""
    said: dict[tuple[str, str], tuple[SeriesFacts, VisitFacts, Step]] = {}
    for each in about:
        series, visit, _ = each
        step = _step_of(each)
        if step is None:
            continue
        topic = (step.topic, step.directive)
        if topic not in said or _holds(step) > _holds(said[topic][2]):
            said[topic] = (series, visit, step)
    for _, visit, step in said.values():
        late = steps.is_late(step, visit)
        text = step.late_text if late and step.late_text is not None else step.text
        yield LetterStep(
            title=step.title.get(reader.language),
            text=text.get(reader.language),
            kind=step.kind,
            late=late,
            is_after=step.before is None,
        )


def _holds(step: Step) -> int:
    """A key to order bans by how long they hold after the session."""
    hold = step.hold_until
    return hold.after.approximate_seconds if hold is not None and hold.after is not None else 0


def _warnings(protocols: Sequence[Protocol], reader: Reader) -> Iterator[str]:
    """The signs after which the patient must call, each once."""
    yield from dict.fromkeys(
        warning.sign.get(reader.language) for one in protocols for warning in one.warnings
    )
