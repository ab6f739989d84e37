"""What a site says of itself, and how and from when on it sends: each setting by its name.

Its zone and its slug are none: every time of a visit hangs on the one, addresses on the other.
Refuses to know what a change does to messages; planning does (`reminders.journeys.resetting`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction
from django.db.models import Q

from clinic import access, audit
from clinic.access import Capability
from clinic.models import AuditEntry, Site, Staff
from clinic.models.site import E164, FEWEST_WORDS_DAYS, MOST_SPREAD_MINUTES, PLAIN_LETTERS
from clinic.saying import gettext

CHANGED = "site.settings"
# The least and the most of each setting that is a number.
LIMITS = {
    "notice_hold_seconds": (0, 60 * 60),
    "spread_minutes": (0, MOST_SPREAD_MINUTES),
    "words_kept_days": (FEWEST_WORDS_DAYS, 100 * 366),
}
# What the plan of messages depends on; the rest is looked up as a message leaves.
PLANNED_FROM = frozenset(
    {
        *("name", "live_from", "clearance_from", "notice_hold_seconds", "spread_minutes"),
        *("week_reminders_from", "nudges_from", "reviews_from", "birthdays_from"),
    }
)
# What may send texts in place of a number: a short code, or letters where carriers take them.
_SENDER = re.compile(r"\d{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}")


class SiteRefused(Exception):
    """A setting that cannot be like that; `field` is its name. Nothing was changed."""

    code = "site_refused"

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


class SiteChanged(SiteRefused):
    """Somebody else changed the same settings meanwhile; `stands` are their values now."""

    code = "site_changed"

    def __init__(self, stands: Mapping[str, Any]) -> None:
        super().__init__(
            gettext(
                "Somebody else changed these settings meanwhile. Nothing of yours is saved yet."
            ),
            next(iter(stands)),
        )
        self.stands = stands


def settings_of(site: Site, *, by: Staff) -> dict[str, Any]:
    """Every setting of the site by its name. Raises Forbidden when `by` does not manage it."""
    access.require(by, Capability.MANAGE_SITE, site)
    return _settings(site)


def checked(site: Site, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they would be stored: numbers of telephones without blanks, words tidied.

    Raises SiteRefused for the first that cannot be, alone or beside what stands.
    """
    for name in changes:
        if name not in SETTINGS:
            said = gettext("There is no setting '%(name)s'. There are %(known)s.")
            raise SiteRefused(said % {"name": name, "known": ", ".join(SETTINGS)}, name)
    wanted = {name: SETTINGS[name](name, value) for name, value in changes.items()}
    whole = _settings(site) | wanted
    if whole["reviews_from"] is not None and not whole["review_url"]:
        said = gettext("Write where patients write a review, or leave the day empty.")
        raise SiteRefused(said, "review_url" if "review_url" in wanted else "reviews_from")
    return wanted


