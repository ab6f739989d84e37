"""Moves journeys that ended long ago to the archive; with `--dry-run` only counts them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from reminders.keeping import journeys
from reminders.ledger import claiming


class Command(BaseCommand):
    help = "Archives closed journeys whose words are gone, as the workers do by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them and move nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = claiming.database_now()
        if dry_run:
            self.stdout.write(f"{journeys.waiting(now=now)} journeys would be archived.")
        else:
            moved = journeys.archive(now=now, seconds=float("inf"))
            self.stdout.write(f"{moved} journeys archived.")
