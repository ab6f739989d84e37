"""Linting a version against this clinic: its own addresses, people, treatments and sites."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from clinic.models import Modality, ProtocolVersion, Resource, ResourceKind
from reminders.catalogue import Kind
from reminders.models import WordingVersion
from reminders.rewording.scopes import Scope, sites_reached
from reminders.wording.findings import Finding
from reminders.wording.linting import House, lint
from reminders.wording.versions import Sources

TOKEN_LENGTH = 22
# Shorter names are words of the language as well.
SHORTEST_NAME = 4


def findings(sources: Sources, *, kind: Kind, language: str, scope: Scope) -> list[Finding]:
    """All that is to be said of these phrases, errors first. They must be tidied."""
    return lint(sources, kind=kind, language=language, house=house(scope, kind, language))


def of_row(row: WordingVersion) -> list[Finding]:
    """All that is to be said of a stored version."""
    return findings(row.sources, kind=Kind(row.kind), language=row.language, scope=row.site)


def house(scope: Scope, kind: Kind, language: str) -> House:
    """The clinic as the linter sees it, for words of this scope."""
    reached = sites_reached(scope, kind, language)
    return House(
        hosts=frozenset({urlsplit(settings.PUBLIC_URL).hostname or ""}),
        link=sample_link(),
        names=_names(),
        unaddressed=tuple(reached.filter(address="").values_list("name", flat=True)),
    )


def sample_link() -> str:
    """A link to the care page that opens nothing, as long as a real one."""
    return f"{settings.PUBLIC_URL}/p/{'x' * TOKEN_LENGTH}/"


def _names() -> tuple[str, ...]:
    """Names from which the treatment or who gives it could be guessed."""
    people = Resource.objects.filter(kind=ResourceKind.PROVIDER).values_list("name", flat=True)
    treatments = {
        *ProtocolVersion.objects.values_list("name", flat=True),
        *Modality.objects.values_list("name", flat=True),
    }
    surnames = {name.split()[-1] for name in people if " " in name}
    names = {*people, *surnames, *treatments}
    return tuple(sorted(name for name in names if len(name) >= SHORTEST_NAME))
