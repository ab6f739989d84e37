"""What helps when a series finds no place, each with the press that does it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from appointments.proposing.places import Problem
from clinic.models import Site
from reminders.views.book_series.draft import Draft


@dataclass(frozen=True, slots=True)
class WayOut:
    """A sentence, with the words and the address of the link that lets go of what is in the way;
    both empty where a page cannot do it alone."""

    sentence: str
    act: str = ""
    address: str = ""


def of(problem: Problem | None, draft: Draft, site: Site) -> list[WayOut]:
    """The ways out in their order, the gentlest first."""
    if problem is None:
        return []
    return [WayOut(way.sentence, *_press(way.kind, draft, site)) for way in problem.relaxations]


def _press(kind: str, draft: Draft, site: Site) -> tuple[str, str]:
    if kind == "provider":
        return gettext("With anyone free"), _dates(replace(draft, provider_id=None), site)
    if kind == "wishes":
        return gettext("Any day and time"), _dates(replace(draft, only=False), site)
    if kind == "waitlist":
        wants = {"patient": draft.patient_id, "protocol": draft.version_id, "site": site.slug}
        return gettext("Put on the wait-list"), f"{reverse('waitlist-add')}?{urlencode(wants)}"
    return "", ""


def _dates(draft: Draft, site: Site) -> str:
    return f"{reverse('book-series-dates')}?site={site.slug}&{draft.query}"
