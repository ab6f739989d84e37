"""Removes the words that sites keep no longer; with `--dry-run` only says how many they are."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from appointments.management.printing import rendered, table
from clinic.models import Site
from reminders.keeping import words
from reminders.ledger import claiming

COLUMNS = ("Site", "Keeps words for", "Sent", "Drafts of staff", "Replies")


class Command(BaseCommand):
    help = "Removes the words that sites keep no longer, as the workers do by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them and remove nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = claiming.database_now()
        going = words.going(now=now)
        rows = [
            (
                site.name,
                f"{site.words_kept_days} days",
                *(str(going[shelf.name].get(site.pk, 0)) for shelf in words.SHELVES),
            )
            for site in Site.objects.order_by("name")
        ]
        self.stdout.write(
            rendered(table("Words to go", COLUMNS, rows), colour=self.stdout.isatty())
        )
        if dry_run:
            return
        removed = sum(words.remove(now=now, seconds=float("inf")).values())
        self.stdout.write(f"{removed} removed.")
