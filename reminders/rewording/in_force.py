"""Which words are in force at a site: its own, else the company's, else those of the product.

Read by every window of the dispatcher as it writes, so that what is published now is in the next
text: nothing is planned anew for it.
"""

from __future__ import annotations

from collections.abc import Collection

from clinic.models import Site
from reminders.models import WordingState, WordingVersion
from reminders.wording import versions
from reminders.wording.versions import Version, Wordings


def at(sites: Collection[int]) -> dict[int, Wordings]:
    """The words in force at each of these sites, by its id, in one query."""
    rows = WordingVersion.objects.for_sites(sites).filter(state=WordingState.PUBLISHED)
    common: dict[tuple[str, str], Version] = {}
    own: dict[int, dict[tuple[str, str], Version]] = {site: {} for site in sites}
    for row in rows.select_related("site"):
        held = common if row.site_id is None else own[row.site_id]
        held[row.kind, row.language] = of_row(row)
    return {site: Wordings(common | published) for site, published in own.items()}


def at_site(site: Site) -> Wordings:
    """The words in force at one site."""
    return at([site.pk])[site.pk]


def of_row(row: WordingVersion) -> Version:
    """A stored version, to be rendered; PhraseError when a draft cannot be read."""
    return versions.version(row.sources, stored=row.pk, label=row.label)
