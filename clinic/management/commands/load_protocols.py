"""Load the protocol library and its consent forms as drafts; loading twice changes nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.consent_forms import loading as consent_forms
from clinic.protocols import loading


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--directory",
            type=Path,
            default=loading.LIBRARY,
            help="Where the *.toml files are (default: the library that comes along).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = loading.load_library(directory=options["directory"], now=timezone.now())
        except loading.LoadRefused as refused:
            raise CommandError("\n".join(["Nothing was loaded.", *refused.problems])) from None
        for version in report.added:
            self.stdout.write(f"added      {version} (draft)")
        for version in report.unchanged:
            self.stdout.write(f"unchanged  {version}")
        if not report.added and not report.unchanged:
            self.stdout.write(f"No *.toml file in {options['directory']}")
        if options["directory"] != loading.LIBRARY:
            return
        for form in consent_forms.load_library(now=timezone.now()):
            self.stdout.write(f"added      consent form {form} (draft)")
