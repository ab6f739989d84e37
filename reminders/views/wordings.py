"""/wording/: the words of every kind of message, in every language, and whose are in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.views.current_site import current_site
from patients.models.patient import Language
from reminders.catalogue import CATALOGUE, Kind
from reminders.models import WordingState, WordingVersion
from reminders.rewording import drafting, scopes
from reminders.rewording.scopes import EDITABLE, Scope
from reminders.wording.texts import SOURCES
from reminders.wording.versions import Sources, tidied

# The word of an address for whose words they are.
SITE, ALL = "site", "all"


@dataclass(frozen=True, slots=True)
class Place:
    """Which words a page is about, and who reads it at which site."""

    site: Site
    staff: Staff
    scope: Scope
    kind: Kind
    language: str

    @property
    def slug(self) -> str:
        return SITE if self.scope else ALL

    @property
    def address(self) -> list[str]:
        """The arguments of its addresses."""
        return [self.slug, self.kind, self.language]

    def common(self) -> dict[str, Any]:
        """What every page about it shows."""
        publishes = scopes.may(self.staff, Capability.PUBLISH_WORDING, self.scope)
        return {
            "site": self.site,
            "place": self,
            "language_word": Language(self.language).label,
            "may_write": scopes.may(self.staff, Capability.MANAGE_MESSAGES, self.scope),
            "may_publish": publishes,
            "who_publishes": ", ".join(access.roles_with(Capability.PUBLISH_WORDING)).lower(),
        }


def place_of(request: HttpRequest, scope: str, kind: str, language: str) -> Place:
    """The words that an address names; 404 when there are none, Forbidden unless the reader
    manages the messages of the site."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.MANAGE_MESSAGES, site)
    if kind not in EDITABLE or language not in SOURCES or scope not in (SITE, ALL):
        raise Http404
    return Place(site, staff, site if scope == SITE else None, Kind(kind), language)


def in_use(place: Place) -> tuple[Sources, str]:
    """The phrases that patients read now, and whose they are."""
    for scope in dict.fromkeys((place.scope, None)):
        if row := drafting.published_of(scope, place.kind, place.language):
            return row.sources, row.label
    return tidied(SOURCES[place.language][place.kind]), gettext(
        "The words that come with Afterglow"
    )


@require_safe
def wording_list(request: HttpRequest) -> HttpResponse:
    """Every kind with its languages: whose words are in force, and where a draft waits."""
    site, staff = current_site(request), cast(Staff, request.user)
    access.require(staff, Capability.MANAGE_MESSAGES, site)
    rows = WordingVersion.objects.for_sites([site.pk]).exclude(state=WordingState.RETIRED)
    held = {(row.kind, row.language, row.site_id, row.state): row for row in rows}
    languages = [(language.value, str(language.label)) for language in Language]
    kinds = [
        {
            "kind": kind,
            "purpose": CATALOGUE[kind].purpose,
            "cells": [_cell(held, kind, code, word, site) for code, word in languages],
        }
        for kind in EDITABLE
    ]
    context = {
        "site": site,
        "languages": languages,
        "kinds": kinds,
        "may_all": scopes.may(staff, Capability.MANAGE_MESSAGES, None),
    }
    return render(request, "reminders/wording/wording_list.html", context)


def _cell(
    held: dict[tuple[str, str, int | None, str], WordingVersion],
    kind: Kind,
    language: str,
    word: str,
    site: Site,
) -> dict[str, Any]:
    own, common = (held.get((kind, language, pk, WordingState.PUBLISHED)) for pk in (site.pk, None))
    return {
        "language": language,
        "word": word,
        "own": own,
        "common": common,
        "draft": held.get((kind, language, site.pk, WordingState.DRAFT)),
        "common_draft": held.get((kind, language, None, WordingState.DRAFT)),
    }
