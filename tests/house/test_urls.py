"""Who may open what: without signing in, only what stands here."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny

# Beside patients' own links, whose views prove the bearer of each.
PUBLIC = {
    "health",
    "sign-in",
    "sign-in-beside",
    "sign-out",
    "login",
    "api-schema",
    "api-docs",
    "twilio-status",
}
PUBLIC |= {"twilio-inbound", "telnyx-status", "telnyx-inbound", "mail-tracking", "mail-inbound"}
# A calendar program has no session: the token in the address is its key.
PUBLIC |= {"calendar-feed"}
# A program that measures has none either: it brings the token of the installation.
PUBLIC |= {"metrics"}

# Whoever is employed chooses a password by the link of a manager.
PUBLIC |= {"welcome"}
# A tablet in a patient's hands: the session says whose forms it shows, and nothing else opens.
PUBLIC |= {"handover", "handover-end"}


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield address, entry
        else:
            yield from patterns(entry, address)


def is_open(view: Any) -> bool:
    if api := getattr(view, "cls", None):
        return any(issubclass(rule, AllowAny) for rule in api.permission_classes)
    return not getattr(view, "login_required", True)


def test_only_the_listed_addresses_open_without_signing_in() -> None:
    opened = {
        entry.name
        for address, entry in patterns(get_resolver())
        if is_open(entry.callback) and not address.startswith("p/")
    }
    assert opened == PUBLIC
