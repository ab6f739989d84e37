"""Bring patients and visits of a former system over from a CSV file."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from appointments.api.imports import ImportSerializer
from appointments.importing import naming, reporting, uploading, working
from appointments.importing.decoding import BLOCK, Unreadable
from appointments.management import printing
from appointments.models import Import, ImportPhase, ImportState, RowOutcome
from appointments.refusals import Refused
from clinic.access import Forbidden
from clinic.models import Site, Staff

_ENDS = 1e9  # seconds; somebody waits and watches


class Command(BaseCommand):
    help = (
        f"{__doc__} Checks it first and prints what each row becomes; --dry-run leaves it at that."
        " Ends with 1 when rows are left to be mended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--site", required=True, help="the site's slug")
        parser.add_argument("--by", required=True, help="e-mail address of a manager of the site")
        parser.add_argument(
            "--mapping",
            default="",
            help='what the columns are, as JSON or a file of it: {"given": "First name", …};'
            " default: as for the last file with these columns, else guessed",
        )
        parser.add_argument(
            "--date-order",
            choices=("dmy", "mdy"),
            default="",
            help="of dates such as 03/04/2026; default: what the file tells",
        )
        parser.add_argument("--dry-run", action="store_true", help="only check")
        parser.add_argument("--errors", type=Path, help="write the rows to be mended there")
        parser.add_argument("--json", action="store_true", help="print JSON, as the API answers")

    def handle(self, *args: Any, **options: Any) -> None:
        by = Staff.objects.filter(email=options["by"].lower(), is_active=True).first()
        site = Site.objects.filter(slug=options["site"]).first()
        if site is None or by is None:
            raise CommandError("Name a --site by its slug, and a manager of it with --by.")
        try:
            source = self._prepared(site, by, options)
            source = self._done(working.check(source=source, by=by, now=timezone.now()))
            if not options["dry_run"] and source.state == ImportState.CHECKED:
                source = self._done(working.run(source=source, by=by, now=timezone.now()))
        except (Refused, Unreadable, Forbidden) as refused:
            raise CommandError(refused.sentence) from None
        if source.state == ImportState.FAILED:
            raise CommandError(source.problem)
        found = reporting.counts(source)
        if options["errors"]:
            options["errors"].write_text("".join(reporting.to_be_mended(source)), encoding="utf-8")
        self.stdout.write(_as_json(source) if options["json"] else _text(source, found, self))
        if any(found.get(outcome) for outcome in reporting.OPEN):
            sys.exit(1)

    def _prepared(self, site: Site, by: Staff, options: Mapping[str, Any]) -> Import:
        now = timezone.now()
        source = uploading.take_in(
            blocks=_blocks(options["file"]), name=options["file"].name, site=site, by=by, now=now
        )
        offer = naming.offered(source)
        return naming.name(
            source=source,
            mapping=_mapping(options["mapping"]) or offer.mapping,
            date_order=options["date_order"] or offer.date_order,
            by=by,
            now=now,
        )

    def _done(self, source: Import) -> Import:
        """The import when its work is done, which a bar shows meanwhile."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
            bar = progress.add_task("Starting", total=None)

            def told(at: Import) -> None:
                label = str(ImportPhase(at.phase).label) if at.phase else "Done"
                progress.update(bar, description=label, completed=at.done, total=at.total or None)

            working.work(clock=timezone.now, seconds=_ENDS, only=source, told=told)
        source.refresh_from_db()
        return source


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None


def _mapping(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text("utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise CommandError('--mapping is JSON such as {"given": "First name"}, or a file of it.')
    return found


def _as_json(source: Import) -> str:
    return json.dumps(ImportSerializer(source).data, indent=2)


def _text(source: Import, found: Mapping[str, int], command: BaseCommand) -> str:
    rows = [(str(RowOutcome(name).label), f"{count:,}") for name, count in found.items()]
    title = f"{source.name}: {source.rows:,} rows, {source.get_state_display().lower()}"
    table = printing.table("", ("Outcome", "Rows"), rows)
    return printing.rendered(title, table, colour=command.stdout.isatty())
