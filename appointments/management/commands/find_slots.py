"""Print the free starts of one visit: the first ones, all of a day, those nearest to a time."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from appointments import proposing
from appointments.api.shapes import DayStartsSerializer, FoundStartsSerializer
from appointments.management import printing, treatment
from appointments.proposing.places import DayStarts, FoundStarts
from clinic.models import Site
from clinic.saying_days import format_day, read_on
from clinic.saying_times import format_when
from clinic.wall_time import local

MOST_STARTS = 500


class Command(BaseCommand):
    help = f"{__doc__} Ends with 1 when there is none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        treatment.add_options(parser)
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--day", default="", help="all starts of this local date")
        when.add_argument("--from", default="", help="not before this local date; default: today")
        when.add_argument(
            "--nearest", default="", help="those nearest to this time; wall time, or with Z"
        )
        parser.add_argument("--limit", type=int, default=20, help="how many; not for --day")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = treatment.asked(options, self.stderr.write)
        site: Site = asked["site"]
        limit = treatment.count(options["limit"], MOST_STARTS, "--limit")
        day = treatment.day(options["day"], "--day")
        first = treatment.day(options["from"], "--from")
        near = treatment.moment(options["nearest"], site.zone, "--nearest")
        if sum(each is not None for each in (day, first, near)) > 1:
            raise CommandError("Give one of --day, --from and --nearest.")
        found: DayStarts | FoundStarts
        with read_on(local(asked["now"], site.zone).date()):
            if day is not None:
                found = proposing.free_starts(day=day, **asked)
            else:
                found = proposing.search_starts(first_from=first, near=near, limit=limit, **asked)
            if options["json"]:
                shape = DayStartsSerializer if day else FoundStartsSerializer
                self.stdout.write(json.dumps(shape(found).data, indent=2))
            else:
                self.stdout.write(_text(found, site, near, colour=self.stdout.isatty()))
        if not found.places:
            sys.exit(1)


def _text(
    found: DayStarts | FoundStarts, site: Site, near: datetime | None, *, colour: bool
) -> str:
    if not found.places:
        until = format_when(found.until, site.zone, "en") if found.until else "not known"
        lines = (found.sentence, f"What binds: {found.binding}. Until: {until}.")
        return printing.rendered(*lines, colour=colour)
    title = f"{len(found.places)} free starts at {site.name} ({site.zone})"
    if isinstance(found, DayStarts):
        title += f" on {format_day(found.day)}"
    elif near is not None:
        title += f", the nearest to {format_when(near, site.zone, 'en')} first"
    rows = [printing.place(place, site.zone) for place in found.places]
    return printing.rendered(printing.table(title, printing.PLACE, rows), colour=colour)
