"""From where an act comes: which address, device and request, and by which way in.

Acts are many calls below the view that was asked, so the origin is carried beside the call, by the
context of the request. Whatever runs outside of a request comes from the system itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import uuid4

from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

# Of the digest of a device: enough to tell devices apart, too little to be worth reversing.
AGENT_LENGTH = 16


class Via(TextChoices):
    """The way in."""

    PAGE = "page", _("Page")
    API = "api", _("API")
    PATIENT_PAGE = "patient_page", _("Patient's page")
    PROVIDER = "provider", _("Report of a provider")
    SYSTEM = "system", _("System")


# By the beginning of the path; every other one is a page. A tablet that was handed over is the
# patient's page as well.
_WAYS = (
    *(("/api/", Via.API), ("/p/", Via.PATIENT_PAGE), ("/handover/", Via.PATIENT_PAGE)),
    ("/webhooks/", Via.PROVIDER),
)


@dataclass(frozen=True, slots=True)
class Origin:
    """`ip` is None where there is none, `agent` the beginning of the digest of what the browser
    calls itself, `request` an id of our own that every entry of one request shares."""

    via: Via
    ip: str | None = None
    agent: str = ""
    request: str = ""


SYSTEM = Origin(Via.SYSTEM)
_current: ContextVar[Origin] = ContextVar("afterglow_origin", default=SYSTEM)


def current() -> Origin:
    """Where what runs now comes from."""
    return _current.get()


def middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Remember the origin of a request for as long as it is answered."""

    def answer(request: HttpRequest) -> HttpResponse:
        token = _current.set(_of(request))
        try:
            return get_response(request)
        finally:
            _current.reset(token)

    return answer


def _of(request: HttpRequest) -> Origin:
    agent = request.headers.get("User-Agent", "")
    return Origin(
        via=next((via for start, via in _WAYS if request.path.startswith(start)), Via.PAGE),
        ip=client_ip(request.META, proxies=settings.PROXIES),
        agent=hashlib.sha256(agent.encode()).hexdigest()[:AGENT_LENGTH] if agent else "",
        request=uuid4().hex,
    )


def client_ip(meta: Mapping[str, str], *, proxies: int) -> str | None:
    """The address of who asks: behind so many trusted proxies, what the outermost of them wrote.

    What stands further left in the header was written by the client, who may write anything.
    """
    address = meta.get("REMOTE_ADDR", "")
    if proxies:
        seen = [each.strip() for each in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        address = seen[-min(proxies, len(seen))] or address
    try:
        return str(ip_address(address))
    except ValueError:
        return None
