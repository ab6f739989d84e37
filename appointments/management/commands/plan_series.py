"""Print ranked plans for a whole series, or why there is none and what would open one."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import RenderableType

from appointments import proposing
from appointments.api.shapes import ProposalSerializer
from appointments.finding import preference_words
from appointments.finding.plans import Points, Preference
from appointments.finding.preference_words import PreferenceUnreadable
from appointments.management import printing, treatment
from appointments.models.series import MOST_SESSIONS
from appointments.proposing.places import Problem, Proposal, ProposedPlan, ProposedVisit
from clinic.saying_days import read_on
from clinic.saying_times import format_when
from clinic.wall_time import local

COLUMNS = ("#", *printing.PLACE, "Days", "Points and reasons")
# What each kind of points is for.
_FOR = {
    "date": "date",
    "provider": "provider",
    "weekday": "weekday",
    "time": "time of day",
    "gap": "gap",
    "load": "device load",
    "finish": "finish",
    "moved": "moved",
}


class Command(BaseCommand):
    help = f"{__doc__} Ends with 1 when there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        treatment.add_options(parser)
        parser.add_argument("--sessions", type=int, required=True, help=f"1 to {MOST_SESSIONS}")
        parser.add_argument(
            "--from", default="", help="the first visit is not before this local date"
        )
        parser.add_argument(
            "--prefer", default=None, help='such as "thu,fri 14:00-18:00", "mon-fri", "mornings"'
        )
        parser.add_argument(
            "--only", action="store_true", help="what is preferred is a condition, not a wish"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = treatment.asked(options, self.stderr.write)
        sessions = treatment.count(options["sessions"], MOST_SESSIONS, "--sessions")
        preference = _preference(options["prefer"], options["only"])
        zone = asked["site"].zone
        with read_on(local(asked["now"], zone).date()):
            found = proposing.propose_series(
                sessions=sessions,
                first_from=treatment.day(options["from"], "--from"),
                preference=preference,
                **asked,
            )
            if options["json"]:
                self.stdout.write(json.dumps(ProposalSerializer(found).data, indent=2))
            else:
                areas = treatment.area_names(asked["version"], asked["areas"])
                head = (
                    f"{asked['version'].name}, {areas}, for patient {asked['patient'].pk} at"
                    f" {asked['site'].name} ({zone}), {preference_words.write(preference)}"
                    f"{' only' if preference.strict else ''}"
                )
                parts = [head, *_parts(found, zone)]
                self.stdout.write(printing.rendered(*parts, colour=self.stdout.isatty()))
        if found.problem is not None:
            sys.exit(1)


def _preference(text: str | None, only: bool) -> Preference:
    if text is None:
        if only:
            raise CommandError("--only: say with --prefer what alone is possible.")
        return Preference()
    try:
        return preference_words.read(text, strict=only)
    except PreferenceUnreadable as refused:
        raise CommandError(f"--prefer: {refused.sentence}") from None


def _parts(found: Proposal, zone: str) -> Iterator[RenderableType]:
    if found.problem is not None:
        yield from _problem(found.problem, zone)
    for number, plan in enumerate(found.plans, 1):
        yield ""
        yield _plan(number, plan, zone)
        yield " ".join(plan.reasons)


def _problem(problem: Problem, zone: str) -> Iterator[str]:
    until = format_when(problem.until, zone, "en") if problem.until else "not known"
    yield problem.sentence
    yield f"What binds: {problem.binding}. Until: {until}."
    for way in problem.relaxations:
        yield f"  – {way.sentence}"


def _plan(number: int, plan: ProposedPlan, zone: str) -> RenderableType:
    rows = [
        (
            str(visit.session),
            *printing.place(visit.place, zone),
            _days(visit, zone),
            "\n".join((_points(visit.points), " ".join(visit.reasons))),
        )
        for visit in plan.visits
    ]
    return printing.table(f"Plan {number} · {plan.points:.1f} points", COLUMNS, rows)


def _days(visit: ProposedVisit, zone: str) -> str:
    """Such as "28 of 21–28–42": the days since the session before, and least–ideal–most."""
    if visit.interval_days is None:
        return "–"
    before = local(visit.starts_at, zone).date() - timedelta(days=visit.interval_days)
    bounds = visit.bounds
    least, ideal, most = (
        (day - before).days for day in (bounds.earliest, bounds.ideal, bounds.latest)
    )
    return f"{visit.interval_days} of {least}–{ideal}–{most}"


def _points(points: Points) -> str:
    parts = [f"{_FOR[name]} {value:.1f}" for name, value in asdict(points).items() if value >= 0.05]
    return f"{points.total:.1f}" + (f" ({', '.join(parts)})" if parts else "")
