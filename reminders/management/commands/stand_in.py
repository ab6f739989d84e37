"""Runs the stand-in for the text and mail providers (demo and tests)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reminders.stand_in.__main__ import add_arguments, serve


class Command(BaseCommand):
    help = "Receive texts and mail in place of the real providers, until SIGTERM or Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            serve(
                host=options["host"],
                http_port=options["http_port"],
                smtp_port=options["smtp_port"],
                data=options["data"],
                callback_delay=options["callback_delay"],
                account_sid=options["account_sid"],
                auth_token=options["auth_token"],
            )
        except OSError as taken:
            raise CommandError(f"The stand-in cannot open its ports: {taken.strerror}.") from taken