def change(
    *,
    site: Site,
    changes: Mapping[str, Any],
    by: Staff,
    now: datetime,
    seen: Mapping[str, Any] | None = None,
) -> Site:
    """Give the settings of `site` these values, by their names; the others stay.

    `seen` are the values in whose place the changes are meant; without them whatever stands is
    changed. Messages that are not yet sent are planned anew where they depend on it.

    Raises:
        SiteChanged: when what is to be changed is not what was seen.
        SiteRefused: for a name that is no setting, and a value that cannot be.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    with transaction.atomic():
        stored = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        wanted, stands = checked(stored, changes), _settings(stored)
        _as_seen(stands, wanted, seen or {})
        changed = [name for name in wanted if wanted[name] != stands[name]]
        if not changed:
            return stored
        for name in changed:
            setattr(stored, name, wanted[name])
        if PLANNED_FROM.intersection(changed):
            stored.revision += 1
        stored.save(update_fields=[*changed, "revision"])
        audit.record(
            action=CHANGED,
            subject=stored,
            by=by,
            now=now,
            site=stored,
            before={name: _as_json(stands[name]) for name in changed},
            after={name: _as_json(wanted[name]) for name in changed},
        )
        return stored


def sites_that_had(*names: str, value: str) -> set[int]:
    """The sites of which one of these settings was `value`, in whatever case, until somebody
    changed it."""
    was = reduce(or_, (Q(**{f"before__{name}__iexact": value}) for name in names))
    changes = AuditEntry.objects.filter(was, action=CHANGED).order_by()
    return {pk for pk in changes.values_list("site_id", flat=True) if pk}


def _settings(site: Site) -> dict[str, Any]:
    return {name: getattr(site, name) for name in SETTINGS}


def _as_seen(stands: Mapping[str, Any], wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
    """Two who write the same value do not disagree."""
    others = {
        name: stands[name]
        for name, value in wanted.items()
        if stands[name] not in (seen.get(name, stands[name]), value)
    }
    if others:
        raise SiteChanged(others)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _words(most: int) -> Callable[[str, str], str]:
    def check(name: str, value: str) -> str:
        tidy = " ".join(value.split())
        if not tidy:
            raise SiteRefused(gettext("Write something here."), name)
        return _short(name, tidy, most)

    return check


def _short(name: str, value: str, most: int) -> str:
    if len(value) > most:
        raise SiteRefused(gettext("Write at most %(most)s characters.") % {"most": most}, name)
    return value


def _sms_name(name: str, value: str) -> str:
    tidy = _words(24)(name, value)
    if not re.fullmatch(PLAIN_LETTERS, tidy):
        said = gettext(
            "Use the letters of plain texts only: no accents but those of é, ñ, ü and their like,"
            " no typographic marks, no emoji."
        )
        raise SiteRefused(said, name)
    return tidy


def _phone(name: str, value: str) -> str:
    number = re.sub(r"[\s().-]", "", value)
    if not re.fullmatch(E164, number):
        said = gettext("Write the number with its country code, like +1 212 555 0123.")
        raise SiteRefused(said, name)
    return number


def _phone_or_none(name: str, value: str) -> str:
    return _phone(name, value) if value.strip() else ""


def _sender(name: str, value: str) -> str:
    tidy = value.strip()
    return tidy if _SENDER.fullmatch(tidy) else _phone(name, tidy)


def _email(name: str, value: str) -> str:
    tidy = _short(name, value.strip(), 254)
    try:
        validate_email(tidy)
    except ValidationError:
        said = gettext("This is not an e-mail address. Write it like name@example.com.")
        raise SiteRefused(said, name) from None
    return tidy


def _https(name: str, value: str) -> str:
    tidy = _short(name, value.strip(), 200)
    try:
        if tidy:
            URLValidator(schemes=["https"])(tidy)
    except ValidationError:
        raise SiteRefused(gettext("Write an address that begins with https://."), name) from None
    return tidy


def _number(name: str, value: int) -> int:
    least, most = LIMITS[name]
    if not least <= value <= most:
        said = gettext("Enter a whole number from %(least)s to %(most)s.")
        raise SiteRefused(said % {"least": least, "most": most}, name)
    return value


def _as_it_is(name: str, value: Any) -> Any:
    return value


# Each setting, and what its value has to be.
SETTINGS: dict[str, Callable[[str, Any], Any]] = {
    "name": _words(80),
    "address": _words(200),
    "phone": _phone,
    "sms_name": _sms_name,
    "sms_number": _sender,
    "email_address": _email,
    "reply_to": _email,
    "canary_number": _phone_or_none,
    "live_from": _as_it_is,
    "notice_hold_seconds": _number,
    "spread_minutes": _number,
    "week_reminders_from": _as_it_is,
    "nudges_from": _as_it_is,
    "clearance_from": _as_it_is,
    "review_url": _https,
    "reviews_from": _as_it_is,
    "birthdays_from": _as_it_is,
    "words_kept_days": _number,
}
