"""Whose words they are, and who may change them: those of one site, or of the whole company."""

from __future__ import annotations

from django.db.models import QuerySet

from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from reminders.catalogue import SAID_NOW, Kind
from reminders.models import WordingState, WordingVersion

# What answers a patient at once or keeps them from harm stays in the words that come with the
# product: law and safety set them.
EDITABLE: tuple[Kind, ...] = tuple(kind for kind in Kind if kind not in SAID_NOW)

# None: the words of the company, which reach every site that has none of its own.
Scope = Site | None


def require(by: Staff, capability: Capability, scope: Scope) -> None:
    """Raise Forbidden unless `by` holds the capability at the site, or for all: at every site."""
    for site in [scope] if scope else Site.objects.all():
        access.require(by, capability, site)


def may(by: Staff, capability: Capability, scope: Scope) -> bool:
    """Whether `by` holds the capability at the site, or for all: at every site."""
    if scope is not None:
        return access.can(by, capability, scope)
    return all(access.can(by, capability, site) for site in Site.objects.all())


def seen_by(staff: Staff) -> QuerySet[WordingVersion]:
    """The versions of the sites that `staff` works at, and those of the company."""
    sites = access.sites_of(staff)
    rows = WordingVersion.objects.for_sites(list(sites.values_list("pk", flat=True)))
    return rows if sites else rows.none()


def sites_reached(scope: Scope, kind: Kind, language: str) -> QuerySet[Site]:
    """The sites whose messages are written with what is published here."""
    if scope is not None:
        return Site.objects.filter(pk=scope.pk)
    own = WordingVersion.objects.filter(
        state=WordingState.PUBLISHED, kind=kind, language=language, site__isnull=False
    )
    return Site.objects.exclude(pk__in=own.values("site_id"))
