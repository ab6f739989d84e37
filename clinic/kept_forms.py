"""What somebody wrote in a form and sent after their session had ended: kept for nobody else.

It travels in the body of the sign-in page, sealed: only this installation can read it, and gives it
to the one person who wrote it. Nothing of it is stored before they have signed in again. Files and
passwords are not kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from clinic.access import sites_at_hand
from clinic.models import Staff
from clinic.views.current_site import REMEMBERED

# In the session of who signed in again, until the form is sent or discarded.
KEY = "kept_form"
LIFE = timedelta(hours=24)
# Longer ones would not fit in the sign-in form; no page has such.
MOST_LETTERS = 1_500_000
# Says to a browser without a session who was signed in last on it.
WHO, WHO_SALT = "afterglow_who", "clinic.kept_forms"
WHO_LIFE = timedelta(days=8)
_LEFT_OUT = "csrfmiddlewaretoken"


@dataclass(frozen=True, slots=True)
class Kept:
    """`entries` are names and values as the browser sent them to `address`, written on `page` (both
    path and query) by the member of staff with the id `by`, besides so many `files`. `site` is the
    slug of the site that they looked at; "" when none was named."""

    by: int
    page: str
    address: str
    entries: tuple[tuple[str, str], ...]
    files: int
    site: str

    def is_at(self, site: str | None) -> bool:
        """Whether a page would send it to the site for which it was written; `site` is the slug
        that the session remembers."""
        return self.site in ("", site)

    @property
    def written(self) -> list[tuple[str, str]]:
        """What of it a person may have typed, with names as people read them."""
        return [
            (name.replace("_", " "), value)
            for name, value in self.entries
            if " " in value.strip() or "\n" in value.strip()
        ]


def of_request(request: HttpRequest) -> Kept | None:
    """The form that was sent without a session; None when nobody knows who wrote it."""
    by, site = _who(request)
    if by is None or request.method != "POST" or not _is_of_a_person(request):
        return None
    entries = tuple(
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != _LEFT_OUT and "password" not in name
    )
    files = sum(len(request.FILES.getlist(name)) for name in request.FILES)
    page = _page(request)
    named = dict(parse_qsl(urlsplit(page).query)).get("site") or request.GET.get("site")
    return Kept(by, page, request.get_full_path(), entries, files, named or site)


def seal(kept: Kept, *, now: datetime) -> str:
    """As text that only `unseal` reads; empty when it is too long to be kept."""
    packed = zlib.compress(json.dumps(asdict(kept)).encode())
    sealed = _cipher().encrypt_at_time(packed, int(now.timestamp())).decode()
    return sealed if len(sealed) <= MOST_LETTERS else ""


def unseal(sealed: str, *, now: datetime) -> Kept | None:
    """What was sealed; None when it is not ours, older than a day, or of another edition of this
    program."""
    life, at = int(LIFE.total_seconds()), int(now.timestamp())
    try:
        packed = _cipher().decrypt_at_time(sealed.encode(), ttl=life, current_time=at)
        read = json.loads(zlib.decompress(packed))
        return Kept(**read | {"entries": tuple((name, value) for name, value in read["entries"])})
    except (InvalidToken, zlib.error, ValueError, KeyError, TypeError):
        return None


def give_back(request: HttpRequest, sealed: str, *, to: Staff, now: datetime) -> Kept | None:
    """Let `to`, who has just signed in, find it in their page, at the site for which they wrote it;
    None when it is not theirs, or they do not work at that site any more."""
    kept = unseal(sealed, now=now)
    if kept is None or kept.by != to.pk:
        return None
    if kept.site:
        if kept.site not in {site.slug for site in sites_at_hand(to)}:
            return None
        request.session[REMEMBERED] = kept.site
    request.session[KEY] = sealed
    return kept


def waiting(request: HttpRequest, *, now: datetime) -> Kept | None:
    """What waits in the session of who asks."""
    sealed = request.session.get(KEY)
    return unseal(sealed, now=now) if sealed else None


def forget(request: HttpRequest) -> None:
    """It was sent, or is not wanted any more."""
    request.session.pop(KEY, None)


def remember_who(request: HttpRequest, response: HttpResponse) -> None:
    """Note on the browser who is signed in on it and at which site they look, for when the session
    no longer says so."""
    if not request.user.is_authenticated:
        return
    by, before = _who(request)
    # A new session names no site before another one is looked at.
    site = request.session.get(REMEMBERED) or (before if by == request.user.pk else "")
    if (by, before) == (request.user.pk, site):
        return
    response.set_signed_cookie(
        WHO,
        f"{request.user.pk}.{site}",
        salt=WHO_SALT,
        max_age=WHO_LIFE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_who(response: HttpResponse) -> None:
    """Of a browser that is given to somebody else."""
    response.delete_cookie(WHO, samesite="Lax")


def _who(request: HttpRequest) -> tuple[int | None, str]:
    """Who was signed in last on the browser, and the slug of the site they looked at."""
    # The check against forgeries came before: its secret changes as somebody signs in, and the note
    # goes as they sign out, so that the form is of a page of whoever is noted.
    said = request.get_signed_cookie(WHO, default=None, salt=WHO_SALT, max_age=WHO_LIFE)
    by, _, site = (said or "").partition(".")
    return (int(by), site) if by else (None, "")


def is_of_this_house(request: HttpRequest) -> bool:
    """Whether the browser says that a page of ours sent it."""
    said = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(said).netloc == request.get_host()


def _is_of_a_person(request: HttpRequest) -> bool:
    """Whether the answer becomes a page: not that of a script, which has its own way to keep it."""
    return "HX-Request" in request.headers or (
        request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    )


def _page(request: HttpRequest) -> str:
    """Where it was written, as far as the browser says so."""
    written = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    parts = urlsplit(written)
    page = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # Of "//elsewhere/" a browser makes another house.
    is_here = parts.netloc == request.get_host() and page.startswith("/")
    if not is_here or not url_has_allowed_host_and_scheme(page, allowed_hosts=None):
        return request.get_full_path()
    return page


def _cipher() -> Fernet:
    secret = hashlib.sha256(f"{WHO_SALT}:{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(secret))
