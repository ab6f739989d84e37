"""Proves that nothing was lost, doubled or sent against the rules; names every row that says no."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from appointments.management.printing import rendered, table
from reminders.ledger import claiming
from reminders.proving.checks import Check, Finding
from reminders.proving.proof import prove


class Command(BaseCommand):
    help = "Checks every promise against every row; exits with 1 and names the rows when one fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document, for a program")

    def handle(self, *args: Any, **options: Any) -> None:
        results = list(prove(now=claiming.database_now()))
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(*result) for result in results], indent=2))
        else:
            self.stdout.write(_as_text(results, colour=self.stdout.isatty()))
        if any(finding.faults for _, finding in results):
            raise SystemExit(1)


def _as_text(results: list[tuple[Check, Finding]], *, colour: bool) -> str:
    rows = [(each.name, each.holds, str(found.faults or "–")) for each, found in results]
    lines = [
        line
        for check, finding in results
        for line in (
            *(f"{check.name}: {name}" for name in finding.named),
            *_more(check, finding),
        )
    ]
    return rendered(table("Proof", ("Check", "Holds that", "Faults"), rows), *lines, colour=colour)


def _more(check: Check, finding: Finding) -> list[str]:
    left = finding.faults - len(finding.named)
    return [f"{check.name}: and {left} more"] if left else []


def _as_json(check: Check, finding: Finding) -> dict[str, object]:
    return {
        "check": check.name,
        "holds": check.holds,
        "faults": finding.faults,
        "named": list(finding.named),
    }
