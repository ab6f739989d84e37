"""Print the whole message calendar of a journey that nobody has booked."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError

from appointments.models.series import MOST_SESSIONS
from clinic import saying_times, wall_time
from clinic.protocols import loading, reading
from clinic.protocols.schema import Protocol
from clinic.retelling import retold
from reminders.catalogue import Channel
from reminders.channels import agreements
from reminders.gate import Recipient
from reminders.journeys import preview
from reminders.journeys.preview import Preview
from reminders.planning.facts import PatientFacts, SiteFacts
from reminders.wording.lettering import Reader, Sender

PURPOSES = ("care", "marketing", "photos", "phi_detail")
# A patient and a clinic who do not exist; links as long as real ones.
SENDER = Sender("Harbour Skin Clinic", "Harbour Skin", "+1 212 555 0100", "1 Harbour Street")
LINK = "https://clinic.example/p/preview-preview-prev/"
HOLD = timedelta(minutes=3)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("protocol", help="the protocol's id, such as rf_microneedling")
        parser.add_argument("--start", required=True, help="first visit, wall time of the site")
        parser.add_argument("--site-zone", required=True, help="IANA zone of the site")
        parser.add_argument("--patient-zone", default="", help="IANA zone, when another")
        parser.add_argument("--booked-at", default="", help="wall time of the site")
        parser.add_argument("--sessions", type=int, help="default: the protocol's typical count")
        parser.add_argument("--interval-days", type=int, help="default: the protocol's ideal")
        parser.add_argument("--areas", default="", help="area ids, by comma; default: the first")
        parser.add_argument("--language", choices=("en", "es"), default="en")
        parser.add_argument(
            "--consents",
            default=",".join(PURPOSES),
            help=f"of {', '.join(PURPOSES)}, by comma",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = _calendar(options)
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(line) for line in lines], indent=2))
            return
        for line in lines:
            self.stdout.write(_as_text(line, options["site_zone"]))


def _calendar(options: dict[str, Any]) -> list[Preview]:
    protocol = _protocol(options["protocol"])
    zone = _zone(options["site_zone"], "--site-zone")
    patient_zone = _zone(options["patient_zone"], "--patient-zone") or ""
    start = _wall(options["start"], zone, "--start")
    booked_at = _wall(options["booked_at"], zone, "--booked-at") if options["booked_at"] else None
    areas = _areas(protocol, options["areas"])
    site = SiteFacts(id=0, name=SENDER.clinic_name, zone=zone, hold=HOLD)
    series = preview.imagined_series(
        protocol=protocol,
        areas=areas,
        site=site,
        visits=preview.evenly_spaced(
            start=start,
            sessions=_sessions(protocol, options["sessions"]),
            interval_days=_interval(protocol, options["interval_days"]),
            minutes=protocol.chair_minutes(areas) + protocol.numbing_minutes(areas),
            zone=zone,
        ),
        # Booked long enough before for everything that the protocol has to say.
        booked_at=booked_at or start - timedelta(days=60),
    )
    if series.visits[0].scheduled_at >= start:
        raise CommandError("--booked-at must be before --start.")
    consents = _consents(options["consents"])
    return preview.calendar(
        patient=PatientFacts(id=0, is_deceased=False, series=(series,)),
        recipients={channel: _recipient(consents, patient_zone or zone) for channel in Channel},
        reader=Reader(
            first_name="Elena",
            language=options["language"],
            zone=patient_zone,
            detail=agreements.mail_names_treatment(consents),
        ),
        sender=SENDER,
        care_url=LINK,
        unsubscribe_url=LINK,
    )


def _recipient(consents: frozenset[tuple[str, str]], zone: str) -> Recipient:
    return Recipient(
        consents=consents,
        address="preview",
        suppressed="",
        zones=(zone,),
        live_from=datetime(1970, 1, 1, tzinfo=UTC),
    )


# --- Reading the options --------------------------------------------------------------------------


def _protocol(name: str) -> Protocol:
    file = loading.LIBRARY / f"{name}.toml"
    if not name.replace("_", "").isalnum() or not file.exists():
        known = ", ".join(sorted(path.stem for path in loading.LIBRARY.glob("*.toml")))
        raise CommandError(f"There is no protocol '{name}'. Known: {known}.")
    return reading.read(file.read_text(encoding="utf-8"), filename=file.name)


def _zone(name: str, option: str) -> str:
    if name and name not in available_timezones():
        raise CommandError(f"{option}: '{name}' is not an IANA time zone, e.g. America/New_York.")
    return name


def _wall(text: str, zone: str, option: str) -> datetime:
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: '{text}' is not a time; write 2027-03-12T10:00.") from None
    if wall.tzinfo is not None:
        raise CommandError(f"{option}: write the wall time of the site, without an offset.")
    try:
        return wall_time.resolve(wall, zone)
    except (wall_time.WallTimeMissing, wall_time.WallTimeRepeats) as refused:
        raise CommandError(f"{option}: {refused.sentence}") from None


def _sessions(protocol: Protocol, wanted: int | None) -> int:
    allowed = protocol.series.sessions
    if wanted is None:
        return allowed.typical
    if not 1 <= wanted <= MOST_SESSIONS:
        raise CommandError(f"--sessions: between 1 and {MOST_SESSIONS}.")
    return wanted


def _interval(protocol: Protocol, wanted: int | None) -> int:
    if wanted is None:
        interval = protocol.series.interval
        return interval.ideal.approximate_seconds // 86_400 if interval else 28
    if not 1 <= wanted <= 730:
        raise CommandError("--interval-days: between 1 and 730.")
    return wanted


def _areas(protocol: Protocol, text: str) -> list[str]:
    known = list(protocol.applicability.areas)
    chosen = [area.strip() for area in text.split(",") if area.strip()] or known[:1]
    if unknown := [area for area in chosen if area not in known]:
        raise CommandError(f"--areas: there is no '{unknown[0]}'. Known: {', '.join(known)}.")
    return chosen


def _consents(text: str) -> frozenset[tuple[str, str]]:
    chosen = [purpose.strip() for purpose in text.split(",") if purpose.strip()]
    if unknown := [purpose for purpose in chosen if purpose not in PURPOSES]:
        raise CommandError(f"--consents: '{unknown[0]}' is not one of {', '.join(PURPOSES)}.")
    return frozenset(
        (purpose, channel)
        for purpose in chosen
        for channel in (("sms", "email") if purpose in ("care", "marketing") else ("any",))
    )


# --- Writing --------------------------------------------------------------------------------------


def _as_json(line: Preview) -> dict[str, Any]:
    return {
        "key": line.key,
        "kind": line.kind,
        "steps": list(line.steps),
        "session": line.session,
        "channel": line.channel,
        "purpose": line.purpose,
        "due_at": _instant(line.due_at),
        "send_at": _instant(line.send_at) if line.decision != preview.SKIP else None,
        "expires_at": _instant(line.expires_at),
        "decision": line.decision,
        "reason": line.reason,
        "why": [retold(each) for each in line.why],
        "subject": line.subject,
        "body": line.body,
        "segments": line.segments,
    }


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _as_text(line: Preview, zone: str) -> str:
    when = saying_times.format_when(line.at, zone, "en")
    head = f"{when}  {line.decision:<10} {line.channel:<5} {line.kind}"
    about = f"session {line.session}" if line.session else "the series"
    steps = f"  ({', '.join(line.steps)})" if line.steps else ""
    reasons: Sequence[str] = line.why
    said = line.subject or line.body.splitlines()[0]
    return "\n".join(
        [
            f"{head} · {about}{steps}",
            f"    {said}",
            *(f"    – {retold(why)}" for why in reasons),
        ]
    )
