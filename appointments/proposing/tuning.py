"""How a site plans: the minutes that places are kept, the points that plans are ranked by, and
what patients may change by themselves.

A site without settings has the defaults. Refuses to know what the points do to a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from appointments.models import SchedulingSettings
from appointments.models.settings import MOST_POINTS
from appointments.refusals import InputRefused, Refused
from clinic import access, audit
from clinic.access import Capability
from clinic.models import Site, Staff
from clinic.saying import gettext


class SettingsRefused(InputRefused):
    """A value that a setting cannot have; `field` is the setting."""

    code = "settings_refused"


class SettingsChanged(Refused):
    """Somebody else changed the same settings meanwhile; `stands` are their values now."""

    code = "settings_changed"

    def __init__(self, sentence: str, *, stands: Mapping[str, Any]) -> None:
        super().__init__(sentence)
        self.stands = stands


# The least and the most of each setting in whole minutes or hours, and of the points.
WHOLE = {
    "hold_minutes": (1, 60),
    "offer_minutes": (1, 24 * 60),
    "usable_minutes": (0, 24 * 60),
    "notice_hours": (0, 14 * 24),
}
# Settings in words, and how long they may be.
TEXTS = {"late_terms_en": 300, "late_terms_es": 300}
LIMITS: dict[str, tuple[int, int]] = {
    field.name: WHOLE.get(field.name, (0, MOST_POINTS))
    for field in SchedulingSettings._meta.concrete_fields
    if field.name not in ("site", *TEXTS)
}


def settings_of(*, site: Site, by: Staff) -> SchedulingSettings:
    """Those of the site; the defaults, unsaved, where it has none. Raises Forbidden when `by`
    does not manage `site`."""
    access.require(by, Capability.MANAGE_SITE, site)
    row = SchedulingSettings.objects.filter(site=site).first()
    return row or SchedulingSettings(site=site)


def tune(
    *,
    site: Site,
    changes: Mapping[str, Any],
    by: Staff,
    now: datetime,
    seen: Mapping[str, Any] | None = None,
) -> SchedulingSettings:
    """Give the settings of `site` these values, by their names; the others stay.

    `seen` are the values in whose place the changes are meant; without them whatever stands is
    changed.

    Raises:
        SettingsChanged: when what is to be changed is not what was seen.
        SettingsRefused: for a name that is no setting, and a value beyond its limits.
        Forbidden: when `by` does not manage `site`.
    """
    access.require(by, Capability.MANAGE_SITE, site)
    for name, value in changes.items():
        _possible(name, value)
    with transaction.atomic():
        # Of two who tune at once, the later one changes what the first one wrote.
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        row = settings_of(site=site, by=by)
        before = {name: getattr(row, name) for name in changes}
        _as_seen(before, changes, before if seen is None else seen)
        for name, value in changes.items():
            setattr(row, name, value)
        changed = [name for name in changes if getattr(row, name) != before[name]]
        if changed:
            row.save()
            audit.record(
                action="settings.tune",
                subject=row,
                by=by,
                now=now,
                site=site,
                before={name: before[name] for name in changed},
                after={name: getattr(row, name) for name in changed},
            )
        return row


def _as_seen(
    stands: Mapping[str, Any], changes: Mapping[str, Any], seen: Mapping[str, Any]
) -> None:
    """Two who write the same value do not disagree."""
    others = {
        name: value
        for name, value in stands.items()
        if value not in (seen.get(name, value), changes[name])
    }
    if others:
        raise SettingsChanged(
            gettext(
                "Somebody else changed these settings meanwhile. Nothing of yours is saved yet."
            ),
            stands=others,
        )


def _possible(name: str, value: Any) -> None:
    if name in TEXTS:
        if len(value) > TEXTS[name] or "\x00" in value:
            raise SettingsRefused(
                gettext("Write at most %(most)s characters.") % {"most": TEXTS[name]}, field=name
            )
        return
    if name not in LIMITS:
        raise SettingsRefused(
            gettext("There is no setting '%(name)s'. There are %(limits)s.")
            % {"name": name, "limits": ", ".join((*LIMITS, *TEXTS))},
            field=name,
        )
    least, most = LIMITS[name]
    # Also false for what is no number.
    if not least <= value <= most:
        raise SettingsRefused(
            gettext("Give %(name)s from %(least)s to %(most)s.")
            % {"name": name, "least": least, "most": most},
            field=name,
        )
