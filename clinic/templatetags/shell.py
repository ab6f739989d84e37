"""What the frame around every staff page needs: its ways, its sites, its preferences."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template.context import RequestContext
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic import access
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.views.current_site import known_site
from clinic.views.preferences import (
    COMPACT,
    DENSITY_COOKIE,
    KEYS_COOKIE,
    THEME_COOKIE,
    THEMES,
)

register = template.Library()


@dataclass(frozen=True, slots=True)
class Way:
    """One entry of the navigation; `needs` is the capability without which it is not shown, `key`
    what is pressed after G, and `covers` are the beginnings of other pages that it leads to."""

    label: Promise
    path: str
    icon: str
    needs: Capability
    key: str = ""
    covers: tuple[str, ...] = ()

    def leads_to(self, path: str) -> bool:
        return path.startswith((self.path, *self.covers))


# Addresses, not names: the pages above this app are not its to name.
WAYS = (
    Way(_("Board"), "/board/", "calendar", Capability.SEE_PATIENTS, "b", ("/day/", "/visits/")),
    Way(_("My day"), "/my-day/", "syringe", Capability.CHART, "d", ("/log/", "/phrases/")),
    Way(
        _("Patients"),
        "/patients/",
        "people",
        Capability.SEE_PATIENTS,
        "p",
        ("/photos/", "/signed-forms/"),
    ),
    Way(_("Messages"), "/messages/", "mail", Capability.MANAGE_MESSAGES, "m", ("/wording/",)),
    Way(_("Inbox"), "/inbox/", "text", Capability.RUN_VISIT, "i"),
    Way(_("Tasks"), "/tasks/", "list", Capability.SEE_PATIENTS, "k"),
    Way(_("Wait-list"), "/waitlist/", "hourglass", Capability.SEE_PATIENTS, "w"),
    Way(_("Recall"), "/recall/", "phone", Capability.SEE_PATIENTS, "r"),
    Way(_("Protocols"), "/protocols/", "book", Capability.SEE_PATIENTS, "o"),
)

# What is seldom needed stands in the menus only.
SELDOM = (
    Way(_("Blocks"), "/blocks/", "barred", Capability.SEE_PATIENTS),
    Way(_("Adverse events"), "/events/", "warning", Capability.SEE_PATIENTS),
    Way(_("On call"), "/on-call/", "bell", Capability.SEE_PATIENTS),
    Way(_("Consent forms"), "/consent-forms/", "edit", Capability.SEE_PATIENTS),
    Way(_("Opening hours"), "/hours/", "clock", Capability.SEE_PATIENTS),
    Way(_("Site settings"), "/settings/", "site", Capability.MANAGE_SITE, covers=("/sites/",)),
    Way(_("Staff"), "/staff/", "people", Capability.MANAGE_SITE),
    Way(_("Resources"), "/resources/", "syringe", Capability.MANAGE_SITE, covers=("/modalities/",)),
    Way(_("Scheduling"), "/scheduling/", "settings", Capability.MANAGE_SITE),
    Way(_("Reports"), "/reports/", "list", Capability.SEE_REPORTS),
    Way(_("Import"), "/imports/", "people", Capability.IMPORT),
    Way(_("Keeping records"), "/retention/", "clock", Capability.MANAGE_SITE),
    Way(_("Calendar feeds"), "/feeds/", "calendar", Capability.SEE_PATIENTS),
    Way(_("Audit"), "/audit/", "search", Capability.SEE_AUDIT),
)
# As many ways stand in the narrow bars; the others are behind "More" there.
FIRST_WAYS = 4


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page for one reader; a stranger's has no ways and no sites. `current` is the
    path of the way that leads to the page."""

    ways: tuple[Way, ...]
    seldom: tuple[Way, ...]
    current: str
    site: Site | None
    sites: tuple[Site, ...]
    roles: str
    may_book: bool
    look: str
    keys: bool
    is_demo: bool

    @property
    def first(self) -> tuple[Way, ...]:
        return self.ways[:FIRST_WAYS]

    @property
    def others(self) -> tuple[Way, ...]:
        return self.ways[FIRST_WAYS:]

    @property
    def is_behind_more(self) -> bool:
        """Whether this page is one of those that a narrow bar does not name."""
        return any(way.path == self.current for way in (*self.others, *self.seldom))


@register.simple_tag(takes_context=True)
def shell(context: RequestContext) -> Shell:
    """{% shell as shell %}: everything that base.html shows around a page."""
    request: HttpRequest = context["request"]
    theme, density = (request.COOKIES.get(each, "") for each in (THEME_COOKIE, DENSITY_COOKIE))
    staff = getattr(request, "user", None)
    known = staff if isinstance(staff, Staff) else None
    held = access.capabilities(known) if known else frozenset()
    site = known_site(request) if known else None
    ways = tuple(way for way in WAYS if way.needs in held)
    seldom = tuple(way for way in SELDOM if way.needs in held)
    here = (way.path for way in (*ways, *seldom) if way.leads_to(request.path))
    return Shell(
        ways=ways,
        seldom=seldom,
        current=next(here, ""),
        site=site,
        sites=access.sites_at_hand(known) if known else (),
        roles=", ".join(access.roles_at(known, site)) if known and site else "",
        may_book=Capability.BOOK in held,
        look=" ".join(each for each in (theme, density) if each in (*THEMES, COMPACT)),
        keys=request.COOKIES.get(KEYS_COOKIE) != "off",
        is_demo=settings.DEMO,
    )


@register.filter
def initials(name: str) -> str:
    """The first and last initial of a name: "Ana Maria Front" → "AF"."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
