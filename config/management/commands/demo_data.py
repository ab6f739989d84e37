"""Build the clinic of the demo: two sites, their patients, visits and messages.

A second run finds it and changes nothing. Refuses a database that holds anybody else's data.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from config import demo_data
from config.demo_data import arrivals, journeys, people


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seed",
            type=int,
            default=demo_data.DEFAULT_SEED,
            help="The same seed on the same day gives the same clinic.",
        )
        parser.add_argument(
            "--patients",
            type=int,
            default=people.COUNT,
            help=f"How many, {people.FEWEST} at least.",
        )
        parser.add_argument(
            "--weeks",
            type=int,
            default=journeys.WEEKS_BACK,
            help="How long ago the first visits were, one at least.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        if options["patients"] < people.FEWEST:
            raise CommandError(f"The demo's clinic has {people.FEWEST} patients at least.")
        if options["weeks"] < 1:
            raise CommandError("The demo's clinic has been open for one week at least.")
        try:
            if demo_data.is_built():
                self.stdout.write("The demo's clinic is there already.")
                return
        except demo_data.Foreign as refused:
            raise CommandError(str(refused)) from None
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task("", total=1)
            demo_data.build(
                now=timezone.now(),
                seed=options["seed"],
                count=options["patients"],
                weeks_back=options["weeks"],
                progress=lambda what, share: shown.update(task, description=what, completed=share),
            )
        # Building took a while; what a newcomer shall see arrive is still to come.
        arrivals.spread(now=timezone.now())
        self.stdout.write(f"Built the demo's clinic in {time.monotonic() - begun:.0f} s.")
