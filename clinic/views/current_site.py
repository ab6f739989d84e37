"""Which of their sites a staff member is looking at: the URL says it, the session remembers it."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest
from django.utils.translation import gettext

from clinic.access import Forbidden, sites_at_hand
from clinic.models import Site, Staff

REMEMBERED = "site"


def current_site(request: HttpRequest) -> Site:
    """The site of this page: `?site=slug`, else the one looked at last, else the first by name.

    Raises Forbidden when the URL names a site that is not theirs (or none at all: the answer is
    the same), and when they have no site.
    """
    wanted = request.GET.get("site")
    site = known_site(request)
    if site is None or (wanted and site.slug != wanted):
        raise Forbidden(
            gettext(
                "You do not work at this site. A manager of the site can give you a role there."
            )
        )
    if wanted and request.session.get(REMEMBERED) != wanted:
        request.session[REMEMBERED] = wanted
    return site


def known_site(request: HttpRequest) -> Site | None:
    """As `current_site`, but falls back to a site of theirs, and is None when they have none."""
    sites = {site.slug: site for site in sites_at_hand(cast(Staff, request.user))}
    for slug in (request.GET.get("site"), request.session.get(REMEMBERED)):
        if slug in sites:
            return sites[slug]
    return next(iter(sites.values()), None)
